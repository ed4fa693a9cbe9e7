"""How much of a proximity band labels see through the ends of the sequence.   [C17]"""

import itertools
from collections.abc import Mapping

from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from sims.experiments.boundaries import Values
from sims.runs.store import Result

NEEDS = ("boundaries",)
SHOWS = ("C17",)


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Visible share over the length, one curve per half-width, both axes logarithmic; below, over theory."""
    arrays = need(results, "boundaries", by="figure boundaries").arrays
    lengths, widths = arrays["lengths"], [str(int(width)) for width in arrays["half_widths"]]
    figure, ((axes,), (below,)) = style.panels(
        2, 1, height=3.8, sharex=True, gridspec_kw={"height_ratios": [2.2, 1.0]}
    )
    for index, (width, look) in enumerate(zip(widths, itertools.cycle(style.LEVELS), strict=False)):
        row = lambda array, index=index: array[index]
        verdict_captions.curve(axes, lengths, arrays, "share", look, f"$w = {width}$", part=row)
        axes.plot(lengths, arrays["share_leading"][index], **style.REFERENCE.line(markers=False))
    curves = {
        width: ("share", look) for width, look in zip(widths, itertools.cycle(style.LEVELS), strict=False)
    }
    verdict_captions.ratios(
        below, lengths, arrays, curves, part=lambda array, width: array[widths.index(width)]
    )
    axes.plot([], [], label="exact", **style.THEORY.line(markers=False))
    axes.plot([], [], label="leading order", **style.REFERENCE.line(markers=False))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    below.set_xticks(lengths, [str(int(length)) for length in lengths])
    below.set_xlabel("tokens per sequence $L$")
    axes.set_ylabel("visible share of the band")
    style.legend_above(figure, *axes.get_legend_handles_labels(), columns=3)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the exponents."""
    result = need(results, "boundaries", by="figure boundaries")
    values = Values.from_json(result.values)
    names = {f"half_width_{int(width)}": f"w = {int(width)}" for width in result.arrays["half_widths"]}
    return (
        "A proximity band is seen by labels through its ends alone. Share of the squared norm of the band "
        "|i − j| ≤ w that lies in the space of label gradients, measured on white sequences, exact and "
        f"to leading order. {verdict_captions.sentence(values.inside)} Exponents in L: "
        f"{verdict_captions.exponents(values.exponents, names)}. For long sequences it is −2."
    )
