"""Both arms at equal steps, on real text and on the control task.   [C19]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from full_scale.stored import need
from full_scale.studies.arm_comparison import ArmComparison
from paper_figs import style
from paper_figs.style.numbers import accuracy, number
from sims.runs.store import Result

NEEDS = ("docs_order", "digits")
SHOWS: tuple[str, ...] = ()
PAGE_ORDER = 6
TITLES = {"docs_order": "docs-order", "digits": "digits (control)"}
ROWS = ("validation_accuracy", "label_loss", "reconstruction_loss")


def mean_over_seeds(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Which evaluations exist, and mean, lowest and highest of the seeds there."""
    known = np.isfinite(curves).all(axis=0)
    there = curves[:, known]
    return known, there.mean(0), there.min(0), there.max(0)


def _curve(axes: Axes, steps: np.ndarray, curves: np.ndarray, arm: str) -> None:
    look = style.ARMS[arm]
    known, mean, low, high = mean_over_seeds(curves)
    if not known.any():
        return
    style.band(axes, steps[known], low, high, look)
    axes.plot(steps[known], curves[:, known].T, color=look.color, linewidth=style.points(0.5), alpha=0.6)
    every = max(1, int(known.sum()) // 10)
    axes.plot(steps[known], mean, label=style.ARM_NAMES[arm], **look.line(every=every))


def _column(panels: np.ndarray, result: Result) -> None:
    """Accuracy, label loss and reconstruction loss of one task, from top to bottom.

    What labels are answered by a head that is not trained yet is not drawn.
    """
    values = ArmComparison.from_json(result.values)
    arrays, steps = result.arrays, result.arrays["steps"]
    for arm in style.ARMS:
        trained = steps >= (values.pretraining_steps if arm == "spt" else 0)
        for panel, name in zip(panels, ("validation_accuracy", "label_loss"), strict=False):
            _curve(panel, steps[trained], arrays[f"{arm}_{name}"][:, trained], arm)
    _curve(panels[2], steps, arrays["spt_reconstruction_loss"], "spt")
    unit = "nats" if values.symbols else "half squared error"
    panels[2].set_ylabel(f"loss ({unit})")
    chance = values.chance
    panels[0].axhline(chance, label="chance", zorder=0, **style.REFERENCE.line(markers=False))
    panels[1].axhline(-np.log(chance), zorder=0, **style.REFERENCE.line(markers=False))
    panels[0].set_ylim(0.0 if chance < 0.3 else 0.4, 1.03)
    for panel in panels:
        panel.axvspan(0, values.pretraining_steps, color=style.PRETRAINING, zorder=-1, linewidth=0, label="_")
        panel.set_xlim(0, 1.015 * values.budget_steps)  # the last marker is drawn whole
        panel.set_xlabel("training steps")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two tasks side by side; the shaded part is the SPT arm's pretraining."""
    figure, axes = style.turned(3, 2, height=5.6)
    for column, name in enumerate(NEEDS):
        _column(axes[:, column], need(results, name, by="figure learning_curves"))
        for row, title in enumerate(("accuracy", "label loss", "pretraining")):
            style.name(axes[row, column], f"{TITLES[name]}: {title}")
    for above, below in zip(axes[0], axes[1], strict=True):
        above.set_ylabel("validation accuracy")
        below.set_ylabel("label loss (nats)")
    handles, names = axes[0, 0].get_legend_handles_labels()
    shade = Patch(color=style.PRETRAINING, linewidth=0)
    style.legend_above(figure, [*handles, shade], [*names, "pretraining of the SPT arm"])
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with test accuracies."""
    stored = {name: need(results, name, by="figure learning_curves").values for name in NEEDS}
    compared = {name: ArmComparison.from_json(each) for name, each in stored.items()}
    sentences = []
    for name in NEEDS:
        arms = compared[name].arms
        label, spt = (accuracy(arms[arm].test_accuracy) for arm in ("label_only", "spt"))
        sentences.append(f"{TITLES[name]}: test accuracy {label} with labels only, {spt} with SPT first")
    counts = {len(each.seeds) for each in compared.values()}
    seeds = " to ".join(str(count) for count in sorted(counts))
    return (
        "Both arms at equal steps. Validation accuracy, label loss and the loss of masked reconstruction "
        f"over {number(compared['docs_order'].budget_steps)} steps on docs-order; the SPT arm spends the "
        f"shaded steps on reconstruction, and its head learns afterwards. {'; '.join(sentences)}. Thick lines "
        f"are means, thin lines seeds, bands ranges, over {seeds} seeds. Intervals are 95% t-intervals, cut at 1."
    )
