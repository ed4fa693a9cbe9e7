"""Exponents fitted to measured sizes, for what a claim says to leading order."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def fitted_exponent(at: Float[Array, " point"], sizes: Float[Array, "point *axes"]) -> Float[Array, "*axes"]:
    """The slope of log size in log `at`, by least squares over the points."""
    places = jnp.log(at) - jnp.log(at).mean()
    return jnp.tensordot(places, jnp.log(sizes), axes=1) / (places @ places)
