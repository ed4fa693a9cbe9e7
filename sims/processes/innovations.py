"""White noise that drives a linear process: zero mean, variance 1, Gaussian or not."""

from typing import Literal, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sims.runs.store import UserError

Innovation = Literal["gaussian", "exponential", "sign"]
SKEWNESS: dict[Innovation, float] = {"gaussian": 0.0, "exponential": 2.0, "sign": 0.0}
"""E e^3."""


def require_innovation(innovation: str) -> None:
    """Raise `UserError` unless the noise is one of `Innovation`."""
    known = get_args(Innovation)
    if innovation not in known:
        raise UserError(f"innovation must be one of {', '.join(known)}: got {innovation}; try exponential")


def white(
    key: PRNGKeyArray, shape: tuple[int, ...], innovation: Innovation = "gaussian"
) -> Float[Array, "..."]:
    """Independent noise: normal, exponential minus 1 (skewness 2), or a fair sign."""
    if innovation == "exponential":
        return jax.random.exponential(key, shape) - 1
    if innovation == "sign":
        return jax.random.rademacher(key, shape, jnp.zeros(()).dtype)
    return jax.random.normal(key, shape)
