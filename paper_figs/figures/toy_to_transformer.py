"""From toy to full scale: each named quantity as predicted, in the toy and in Transformers by task."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator

from full_scale.comparison.rows import Row, Values
from full_scale.stored import need
from paper_figs import style
from paper_figs.report import measures
from paper_figs.style import arms
from sims.runs.store import Result
from sims.statistics.intervals import Interval

NEEDS = ("comparison",)
SHOWS: tuple[str, ...] = ()
NAMES = (
    "visible_share", "proximity_alignment", "snr_ratio", "plateau_time", "proximity_index", "qk_share",
    "prior_share", "depth_share", "fit_gap",
)  # fmt: skip
_LOGARITHMIC = ("snr_ratio", "proximity_index")
OWN_FIGURES = ("paper",)  # results with too many tasks and sizes for this one
CLIPPED = ("qk_share", "prior_share", "depth_share")
SHARES = (-0.6, 1.6)  # what of shares is drawn; an interval that goes on ends in an arrow
LARGEST = 1e4  # of ratios


def rows_of(values: Values, name: str) -> list[tuple[str, Interval, style.Look]]:
    """(place, interval, look) of the toy and of each task, one row for each task and setting."""
    headline = _headline(values, name)
    intervals: dict[str, Interval] = {}
    for row in values.by_task:
        if row.name == name and row.transformer is not None and row.result not in OWN_FIGURES:
            intervals.setdefault(row_label(row), row.transformer)
    toy = headline.toy if headline else None
    start = [("toy", toy, style.MEASUREMENT)] if toy is not None else []
    return [*start, *((at, interval, style.TRANSFORMER) for at, interval in intervals.items())]


def _headline(values: Values, name: str) -> Row | None:
    """The row on docs-order."""
    return next((row for row in values.rows if row.name == name), None)


def row_label(row: Row) -> str:
    """`docs-order`, with what differs from one layer."""
    plain = row.setting in ("", "1 layer", "CPU study", "grid")
    return row.task if plain else f"{row.task}, {arms.words(row.setting).removeprefix('labels only, ')}"


def known(interval: Interval) -> bool:
    """Whether there is something to draw."""
    return any(end is not None for end in (interval.estimate, interval.low, interval.high))


def _interval(axes: Axes, row: int, interval: Interval, look: style.Look, span: tuple[float, float]) -> None:
    low = span[0] if interval.low is None else max(interval.low, span[0])
    high = span[1] if interval.high is None else min(interval.high, span[1])
    axes.hlines(row, low, high, color=look.color, linewidth=style.points(1.2))
    for end, edge, marker in ((interval.low, span[0], "<"), (interval.high, span[1], ">")):
        beyond = end is None or (end < edge if marker == "<" else end > edge)
        if beyond:
            axes.plot(edge, row, marker=marker, color=look.color, linestyle="none")
    if interval.estimate is not None and span[0] <= interval.estimate <= span[1]:
        axes.plot(interval.estimate, row, **look.line() | {"linestyle": "none"})


def _span(name: str) -> tuple[float, float]:
    if name in CLIPPED:
        return SHARES
    return (0.1, LARGEST) if name in _LOGARITHMIC else (-1.1, 2.2)


def _panel(axes: Axes, values: Values, name: str) -> None:
    rows, span = [row for row in rows_of(values, name) if known(row[1])], _span(name)
    if name in _LOGARITHMIC:
        axes.set_xscale("log")
    for index, (_, interval, look) in enumerate(rows):
        _interval(axes, index, interval, look, span)
    if (headline := _headline(values, name)) is not None:
        _predicted(axes, headline, span)
    if not rows:
        ground = {"facecolor": style.SHADE, "edgecolor": "none", "pad": 1.0}
        axes.text(0.97, 0.5, "not measured", ha="right", va="center", transform=axes.transAxes, bbox=ground)
    axes.set_yticks(range(len(rows)), [at for at, _, _ in rows])
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    if name not in _LOGARITHMIC:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    elif np.ptp(np.log10(axes.get_xlim())) < 2:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")


def _predicted(axes: Axes, row: Row, span: tuple[float, float]) -> None:
    """Dashed: the number predicted; shaded: what bears it out."""
    if isinstance(row.prediction, (int, float)):
        axes.axvline(row.prediction, zorder=0, **style.THEORY.line(markers=False))
    low, high = row.range
    axes.margins(x=0.1)
    left, right = axes.get_xlim()
    bounds = [bound for bound in (low, high) if bound is not None]
    left, right = min([left, *bounds]), max([right, *bounds])
    start, stop = left if low is None else low, right if high is None else high
    axes.axvspan(start, stop, color=style.SHADE, zorder=-1, linewidth=0)
    axes.set_xlim(left, right)


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """A panel for each name of the table."""
    values = Values.from_json(need(results, "comparison", by="figure toy_to_transformer").values)
    counts = [max(3, len(rows_of(values, name))) for name in NAMES]
    tallest = [1.5 + max(counts[start : start + 3]) for start in (0, 3, 6)]
    figure, axes = style.panels(
        3, 3, width=style.FULL_WIDTH, height=1.0 + 0.145 * sum(tallest),
        gridspec_kw={"height_ratios": tallest},
    )  # fmt: skip
    figure.get_layout_engine().set(w_pad=0.1)  # inches: names of settings are long, letters of other widths
    for panel, mark, name in zip(axes.ravel(), "abcdefghi", NAMES, strict=True):
        _panel(panel, values, name)
        style.letter(panel, mark, measures.short(name))
    for panel in axes[-1]:
        panel.set_xlabel("value")
    handles = [
        Line2D([], [], **style.THEORY.line(markers=False)),
        Patch(color=style.SHADE, linewidth=0),
        Line2D([], [], **style.MEASUREMENT.line()),
        Line2D([], [], **style.TRANSFORMER.line()),
    ]
    style.legend_above(figure, handles, ["prediction", "predicted range", "toy", "Transformer"])
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the counts of verdicts over tasks and settings."""
    values = Values.from_json(need(results, "comparison", by="figure toy_to_transformer").values)
    verdicts = [row.verdict for row in values.by_task if row.name in NAMES]
    sentence = measures.verdict_sentence("measurements", verdicts)
    return (
        "From toy to Transformer. Each named quantity as predicted (dashed; shaded: the range that bears it "
        "out, for tasks in which labels need attention), in the toy, and in Transformers by task, with 95% "
        f"intervals; an arrow marks one that goes on. {sentence}"
    )
