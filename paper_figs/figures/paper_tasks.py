"""The paper's four tasks at CPU size: every arm's test accuracy beside attention-free baselines.   [C19]"""

from collections.abc import Mapping

from matplotlib.figure import Figure

from full_scale.stored import need
from full_scale.studies.paper import SizeTable, Values
from paper_figs import style
from paper_figs.style import arms
from paper_figs.style.numbers import accuracy
from sims.runs.store import Result

NEEDS = ("paper",)
SHOWS: tuple[str, ...] = ()


def _smallest(values: Values) -> dict[str, SizeTable]:
    """The smallest size of every task."""
    first: dict[str, SizeTable] = {}
    for table in values.sizes.values():
        first.setdefault(table.task, table)
    return first


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """A panel per task at its smallest size, a row per arm."""
    tasks = _smallest(Values.from_json(need(results, "paper", by="figure paper_tasks").values))
    order = arms.every({name: table.grid for name, table in tasks.items()})
    height = 0.75 + 0.22 * len(order)
    figure, axes = style.panels(1, max(1, len(tasks)), width=style.FULL_WIDTH, height=height, sharey=True)
    for panel, mark, table in zip(axes[0], "abcdefgh", tasks.values(), strict=False):
        arms.accuracy_panel(panel, table.grid, order)
        style.letter(panel, mark, f"{table.task} {table.size}")
    axes[0, 0].invert_yaxis()
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with both main arms' accuracies."""
    tasks = _smallest(Values.from_json(need(results, "paper", by="figure paper_tasks").values))
    sentences = [
        f"{table.task} {table.size}: {accuracy(table.grid.arms['label_only'].test_accuracy)} with labels only, "
        f"{accuracy(table.grid.arms['spt'].test_accuracy)} with SPT, "
        f"{max(table.grid.floor.values()):.3f} without attention"
        for table in tasks.values()
    ]
    grids = {name: table.grid for name, table in tasks.items()}
    steps = " and ".join(f"{each:,}" for each in sorted({grid.arms["spt"].steps for grid in grids.values()}))
    return (
        f"The paper's tasks at CPU size. Test accuracy of every arm, at equal steps ({steps}) but where its name says "
        f"more: a dot per run, mean and 95% t-interval over {arms.seeds(grids)}, cut at 1; an arrow marks one that "
        "goes on below. A row without a mark was not run there. Dotted: the best classifier without attention. "
        f"{'; '.join(sentences)}."
    )
