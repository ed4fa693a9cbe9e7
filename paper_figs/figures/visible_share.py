"""The share of score directions a label can see, against the number of tokens.   [C1]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.numbers import number
from sims.runs.store import Result

NEEDS = ("blindness",)
SHOWS = ("C1",)
PAGE_ORDER = 1


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Measured rank share over predicted 1/L, both axes logarithmic."""
    arrays = need(results, "blindness", by="figure visible_share").arrays
    lengths = arrays["lengths"]
    figure, ((axes,),) = style.panels(1, 1, height=2.3)
    dense = np.geomspace(lengths.min() / 1.2, lengths.max() * 1.2, 100)
    axes.plot(dense, 1 / dense, label="theory, $1/L$", zorder=3, **style.THEORY.line(markers=False))
    look = style.LABELS.line() | {"linestyle": "none", "markersize": style.points(5.5)}
    axes.plot(lengths, arrays["visible_share_measured"], label="measured rank share", **look)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(lengths, [str(int(length)) for length in lengths])
    powers = 2.0 ** np.arange(np.floor(-np.log2(lengths.max())), 0)
    axes.set_yticks(powers, [f"1/{round(1 / power)}" for power in powers])
    axes.minorticks_off()
    axes.set_xlabel("tokens per sequence $L$")
    axes.set_ylabel("visible share of directions")
    axes.legend(loc="upper right")
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the largest distance from 1/L."""
    arrays = need(results, "blindness", by="figure visible_share").arrays
    lengths = arrays["lengths"]
    gap = np.abs(arrays["visible_share_measured"] * lengths - 1).max()
    return (
        "Share of score directions a label can see. Rank of the label loss's score gradients over samples "
        "at random scores, divided by the number of directions that softmax does not ignore, against the "
        f"predicted 1/L, for {len(lengths)} lengths from {lengths.min()} to {lengths.max()}; largest "
        f"relative distance from the prediction: {number(float(gap))}."
    )
