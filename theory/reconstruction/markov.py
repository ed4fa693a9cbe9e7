"""The cyclic AR(1) process and its best masked predictor. Exact for every L >= 3.

The circulant Gaussian Markov field with precision proportional to (1 + rho^2) I - rho (shift +
shift^T): each token depends on its two neighbours only, on a ring.   [C12]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_correlation
from theory.reconstruction.masked_loss import Scalar

SHORTEST_RING = 3


def markov_autocovariance(length: int, correlation: Scalar) -> Float[Array, " lag"]:
    """C(r) = (rho^r + rho^(L-r)) / (1 + rho^L), variance 1.   [C12]

    Parameters
    ----------
    length
        L >= 3: with two positions the two neighbours coincide.
    correlation
        rho in (-1, 1), the correlation of neighbours on an infinite line.

    Raises
    ------
    ValueError
        If `length` is below 3, or |rho| >= 1.

    Examples
    --------
    >>> import theory
    >>> [round(float(entry), 4) for entry in theory.markov_autocovariance(4, 0.5)]
    [1.0, 0.5882, 0.4706, 0.5882]
    """
    if length < SHORTEST_RING:
        raise ValueError(
            f"a ring needs at least {SHORTEST_RING} positions for two distinct neighbours: "
            f"got length={length}; use {SHORTEST_RING} or more"
        )
    require_correlation(correlation)
    repeated = jnp.broadcast_to(jnp.asarray(correlation), (length,))
    powers = jnp.concatenate([jnp.ones_like(repeated[:1]), jnp.cumprod(repeated)])
    return (powers[:-1] + powers[::-1][:-1]) / (1 + powers[-1])


def nearest_neighbour_value(correlation: Scalar) -> Scalar:
    """v* = 2 rho / (1 + rho^2), for half of the attention on each neighbour; |rho| <= 1.   [C12]"""
    require_correlation(correlation, limits=True)
    return 2 * correlation / (1 + correlation**2)


def nearest_neighbour_loss(length: int, correlation: Scalar) -> Scalar:
    """l* = 1/2 (1 - rho^2)(1 - rho^L) / ((1 + rho^2)(1 + rho^L)), at variance 1.   [C12]

    Half the conditional variance of a token given all others: no linear predictor does better. |rho| <= 1.
    """
    require_correlation(correlation, limits=True)
    return (
        0.5
        * (1 - correlation**2)
        * (1 - correlation**length)
        / ((1 + correlation**2) * (1 + correlation**length))
    )
