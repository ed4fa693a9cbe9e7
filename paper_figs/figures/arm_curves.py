"""Accuracy and proximity along the training of the CPU study's arms.   [C10, C19]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paper_figs import style
from paper_figs.style import arms
from paper_figs.style.numbers import number
from sims.runs.store import Result

NEEDS = ("cpu_study",)
SHOWS: tuple[str, ...] = ()
SHOWN = ("label_only", "no_qk", "qk_only", "spt")
ROWS = {"validation_accuracy": "validation accuracy", "proximity_index": "proximity index"}


def own(arrays: Mapping[str, np.ndarray], task: str, arm: str, quantity: str) -> np.ndarray:
    """The evaluations from the last one that an arm shares with SPT on: its pretraining is SPT's."""
    curves, spt = (arrays[f"{task}_{one}_{quantity}"] for one in (arm, "spt"))
    apart = (
        (curves != spt).any(axis=0)
        if arm != "spt" and curves.shape == spt.shape
        else np.ones(spt.shape[1], bool)
    )
    first = int(np.argmax(apart)) if apart.any() else 0
    return np.arange(len(apart)) >= max(0, first - 1)


def _curves(axes: Axes, arrays: Mapping[str, np.ndarray], task: str, quantity: str) -> None:
    """Mean and range over seeds of every arm shown."""
    steps = arrays[f"{task}_steps"]
    for arm in SHOWN:
        name = f"{task}_{arm}_{quantity}"
        if name in arrays:
            curves, look = arrays[name], arms.look(arm)
            known = np.isfinite(curves).all(axis=0) & own(arrays, task, arm, quantity)
            there = curves[:, known]
            style.band(axes, steps[known], there.min(0), there.max(0), look)
            every = max(1, len(steps) // 6)
            axes.plot(steps[known], there.mean(0), label=arms.words(arm), **look.line(every=every))
    axes.set_xlim(0, steps[-1])


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Validation accuracy above, proximity index below; one column per task."""
    tasks, arrays = arms.studied(results, by="figure arm_curves")
    figure, axes = style.panels(2, len(tasks), width=style.FULL_WIDTH, height=3.3, sharex="col")
    for column, (task, values) in enumerate(tasks.items()):
        for row, quantity in enumerate(ROWS):
            _curves(axes[row, column], arrays, task, quantity)
        style.letter(axes[0, column], "abcdefgh"[column], task)
        floor = {"label": "chance, uniform attention", "zorder": 0, **style.REFERENCE.line(markers=False)}
        axes[0, column].axhline(values.floor["constant"], **floor)
        axes[1, column].axhline(1.0, zorder=0, **style.REFERENCE.line(markers=False))
        axes[0, column].set_ylim(top=1.03)
        axes[1, column].set_xlabel("training steps")
    for row, name in enumerate(ROWS.values()):
        axes[row, 0].set_ylabel(name)
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def final(arrays: Mapping[str, np.ndarray], task: str, arm: str) -> str:
    """The proximity index at the end, its mean over seeds."""
    return number(float(arrays[f"{task}_{arm}_proximity_index"][:, -1].mean()))


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the final proximity index of both main arms."""
    tasks, arrays = arms.studied(results, by="figure arm_curves")
    sentences = [
        f"{task} {final(arrays, task, 'spt')} after SPT and {final(arrays, task, 'label_only')} after labels"
        for task in tasks
    ]
    return (
        "Accuracy and proximity along training. Above, validation accuracy (dotted: chance); below, "
        "attention within a window of 2 over its uniform value (dotted). Two thirds of the steps of all arms "
        "but labels only are pretraining, drawn once for all. Lines and bands are means and ranges over "
        f"{arms.seeds(tasks)}. Where SPT pays, attention has left its uniform value, towards neighbours or "
        "away from them; after labels alone it has not. Proximity index at the end: "
        f"{'; '.join(sentences)}."
    )
