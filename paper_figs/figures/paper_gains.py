"""SPT's gain on the paper's tasks over their size, beside the gain that the diagnosis predicted.   [C19]"""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from full_scale.studies.paper import Values
from paper_figs import style
from paper_figs.style.numbers import estimate
from sims.runs.store import Result
from sims.statistics.intervals import Interval

NEEDS = ("paper",)
SHOWS: tuple[str, ...] = ()
_APART = 0.15  # rows between predicted and measured
_PREDICTED = style.Look(style.GREY, "-", "D", filled=False)


def _gain(axes: Axes, row: float, gain: Interval | None, look: style.Look, label: str | None) -> None:
    """A gain with its interval; nothing where there is none."""
    if gain is None or gain.estimate is None:
        return
    if gain.low is not None and gain.high is not None:
        axes.hlines(row, gain.low, gain.high, color=look.color, linewidth=style.points(1.2))
    axes.plot(gain.estimate, row, label=label, **look.line() | {"linestyle": "none"})


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two marks per task and size."""
    values = Values.from_json(need(results, "paper", by="figure paper_gains").values)
    sizes = values.in_order()
    figure, axes = style.panels(1, 1, width=style.COLUMN_WIDTH, height=1.2 + 0.3 * len(sizes))
    panel: Axes = axes[0, 0]
    for row, (name, table) in enumerate(sizes.items()):
        words = ("predicted before training", "measured") if row == 0 else (None, None)
        _gain(panel, row - _APART, values.predictions[name].numbers["gain"], _PREDICTED, words[0])
        _gain(panel, row + _APART, table.grid.shares.gain, style.RECONSTRUCTION, words[1])
    panel.axvline(0.0, zorder=0, **style.REFERENCE.line(markers=False))
    panel.set_yticks(range(len(sizes)), list(sizes))
    panel.set_ylim(len(sizes) - 0.5, -0.5)
    panel.tick_params(axis="y", length=0)
    panel.set_xlabel("gain of SPT in test accuracy")
    style.legend_above(figure, *panel.get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with every gain."""
    values = Values.from_json(need(results, "paper", by="figure paper_gains").values)
    sentences = [
        f"{name}: {estimate(table.grid.shares.gain)}, predicted "
        f"{estimate(values.predictions[name].numbers['gain'])}"
        for name, table in values.in_order().items()
    ]
    return (
        "The gain of SPT over size and number of labels. Test accuracy of SPT minus that of labels only at equal "
        "steps, with 95% intervals: as the diagnosis predicted it before training, and as measured. "
        f"{'; '.join(sentences)}."
    )
