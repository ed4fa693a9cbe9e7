"""Slopes and exponents fitted to measured sizes, for what a claim says to leading order."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def fitted_slope(
    at: Float[Array | np.ndarray, " point"],
    values: Float[Array | np.ndarray, "point *axes"],
    weights: Float[np.ndarray, " point"] | None = None,
) -> Float[Array | np.ndarray, "*axes"]:
    """sum_p w_p (t_p - mean t) y_p / sum_p w_p (t_p - mean t)^2: the slope of y in t, by least squares.

    Every point weighs 1 unless told; of numpy or jax arrays; every fit of the simulations is this one."""
    weights = np.ones(at.shape, at.dtype) if weights is None else weights
    centred = at - weights @ at / weights.sum()
    factors = weights * centred
    flat = values.reshape(len(values), -1)
    return (factors @ flat / (factors @ centred)).reshape(values.shape[1:])


def fitted_exponent(at: Float[Array, " point"], sizes: Float[Array, "point *axes"]) -> Float[Array, "*axes"]:
    """The slope of log size in log `at`, by least squares over the points."""
    return jnp.asarray(fitted_slope(jnp.log(at), jnp.log(sizes)))
