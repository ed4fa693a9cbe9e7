"""Test accuracy of every arm of the CPU study, by task, beside attention-free baselines.   [C14, C19]"""

from collections.abc import Mapping

from matplotlib.figure import Figure

from paper_figs import style
from paper_figs.style import arms
from paper_figs.style.numbers import accuracy
from sims.runs.store import Result

NEEDS = ("cpu_study",)
SHOWS: tuple[str, ...] = ()


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One panel per task, one row per arm."""
    tasks, _ = arms.studied(results, by="figure arm_accuracies")
    order = arms.every(tasks)
    height = 0.75 + 0.22 * len(order)
    figure, axes = style.panels(1, len(tasks), width=style.FULL_WIDTH, height=height, sharey=True)
    for panel, mark, (task, values) in zip(axes[0], "abcdefgh", tasks.items(), strict=False):
        arms.accuracy_panel(panel, values, order)
        style.letter(panel, mark, task)
    axes[0, 0].invert_yaxis()
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with both main arms' accuracies."""
    tasks, _ = arms.studied(results, by="figure arm_accuracies")
    sentences = [
        f"{task}: {accuracy(values.arms['label_only'].test_accuracy)} with labels only, "
        f"{accuracy(values.arms['spt'].test_accuracy)} with SPT, "
        f"{max(values.floor.values()):.3f} without attention"
        for task, values in tasks.items()
    ]
    return (
        "Every arm at equal steps. Test accuracy: a dot per run, mean and 95% t-interval over "
        f"{arms.seeds(tasks)}, cut at 1; an arrow marks one that goes on below. Dotted: the best "
        "classifier without attention. Query-key maps come with the position embeddings they read. "
        f"{'; '.join(sentences)}."
    )
