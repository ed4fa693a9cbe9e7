"""Attention near the diagonal while both arms train.   [C19]"""

from collections.abc import Mapping

from matplotlib.figure import Figure

from full_scale.stored import need
from full_scale.studies.arm_comparison import ArmComparison
from paper_figs import style
from paper_figs.figures.learning_curves import mean_over_seeds
from paper_figs.style.numbers import number
from sims.runs.store import Result

NEEDS = ("docs_order_probes", "docs_order")
SHOWS: tuple[str, ...] = ()
PAGE_ORDER = 8


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Proximity index over training steps, both arms, range of seeds."""
    arrays = need(results, "docs_order_probes", by="figure proximity_training").arrays
    compared = ArmComparison.from_json(need(results, "docs_order", by="figure proximity_training").values)
    figure, ((axes,),) = style.panels(1, 1, height=2.5)
    axes.axvspan(0, compared.pretraining_steps, color=style.PRETRAINING, zorder=-1, linewidth=0)
    axes.axhline(1.0, zorder=0, label="uniform attention", **style.REFERENCE.line(markers=False))
    for arm, look in style.ARMS.items():
        known, mean, low, high = mean_over_seeds(arrays[f"proximity_index_{arm}"])
        steps = arrays["steps"][known]
        style.band(axes, steps, low, high, look)
        axes.plot(steps, mean, label=style.ARM_NAMES[arm], **look.line(every=max(1, len(steps) // 10)))
    axes.set_xlim(0, arrays["steps"].max())
    axes.set_ylim(bottom=0)
    axes.set_xlabel("training steps")
    axes.set_ylabel("proximity index (1 = uniform)")
    style.legend_above(figure, *axes.get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the final indices."""
    arrays = need(results, "docs_order_probes", by="figure proximity_training").arrays
    ends = {arm: mean_over_seeds(arrays[f"proximity_index_{arm}"])[1][-1] for arm in style.ARMS}
    return (
        "Proximity while both arms train on docs-order. Attention mass within a window around each "
        "position, over its value for uniform attention; the SPT arm pretrains in the shaded steps. At the "
        f"end: {number(float(ends['label_only']))} with labels only, {number(float(ends['spt']))} with SPT "
        f"first. Lines are means, bands ranges, over {arrays['proximity_index_spt'].shape[0]} seeds."
    )
