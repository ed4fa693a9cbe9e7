"""The size of a space of gradients, read off its Gram matrix. Exact up to rounding of the squares.

A Gram matrix squares singular values: in float64 what is smaller than about 1e-8 of the largest is
lost, in float32 than about 3e-4. Ranks need float64.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Spectrum(NamedTuple):
    """Eigenvalues of (1/n) sum_n G_n G_n^T per layer and head, and three counts of its directions."""

    eigenvalues: Float[np.ndarray, "*maps sample"]
    """Descending, in squared units of the gradient."""
    rank: Int[np.ndarray, "*maps"]
    """How many exceed n eps times the largest."""
    effective_rank: Float[np.ndarray, "*maps"]
    """exp of the entropy of the eigenvalues' shares (Roy and Vetterli 2007)."""
    participation: Float[np.ndarray, "*maps"]
    """(sum of eigenvalues)^2 / sum of their squares."""


def spectrum(gram: Float[np.ndarray, "*maps sample sample"]) -> Spectrum:
    """The spectrum of the space that gradients span, from their inner products.   [C1]

    Parameters
    ----------
    gram
        K_nm = <G_n, G_m>, shape (..., n, n).

    Returns
    -------
    A rank that equals n says nothing about the space: more samples could have added directions. A rank
    below n is that of the space, if the samples are typical; rank <= L - 1 by itself does not single out
    any S, since it holds at every S for a mean-pooled label loss.   [C1]
    """
    count = gram.shape[-1]
    values = np.clip(np.linalg.eigvalsh(gram)[..., ::-1], 0, None) / count
    floor = count * np.finfo(gram.dtype).eps * values[..., :1]
    total = values.sum(axis=-1, keepdims=True)
    shares = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    squares = (shares**2).sum(axis=-1)
    return Spectrum(
        values,
        ((values > floor) & (values > 0)).sum(axis=-1),
        np.where(squares > 0, np.exp(-(shares * logs).sum(axis=-1)), 0.0),
        np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0),
    )


def span(
    gram: Float[np.ndarray, "sample sample"],
) -> tuple[Float[np.ndarray, "sample direction"], Float[np.ndarray, " direction"]]:
    """Coefficients of an orthonormal basis of the gradients' span, and the singular values.

    Column j holds c with sum_n c_n G_n of unit length; only directions above the rank's floor.
    """
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    nonzero = values > max(len(gram) * np.finfo(gram.dtype).eps * values[0], 0.0)
    singular = np.sqrt(values[nonzero])
    return vectors[:, nonzero] / singular, singular
