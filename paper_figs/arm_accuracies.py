"""Test accuracy of every arm of the CPU study, by task, beside what needs no attention.   [C14, C19]"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paper_figs import arms, style
from paper_figs.numbers import estimate
from sims.store import Result

NEEDS = ("cpu_study",)
SHOWS: tuple[str, ...] = ()
BELOW = 0.3  # rows between an interval and its runs


def seen(score: Mapping[str, Any]) -> list[float]:
    """The accuracies that were measured, or their mean where single runs are not stored."""
    return list(score.get("per_seed", ())) or [score["estimate"]]


def _runs(axes: Axes, row: int, accuracies: Sequence[float], look: style.Look) -> None:
    """A dot per run, below the row's line."""
    dots = {"linestyle": "none", "marker": "o", "markersize": style.points(1.9), "markeredgewidth": 0}
    axes.plot(accuracies, [row + BELOW] * len(accuracies), color=look.color, **dots)


def _interval(
    axes: Axes, row: int, score: Mapping[str, Any], span: tuple[float, float], look: style.Look
) -> None:
    """The interval within the span; what goes on below it ends in an arrow, above 1 there is nothing."""
    low, high = max(score["low"], span[0]), min(score["high"], span[1])
    axes.hlines(row, low, high, color=look.color, linewidth=style.points(1.2))
    if score["low"] < span[0]:
        axes.plot(low, row, marker="<", color=look.color)


def _panel(axes: Axes, found: Mapping[str, Any], order: list[str]) -> None:
    """A row per arm: runs, interval and mean; a line at the best of what needs no attention."""
    floor = max(found["floor"].values())
    low = (
        min(
            [floor, *(value for arm in found["order"] for value in seen(found["arms"][arm]["test_accuracy"]))]
        )
        - 0.05
    )
    axes.axvline(floor, zorder=0, label="best without attention", **style.REFERENCE.line(markers=False))
    for row, arm in enumerate(order):
        if arm in found["arms"]:
            score, look = found["arms"][arm]["test_accuracy"], arms.look(arm)
            _runs(axes, row, score.get("per_seed", ()), look)
            if score["low"] is not None:
                _interval(axes, row, score, (low, 1.0), look)
            axes.plot(score["estimate"], row, zorder=4, **look.line() | {"linestyle": "none"})
    axes.set_yticks(np.arange(len(order)), [arms.words(arm) for arm in order])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=style.RULE, linewidth=style.points(0.5))
    axes.set_xlim(low - 0.02, 1.03)
    axes.set_xlabel("test accuracy")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One panel per task, one row per arm."""
    tasks, _ = arms.studied(results, by="figure arm_accuracies")
    order = arms.every(tasks)
    height = 0.75 + 0.22 * len(order)
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
        f"{max(found['floor'].values()):.3f} without attention"
        for task, found in tasks.items()
    ]
    return (
        "Every arm at equal steps. Test accuracy: a dot per run, mean and 95% t-interval over "
        f"{arms.seeds(tasks)}, drawn up to 1 only; an arrow marks one that goes on below. Dotted: the best "
        "classifier without attention. Query-key maps come with the position embeddings they read. "
        f"{'; '.join(said)}."
    )
