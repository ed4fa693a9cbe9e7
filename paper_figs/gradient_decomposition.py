"""Label against reconstruction in the minimal model: where in score space each gradient lies.   [C2] [C9]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from paper_figs import style
from paper_figs.heat_maps import Row, rows_of_parts
from paper_figs.numbers import percent
from paper_figs.sources import need
from sims.store import Result

NEEDS = ("blindness",)
PARTS = ("gradient", "key_bias", "doubly_centred")


def descent(results: Mapping[str, Result], loss: str) -> list[np.ndarray]:
    """Minus the gradient of the loss, its key bias part and its doubly centred part, each (query, key)."""
    arrays = need(results, "blindness", by="figure gradient_decomposition").arrays
    return [-arrays[f"{loss}_{part}"] for part in PARTS]


def doubly_centred_share(results: Mapping[str, Result], loss: str) -> float:
    """Squared norm of the doubly centred part over that of both parts."""
    _, key_bias, centred = descent(results, loss)
    return float((centred**2).sum() / ((centred**2).sum() + (key_bias**2).sum()))


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two rows (labels, reconstruction), three parts; one colour scale per row."""
    rows = [
        Row("label loss", descent(results, "label")),
        Row("reconstruction loss", descent(results, "reconstruction")),
    ]
    return rows_of_parts(rows)


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the shares of the squared norm."""
    values = need(results, "blindness", by="figure gradient_decomposition").values
    label, reconstruction = (doubly_centred_share(results, loss) for loss in ("label", "reconstruction"))
    return (
        "Score gradients of the minimal model at uniform attention. Minus the gradient of the label loss (top) "
        "and of the reconstruction loss (bottom) with respect to the attention scores, split into its key bias "
        "and its doubly centred part; one colour scale per row. The doubly centred part, where proximity "
        f"lies, holds {percent(label)} of the squared norm for labels and {percent(reconstruction)} for "
        f"reconstruction. Cyclic AR(1) tokens, {values['length']} positions."
    )
