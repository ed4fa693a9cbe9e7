"""The pull along each lag: next-token prediction against masking.   [C18]"""

from collections.abc import Mapping

from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import estimate, number
from sims.experiments.causal import Values
from sims.runs.store import Result

NEEDS = ("causal",)
SHOWS = ("C18",)
LOSSES = (("causal", "next token", style.MEASUREMENT), ("masked", "masked token", style.RECONSTRUCTION))
MEMORIES = (("short", "AR(1)"), ("long", "longer memory"))
_MOMENTS = (("start", "no skip"), ("fitted", "readout fitted"))


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """A row per process, a column per moment; both losses by lag."""
    arrays = need(results, "causal", by="figure causal").arrays
    lags = arrays["lags"]
    figure, axes = style.panels(2, 2, width=style.FULL_WIDTH, height=4.4, sharey=True, sharex=True)
    for row, (memory, process) in enumerate(MEMORIES):
        for column, (moment, title) in enumerate(_MOMENTS):
            panel = axes[row, column]
            panel.axhline(0.0, zorder=0, color=style.GREY, linewidth=style.points(0.5))
            for loss, label, look in LOSSES:
                verdict_captions.curve(panel, lags, arrays, f"{memory}_{loss}_{moment}", look, label)
            style.letter(panel, "abcd"[2 * row + column], f"{process}, {title}")
    axes[0, 0].plot([], [], label="theory", **style.THEORY.line(markers=False))
    for panel in axes[1]:
        panel.set_xlabel("lag (positions)")
        panel.set_xticks(lags)
    for panel in axes[:, 0]:
        panel.set_ylabel("pull per unit of value")
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the pulls that are left once the readout is fitted."""
    values = Values.from_json(need(results, "causal", by="figure causal").values)
    pull = values.largest_pull
    return (
        "Next-token prediction against masking. Minus the score gradient along each lag, attention uniform, "
        "per unit of value, before and after the readout is fitted, on sampled sequences. "
        f"{verdict_captions.sentence(values.inside)} With the readout fitted next-token prediction is left, where "
        f"its law is largest, a pull of {estimate(pull['short_causal_fitted'])} on AR(1) data and of "
        f"{estimate(pull['long_causal_fitted'])} on those of longer memory; masking goes on with "
        f"{estimate(pull['short_masked_fitted'])} on AR(1). Of the next-token pull early in training, causal "
        f"labels see a share of {number(values.visible_share_of_law)}."
    )
