"""Label against reconstruction in the minimal model: where in score space each gradient lies.   [C2] [C9]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.heat_maps import Row, rounded, rows_of_parts
from sims.experiments.blindness import Values
from sims.runs.store import Result

NEEDS = ("blindness",)
SHOWS = ("C2", "C9", "C10")
PAGE_ORDER = 2
PARTS = ("gradient", "key_bias", "doubly_centred")


def descent(results: Mapping[str, Result], loss: str) -> list[np.ndarray]:
    """Minus the gradient of the loss, its key bias part and its doubly centred part, each (query, key)."""
    arrays = need(results, "blindness", by="figure gradient_decomposition").arrays
    return [-arrays[f"{loss}_{part}"] for part in PARTS]


def rows(results: Mapping[str, Result]) -> list[Row]:
    """Labels above, reconstruction below."""
    losses = {"label": "label loss", "reconstruction": "reconstruction"}
    return [Row(title, descent(results, loss)) for loss, title in losses.items()]


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two rows (labels, reconstruction), three parts; one colour scale per row."""
    return rows_of_parts(rows(results))


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the shares of the squared norm."""
    length = Values.from_json(need(results, "blindness", by="figure gradient_decomposition").values).length
    label, reconstruction = (rounded(row.shares[2]) for row in rows(results))
    return (
        "Score gradients of the minimal model at uniform attention. Minus the gradient of the label loss "
        "(top) and of the reconstruction loss (bottom) with respect to the attention scores, split into "
        "its key bias and its doubly centred part; one colour scale per row. The doubly centred part, "
        f"where proximity lies, holds {label} of the squared norm for labels and "
        f"{reconstruction} for reconstruction. Cyclic AR(1) tokens, {length} positions."
    )
