"""Label against reconstruction in the Transformer at the adiabatic point.   [C19]"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import theory
from full_scale.stored import need
from full_scale.studies.training_states import Values
from paper_figs import style
from paper_figs.style.heat_maps import Row, rounded, rows_of_parts
from paper_figs.style.numbers import number
from sims.runs.store import Result

NEEDS = ("docs_order_probes",)
SHOWS = ("C19",)
PAGE_ORDER = 9


def descent(results: Mapping[str, Result], loss: str) -> list[np.ndarray]:
    """Minus the mean gradient without its gauge part, its key bias and its doubly centred part."""
    arrays = need(results, "docs_order_probes", by="figure adiabatic_gradients").arrays
    gradient = -jnp.asarray(arrays[f"{loss}_gradient_adiabatic"])
    _, key_bias, centred = theory.decompose(gradient)
    return [np.asarray(gradient), np.broadcast_to(key_bias, gradient.shape), np.asarray(centred)]


def rows(results: Mapping[str, Result]) -> list[Row]:
    """Labels above, reconstruction below."""
    losses = {"label": "label loss", "reconstruction": "reconstruction"}
    return [Row(title, descent(results, loss)) for loss, title in losses.items()]


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two rows (labels, reconstruction), three parts; one colour scale per row."""
    return rows_of_parts(rows(results))


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with norms and shares."""
    heads = Values.from_json(need(results, "docs_order_probes", by="figure adiabatic_gradients").values).heads
    label, reconstruction = rows(results)
    norms = [number(float(np.linalg.norm(row.maps[0]))) for row in (label, reconstruction)]
    shares = [rounded(row.shares[2]) for row in (label, reconstruction)]
    return (
        "Score gradients of the Transformer at the adiabatic point. Minus the mean gradient over held-out "
        f"sequences (mean of {heads} heads), attention frozen uniform and everything else fitted; "
        f"each row has its own colour scale. Norms: {norms[0]} for labels, "
        f"{norms[1]} for reconstruction; the doubly centred part holds "
        f"{shares[0]} and {shares[1]} of the squared norm."
    )
