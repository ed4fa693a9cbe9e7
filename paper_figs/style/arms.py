"""How the arms of the studies are named, ordered and drawn, in all their figures."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from full_scale.stored import need
from full_scale.studies.ablations import Values as AblationValues
from full_scale.studies.arm_comparison import OverSeeds
from full_scale.studies.grids import Values
from paper_figs import style
from paper_figs.report import measures
from paper_figs.style.numbers import within
from sims.runs.store import Result

_QUERY_KEY = style.Look(style.SKY, "-", "D", filled=True)
PRIOR = style.CONTROL
_BELOW = 0.3  # rows between an interval and its runs
DEPTH = style.Look(style.GREY, "-", "v", filled=True)
NAMES = {
    "label_only": "labels only",
    "spt": "SPT, then labels",
    "spt_longer": "SPT, more label steps",
    "qk_only": "query-key alone",
    "qk_only_longer": "query-key, more label steps",
    "qk_embeddings_only": "query-key and embeddings",
    "no_qk": "all but query-key",
    "both": "both losses at once",
    "alibi": "ALiBi",
    "rope": "RoPE",
    "tied_qk": "tied query-key",
    "tied_qkvo": "tied Q, K, V, O",
    "mimetic": "mimetic start",
    "label_only_twice": "labels only, twice the steps",
    "label_only_decayed": "labels only, more decay",
}
LOOKS = {
    "label_only": style.LABELS,
    "label_only_twice": style.LABELS,
    "label_only_decayed": style.LABELS,
    "spt": style.RECONSTRUCTION,
    "spt_longer": style.RECONSTRUCTION,
    "qk_only": _QUERY_KEY,
    "qk_only_longer": _QUERY_KEY,
    "qk_embeddings_only": _QUERY_KEY,
    "no_qk": style.Look(style.ORANGE, "-", "P", filled=False),
}


def words(arm: str) -> str:
    """An arm's name as figures write it."""
    if arm.startswith("depth_"):
        count = arm.removeprefix("depth_")
        return f"labels only, {count} layer" + ("" if count == "1" else "s")
    return NAMES.get(arm, arm.replace("_", " "))


def share_words(share: str) -> str:
    """A share's name, with its arm where several arms have one: `prior share: ALiBi`."""
    kind, _, arm = share.partition(": ")
    return f"{measures.short(kind)}: {words(arm)}" if arm else measures.short(kind)


def look(arm: str) -> style.Look:
    """How an arm is drawn."""
    return LOOKS.get(arm, DEPTH if arm.startswith("depth_") else PRIOR)


def _runs(axes: Axes, row: int, accuracies: Sequence[float], look: style.Look) -> None:
    """A dot per run, below the row's line."""
    dots = {"linestyle": "none", "marker": "o", "markersize": style.points(1.9), "markeredgewidth": 0}
    axes.plot(accuracies, [row + _BELOW] * len(accuracies), color=look.color, **dots)


def _interval(axes: Axes, row: int, score: OverSeeds, span: tuple[float, float], look: style.Look) -> None:
    """The interval within the span; what goes on below it ends in an arrow, above 1 there is nothing."""
    inside = within(score, *span)
    axes.hlines(row, inside.low, inside.high, color=look.color, linewidth=style.points(1.2))
    if inside.low != score.low:
        axes.plot(inside.low, row, marker="<", color=look.color)


def accuracy_panel(axes: Axes, values: Values, order: list[str]) -> None:
    """A row per arm: runs, interval and mean; a line at the best attention-free baseline."""
    floor = max(values.floor.values())
    scores = [values.arms[arm].test_accuracy for arm in values.order]
    low = min([floor, *(value for score in scores for value in score.per_seed)]) - 0.05
    axes.axvline(floor, zorder=0, label="best without attention", **style.REFERENCE.line(markers=False))
    for row, arm in enumerate(order):
        if arm in values.arms:
            score, own = values.arms[arm].test_accuracy, look(arm)
            _runs(axes, row, score.per_seed, own)
            if score.low is not None:
                _interval(axes, row, score, (low, 1.0), own)
            axes.plot(score.estimate, row, zorder=4, **own.line() | {"linestyle": "none"})
    axes.set_yticks(np.arange(len(order)), [words(arm) for arm in order])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=style.RULE, linewidth=style.points(0.5))
    top = max(high for score in scores for high in (score.high, *score.per_seed) if high is not None)
    axes.set_xlim(low - 0.02, min(max(floor, top) + 0.1, 1.03))
    axes.set_xlabel("test accuracy")


def studied(results: Mapping[str, Result], *, by: str) -> tuple[dict[str, Values], Mapping[str, np.ndarray]]:
    """The CPU study's tasks and arrays."""
    result = need(results, "cpu_study", by=by)
    return AblationValues.from_json(result.values).tasks, result.arrays


def every(tasks: Mapping[str, Values]) -> list[str]:
    """The arms of all tasks, in the order of the study."""
    return list(dict.fromkeys(arm for values in tasks.values() for arm in values.order))


def seeds(tasks: Mapping[str, Values]) -> str:
    """`5 seeds`, or a range."""
    counts = sorted({len(values.seeds) for values in tasks.values()})
    return f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = list(words)
    return f"{', '.join(most)} and {last}" if most else last
