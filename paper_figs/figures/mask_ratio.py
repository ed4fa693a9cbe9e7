"""Pull on the scores and final attention over the masking rate.   [C8]"""

from collections.abc import Mapping

from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import estimate, number
from sims.experiments.mask_ratio import Values
from sims.runs.store import Result

NEEDS = ("mask_ratio",)
SHOWS = ("C8",)
PARTS = (
    ("pull", "first pull", "pull towards neighbours"),
    ("mass", "final attention", "attention on neighbours"),
    ("value", "final value", "value $v$"),
)


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Three quantities over the masking rate."""
    arrays = need(results, "mask_ratio", by="figure mask_ratio").arrays
    figure, axes = style.panels(1, 3, width=style.FULL_WIDTH, height=2.4)
    for column, (name, title, axis) in enumerate(PARTS):
        panel = axes[0, column]
        verdict_captions.curve(
            panel, arrays["rates"], arrays, name, style.RECONSTRUCTION, "training on batches"
        )
        panel.plot([], [], label="closed form", **style.THEORY.line(markers=False))
        style.letter(panel, "abc"[column], title)
        panel.set(xlabel="masking rate $p$", ylabel=axis)
        panel.set_ylim(bottom=0)
    style.legend_above(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with attention on the neighbours at both ends."""
    values = Values.from_json(need(results, "mask_ratio", by="figure mask_ratio").values)
    rates, mass = values.rates, values.mass
    first, last = mass[0].low, mass[-1].high
    falls = first is not None and last is not None and first > last
    return (
        "How much to mask. Scalar AR(1) tokens, each hidden with probability p, from uniform attention: (a) "
        "the first pull on the scores towards the neighbours, (b) attention on them and (c) the value at the "
        f"end of training. {verdict_captions.sentence(values.inside)} Leading order are the ends of training, "
        "which the noise of batches moves: by at most "
        f"{number(100 * max(values.relative_miss.values()))}% here. Attention on them is {estimate(mass[0])} at "
        f"p = {number(rates[0])} and {estimate(mass[-1])} at p = {number(rates[-1])}"
        + (": where neighbours are often hidden, others stand in for them." if falls else ".")
    )
