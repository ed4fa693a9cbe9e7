"""What models without attention reach on the toy tasks, beside what is known exactly."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.numbers import accuracy, number
from sims.experiments.toy_tasks import TaskAccuracies, Values
from sims.runs.store import Result

NEEDS = ("toy_tasks",)
SHOWS = ()
LOOKS = {"bag": style.LEVELS[0], "linear": style.LEVELS[2], "pairs": style.LEVELS[3]}
NAMES = {"bag": "bag of tokens", "linear": "positions", "pairs": "neighbour counts"}
APART = 0.24  # rows between the baselines of one task


def _stored(results: Mapping[str, Result]) -> tuple[Values, dict[str, np.ndarray]]:
    result = need(results, "toy_tasks", by="figure toy_tasks")
    return Values.from_json(result.values), result.arrays


def _by_task(axes: Axes, tasks: Mapping[str, TaskAccuracies]) -> None:
    """A row per task: interval and mean of each baseline; a tick where its accuracy is known exactly."""
    rows = np.arange(len(tasks))
    for index, (name, look) in enumerate(LOOKS.items()):
        heights = rows + (index - 1) * APART
        intervals = [task.accuracy[name] for task in tasks.values()]
        low, middle, high = np.array([(one.low, one.estimate, one.high) for one in intervals]).T
        axes.hlines(heights, low, high, color=look.color, linewidth=style.points(1.2))
        axes.plot(middle, heights, label=NAMES[name], **look.line() | {"linestyle": "none"})
        known = [(task.known.get(name), height) for task, height in zip(tasks.values(), heights, strict=True)]
        exact_points = [(value, height) for value, height in known if value is not None]
        if exact_points:
            values, at = zip(*exact_points, strict=True)
            exact = {"color": style.THEORY.color, "linewidth": style.points(0.9), "zorder": 4}
            axes.vlines(values, np.array(at) - 0.1, np.array(at) + 0.1, **exact)
    axes.plot([], [], label="known exactly", marker="|", linestyle="none", color=style.THEORY.color)
    axes.set_yticks(rows, list(tasks))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("held-out accuracy")
    axes.set_xlim(0.45, 1.02)


def _along(axes: Axes, arrays: dict[str, np.ndarray], dial: str, at: np.ndarray) -> None:
    """Accuracy of each baseline along a dial, with its band."""
    for name, look in LOOKS.items():
        low, middle, high = arrays[f"{dial}_{name}"]
        style.band(axes, at, low, high, look)
        axes.plot(at, middle, **look.line())
    axes.axhline(0.5, zorder=0, **style.REFERENCE.line(markers=False))
    axes.set_ylim(0.42, 1.03)


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """All tasks left; the contrast dial and the radius dial right."""
    values, arrays = _stored(results)
    figure, axes = style.panels(
        1, 3, width=style.FULL_WIDTH, height=3.1, gridspec_kw={"width_ratios": [1.7, 1.0, 1.0]}
    )
    by_task, by_contrast, by_width = axes[0]
    _by_task(by_task, {name: values.tasks[name] for name in values.names})
    _along(by_contrast, arrays, "contrast", arrays["contrasts"])
    _along(by_width, arrays, "width", arrays["widths"])
    by_contrast.set_xlabel(r"class contrast $\kappa$")
    by_contrast.set_ylabel("held-out accuracy")
    by_width.set_xscale("log", base=2)
    by_width.set_xticks(arrays["widths"], [str(int(width)) for width in arrays["widths"]])
    by_width.minorticks_off()
    by_width.set_xlabel("letters per permuted block")
    for mark, panel, title in zip(
        "abc", axes[0], ("every task", "contrast-pair", "local-permute"), strict=True
    ):
        style.letter(panel, mark, title)
    style.legend_above(figure, *by_task.get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the leak of `patch-association` and what the controls leave."""
    values, _ = _stored(results)
    tasks, patch = values.tasks, values.patch_association
    pairs = lambda name: accuracy(tasks[name].accuracy["pairs"])
    return (
        "What models without attention reach on the toy tasks. Held-out accuracy of logistic regressions on "
        "how often each symbol occurs, on the symbol at each position, and on how often each symbol follows "
        "each; means and 95% intervals over independent fits. Bags and positions stay at chance wherever the "
        "label lies in the order alone; neighbour counts find it, but not once positions are permuted: "
        f"{pairs('shuffle-runs')} on shuffle-runs, {pairs('fixed-permutation')} on fixed-permutation. "
        f"In patch-association the sum of the tokens leaks the label with accuracy {number(patch['leak'])}; "
        f"the best model reaches {number(patch['best'])}."
    )
