"""Does the diagnosis hold: the gain it predicted against the gain that training measured, by task."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from full_scale.studies.validation import Values
from full_scale.studies.validation.agreement import Row
from paper_figs import style
from paper_figs.style.numbers import estimate
from sims.runs.store import Result

NEEDS = ("validation",)
SHOWS: tuple[str, ...] = ()
HALVES = {
    "choose": ("thresholds chosen here", replace(style.TRANSFORMER, marker="s")),
    "test": ("verdicts tested here", replace(style.TRANSFORMER, marker="s", filled=True)),
    "fresh": ("fresh tasks test them", replace(style.TRANSFORMER, marker="D", filled=True)),
}


def _points(axes: Axes, rows: list[Row]) -> None:
    for half, (label, look) in HALVES.items():
        part = [row for row in rows if row.half == half]
        if not part:
            continue
        for row in part:
            x, y = row.predicted_gain, row.measured_gain
            cross = {"color": look.color, "linewidth": style.points(0.8), "alpha": 0.6}
            if None not in (x.low, x.high):
                axes.hlines(y.estimate, x.low, x.high, **cross)
            if None not in (y.low, y.high):
                axes.vlines(x.estimate, y.low, y.high, **cross)
        at = np.array([_at(row) for row in part])
        axes.plot(at[:, 0], at[:, 1], label=label, **look.line() | {"linestyle": "none"})


def _at(row: Row) -> tuple[float, float]:
    """Predicted and measured gain, which are known."""
    return row.predicted_gain.estimate or 0.0, row.measured_gain.estimate or 0.0


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """A scatter; misses are ringed and named."""
    values = Values.from_json(need(results, "validation", by="figure validation").values)
    rows = [row for row in values.rows if row.predicted_gain.estimate is not None]
    figure, axes = style.panels(1, 1, width=style.COLUMN_WIDTH, height=2.9)
    panel: Axes = axes[0, 0]
    _points(panel, rows)
    wrong = [row for row in rows if row.missed]
    for row in wrong:
        panel.annotate(row.task, _at(row), (4 * style.venue().thick, 4 * style.venue().thick),
                       textcoords="offset points", fontsize=style.venue().small)  # fmt: skip
    ring = {"marker": "o", "markersize": style.points(7), "markerfacecolor": "none", "linestyle": "none"}
    panel.plot(
        [_at(row)[0] for row in wrong],
        [_at(row)[1] for row in wrong],
        color=style.BLACK, label="verdict missed", **ring,
    )  # fmt: skip
    ends = [end for row in rows for end in _at(row)]
    line = np.array([min(ends), max(ends)])
    panel.plot(line, line, zorder=0, label="equal", **style.THEORY.line(markers=False))
    panel.axhline(0.0, zorder=0, **style.REFERENCE.line(markers=False))
    panel.margins(0.08)
    panel.set_xlabel("predicted gain in test accuracy")
    panel.set_ylabel("measured gain")
    style.legend_above(figure, *panel.get_legend_handles_labels(), columns=2)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with rank correlation, verdicts right on the held-out half, and the misses."""
    values = Values.from_json(need(results, "validation", by="figure validation").values)
    fresh = values.right.get("fresh")
    tested = fresh or values.right.get("test")
    wrong = [row.task for row in values.rows if row.missed]
    right = f"{round((tested.estimate or 0.0) * tested.n)} of {tested.n}" if tested else "none of 0"
    where = "fresh tasks" if fresh else "half of the tasks that chose no threshold"
    return (
        "What the diagnosis predicted, and training measured. Gain in test accuracy by SPT over labels only, "
        f"as predicted before training and as measured at equal steps, on {len(values.rows)} tasks, with 95% "
        f"intervals. Spearman's rank correlation is {estimate(values.spearman)}; on the "
        f"{where} {right} verdicts are right. Missed: {', '.join(wrong) or 'none'}."
    )
