"""Label against reconstruction in the Transformer at the adiabatic point.   [C19]"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import theory
from paper_figs import style
from paper_figs.heat_maps import Row, rows_of_parts
from paper_figs.numbers import number, percent
from paper_figs.sources import need
from sims.store import Result

NEEDS = ("docs_order_probes",)


def descent(results: Mapping[str, Result], loss: str) -> list[np.ndarray]:
    """Minus the mean gradient without its gauge part, its key bias and its doubly centred part."""
    arrays = need(results, "docs_order_probes", by="figure adiabatic_gradients").arrays
    gradient = -jnp.asarray(arrays[f"{loss}_gradient_adiabatic"])
    _, key_bias, centred = theory.decompose(gradient)
    return [np.asarray(gradient), np.broadcast_to(key_bias, gradient.shape), np.asarray(centred)]


def doubly_centred_share(results: Mapping[str, Result], loss: str) -> float:
    """Squared norm of the doubly centred part over that of both parts."""
    _, key_bias, centred = descent(results, loss)
    return float((centred**2).sum() / ((centred**2).sum() + (key_bias**2).sum()))


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two rows (labels, reconstruction), three parts; one colour scale per row."""
    return rows_of_parts(
        [
            Row("label loss", descent(results, "label")),
            Row("reconstruction loss", descent(results, "reconstruction")),
        ]
    )


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with norms and shares."""
    values: Any = need(results, "docs_order_probes", by="figure adiabatic_gradients").values
    norm = {loss: float(np.linalg.norm(descent(results, loss)[0])) for loss in ("label", "reconstruction")}
    share = {loss: percent(doubly_centred_share(results, loss)) for loss in norm}
    return (
        "Score gradients of the Transformer at the adiabatic point. Minus the mean gradient over held-out sequences "
        f"(mean of {values['heads']} heads), attention frozen uniform and everything else fitted; each row has its own "
        f"colour scale. Norms: {number(norm['label'])} for labels, {number(norm['reconstruction'])} for "
        f"reconstruction; the doubly centred part holds {share['label']} and {share['reconstruction']} of the squared norm."
    )
