"""Every prediction beside its measurement in the toy and in the Transformer, with 95% intervals."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from paper_figs import style
from paper_figs.sources import need
from sims.store import Result

NEEDS = ("comparison",)
TOY, TRANSFORMER = style.MEASUREMENT, style.Look(style.PURPLE, "-", "o", filled=False)
KINDS = {"toy": (TOY, 0.25), "transformer": (TRANSFORMER, -0.25)}


def _rows(results: Mapping[str, Result]) -> list[dict[str, Any]]:
    values: Any = need(results, "comparison", by="figure prediction_measurement").values
    return values["rows"]


def is_number(value: object) -> bool:
    """Whether a prediction is a number rather than words."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _interval(axes: Axes, interval: Mapping[str, Any], look: style.Look, height: float) -> None:
    """A point with its interval; an unbounded side ends in an arrow at the edge."""
    if interval["estimate"] is None:
        return
    point = interval["estimate"]
    low = interval["low"] if interval["low"] is not None else point
    high = interval["high"] if interval["high"] is not None else point
    axes.plot([low, high], [height, height], color=look.color, linewidth=1.2)
    axes.plot([point], [height], **look.line() | {"linestyle": "none", "markersize": 4.5})
    for bound, marker in ((interval["low"], "<"), (interval["high"], ">")):
        if bound is None:
            axes.plot([point], [height], marker=marker, color=look.color, markersize=7, fillstyle="none")


def _strip(axes: Axes, row: Mapping[str, Any]) -> None:
    for kind, (look, height) in KINDS.items():
        if row[kind] is not None:
            _interval(axes, row[kind], look, height)
    if is_number(row["prediction"]):
        axes.axvline(row["prediction"], zorder=0, **style.THEORY.line(markers=False))
    axes.set_ylim(-0.7, 0.7)
    axes.margins(x=0.12)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    name = row["name"].replace("_", " ")
    words = "" if is_number(row["prediction"]) else f"\npredicted: {row['prediction']}"
    axes.set_ylabel(f"{name}{words}\n{row['verdict']}", rotation=0, ha="right", va="center", ma="right")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One strip per prediction, each with its own axis."""
    rows = _rows(results)
    figure, axes = style.panels(len(rows), 1, width=style.FULL_WIDTH, height=0.62 * len(rows) + 0.5)
    for panel, row in zip(axes[:, 0], rows, strict=True):
        _strip(panel, row)
    axes[-1, 0].set_xlabel("value of the dimensionless number named at the left (one axis per row)")
    handles = [
        Line2D([], [], **style.THEORY.line(markers=False)),
        Line2D([], [], **TOY.line()),
        Line2D([], [], **TRANSFORMER.line()),
    ]
    style.legend_above(figure, handles, ["prediction", "toy", "Transformer"])
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the count of verdicts."""
    rows = _rows(results)
    counts = [
        f"{sum(row['verdict'] == kind for row in rows)} {kind}" for kind in ("holds", "fails", "undecided")
    ]
    return (
        "Prediction and measurement. Each dimensionless number as the theory predicts it (dashed), as the "
        f"toy and as the Transformer on docs-order show it, with 95% intervals. Of {len(rows)} rows: "
        f"{', '.join(counts)}."
    )
