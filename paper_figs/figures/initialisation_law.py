"""Gradient sizes over the size of the query and key maps: exponents 3 and 1.   [C13]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from sims.experiments.initialisation_law import Values
from sims.runs.store import Result

NEEDS = ("initialisation_law",)
SHOWS = ("C13",)
CASES = {
    "label_centred": ("labels, centred encodings", style.LABELS),
    "label_uncentred": ("labels, not centred", style.CONTROL),
    "reconstruction": ("reconstruction, centred", style.RECONSTRUCTION),
}


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Root mean square gradients over the maps' size, both axes logarithmic; below, over theory."""
    arrays = need(results, "initialisation_law", by="figure initialisation_law").arrays
    figure, ((axes,), (below,)) = style.panels(
        2, 1, height=3.6, sharex=True, gridspec_kw={"height_ratios": [2.4, 1.0]}
    )
    sizes, root = arrays["sizes"], lambda array, _=None: np.sqrt(np.maximum(array, 0.0))
    for name, (label, look) in CASES.items():
        verdict_captions.curve(axes, sizes, arrays, name, look, label, part=root)
    verdict_captions.ratios(
        below, sizes, arrays, {name: (name, look) for name, (_, look) in CASES.items()}, part=root
    )
    axes.plot([], [], label="theory", **style.THEORY.line(markers=False))
    axes.set_xscale("log")
    axes.set_yscale("log")
    below.set_xticks(sizes, [f"{size:g}" for size in sizes])
    below.minorticks_off()
    below.set_xlabel("size $e$ of the maps' entries")
    axes.set_ylabel(r"size of the gradient in $W_Q$")
    style.legend_above(figure, *axes.get_legend_handles_labels(), columns=2)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the exponents."""
    values = Values.from_json(need(results, "initialisation_law", by="figure initialisation_law").values)
    names = {name: label for name, (label, _) in CASES.items()}
    return (
        "Small maps hide the scores from labels. Root mean square of the gradient in the query map over "
        f"{values.inside['reconstruction'].seeds} initialisations of each size, and its closed forms "
        f"to leading order. {verdict_captions.sentence(values.inside)} Exponents: "
        f"{verdict_captions.exponents(values.exponents, names)}."
    )
