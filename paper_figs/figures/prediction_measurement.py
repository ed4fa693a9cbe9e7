"""Every prediction beside its measurement in the toy and in the Transformer, with 95% intervals."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from full_scale.comparison.rows import Row, Values
from full_scale.stored import need
from paper_figs import style
from paper_figs.report import measures
from sims.runs.store import Result
from sims.statistics.intervals import Interval

NEEDS = ("comparison",)
SHOWS: tuple[str, ...] = ()
PAGE_ORDER = 11
KINDS = {"toy": (style.MEASUREMENT, 0.25), "transformer": (style.TRANSFORMER, -0.25)}


def _rows(results: Mapping[str, Result]) -> tuple[Row, ...]:
    return Values.from_json(need(results, "comparison", by="figure prediction_measurement").values).rows


def is_number(value: object) -> bool:
    """Whether a prediction is a number rather than words."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _interval(axes: Axes, interval: Interval, look: style.Look, height: float) -> None:
    """A point with the finite part of its interval."""
    known = [end for end in (interval.low, interval.estimate, interval.high) if end is not None]
    axes.plot(known, [height] * len(known), color=look.color, linewidth=style.points(1.2))
    if interval.estimate is not None:
        axes.plot(
            [interval.estimate],
            [height],
            **look.line() | {"linestyle": "none", "markersize": style.points(4.5)},
        )


def _open_ends(axes: Axes, interval: Interval, look: style.Look, height: float) -> None:
    """An unbounded side runs to the edge of the strip and ends in an arrow."""
    known = [end for end in (interval.low, interval.estimate, interval.high) if end is not None]
    for end, edge, marker in zip(("low", "high"), axes.get_xlim(), ("<", ">"), strict=True):
        if getattr(interval, end) is None:
            start = (min if end == "low" else max)(known, default=sum(axes.get_xlim()) / 2)
            arrow = {"marker": marker, "markevery": [1], "markersize": style.points(4.5), "clip_on": False}
            axes.plot([start, edge], [height, height], color=look.color, linewidth=style.points(1.2), **arrow)


def _strip(axes: Axes, row: Row) -> None:
    for kind, (look, height) in KINDS.items():
        if (interval := getattr(row, kind)) is not None:
            _interval(axes, interval, look, height)
    if is_number(row.prediction):
        axes.axvline(row.prediction, zorder=0, **style.THEORY.line(markers=False))
    _range(axes, *row.range)
    for kind, (look, height) in KINDS.items():
        if (interval := getattr(row, kind)) is not None:
            _open_ends(axes, interval, look, height)
    axes.set_ylim(-0.7, 0.7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    words = "" if is_number(row.prediction) else f", {row.prediction}"
    verdict = "not measured" if row.toy is row.transformer is None else row.verdict
    name = measures.short(row.name)
    axes.set_ylabel(f"{name}{words}\n{verdict}", rotation=0, ha="right", va="center", ma="right", labelpad=8)


def _range(axes: Axes, low: float | int | None, high: float | int | None) -> None:
    """Shade the values that would bear the prediction out; an open side runs to the edge."""
    finite = [bound for bound in (low, high) if bound is not None]
    axes.plot(finite, [0.0] * len(finite), linestyle="none")  # keeps both ends in view
    axes.margins(x=0.12)
    left, right = axes.get_xlim()
    start, stop = left if low is None else low, right if high is None else high
    axes.axvspan(start, stop, color=style.SHADE, zorder=-1, linewidth=0)
    axes.set_xlim(left, right)


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One strip per prediction, each with its own axis."""
    rows = _rows(results)
    columns = 2 if style.is_wide() else 1
    lines = -(-len(rows) // columns)
    figure, axes = style.panels(lines, columns, width=style.FULL_WIDTH, height=0.46 * lines + 0.6)
    for panel, row in zip(axes.T.ravel(), rows, strict=False):
        _strip(panel, row)
    for panel in axes.T.ravel()[len(rows) :]:
        panel.set_axis_off()
    figure.supxlabel("value of the dimensionless number named at the left (one axis per row)")
    handles = [
        Line2D([], [], **style.THEORY.line(markers=False)),
        Patch(color=style.SHADE, linewidth=0),
        Line2D([], [], **style.MEASUREMENT.line()),
        Line2D([], [], **style.TRANSFORMER.line()),
    ]
    names = ["prediction", "predicted range", "toy", "Transformer"]
    style.legend_above(figure, handles, names)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the count of verdicts."""
    rows = _rows(results)
    return (
        "Prediction and measurement. Each dimensionless number as the theory predicts it (dashed; shaded: "
        "the range that bears it out), as the toy and as the Transformer on docs-order show it, with "
        f"95% intervals. {measures.verdict_sentence('rows', [row.verdict for row in rows])}"
    )
