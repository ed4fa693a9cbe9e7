"""Test accuracy of every arm of the CPU study, by task, beside what needs no attention.   [C14, C19]"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paper_figs import arms, style
from paper_figs.numbers import estimate
from sims.store import Result

NEEDS = ("cpu_study",)
SHOWS: tuple[str, ...] = ()


def _panel(axes: Axes, found: Mapping[str, Any], order: list[str]) -> None:
    """A row per arm: interval and mean; a line at the best of what needs no attention."""
    floor = max(found["floor"].values())
    axes.axvline(floor, zorder=0, label="best without attention", **style.REFERENCE.line(markers=False))
    for row, arm in enumerate(order):
        if arm in found["arms"]:
            score, look = found["arms"][arm]["test_accuracy"], arms.look(arm)
            if score["low"] is not None:
                axes.hlines(row, score["low"], score["high"], color=look.color, linewidth=style.points(1.2))
            axes.plot(score["estimate"], row, **look.line() | {"linestyle": "none"})
    axes.set_yticks(np.arange(len(order)), [arms.words(arm) for arm in order])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=style.RULE, linewidth=style.points(0.5))
    low = min([floor, *(found["arms"][arm]["test_accuracy"]["estimate"] for arm in found["order"])])
    axes.set_xlim(low - 0.06, 1.03)
    axes.set_xlabel("test accuracy")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One panel per task, one row per arm."""
    tasks, _ = arms.studied(results, by="figure arm_accuracies")
    order = arms.every(tasks)
    height = 0.75 + 0.19 * len(order)
    figure, axes = style.panels(1, len(tasks), width=style.FULL_WIDTH, height=height, sharey=True)
    for panel, mark, (task, found) in zip(axes[0], "abcdefgh", tasks.items(), strict=False):
        _panel(panel, found, order)
        style.letter(panel, mark, task)
    axes[0, 0].invert_yaxis()
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with both main arms' accuracies."""
    tasks, _ = arms.studied(results, by="figure arm_accuracies")
    said = [
        f"{task}: {estimate(found['arms']['label_only']['test_accuracy'])} with labels only, "
        f"{estimate(found['arms']['spt']['test_accuracy'])} with SPT, "
        f"at most {max(found['floor'].values()):.3f} without attention"
        for task, found in tasks.items()
    ]
    return (
        f"Every arm at equal steps. Test accuracy with 95% intervals over {arms.seeds(tasks)}; dotted: the "
        f"best of what needs no attention. {'; '.join(said)}."
    )
