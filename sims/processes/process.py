"""What every process is: a law of scalar sequences with zero mean, variance 1 and known second moments.

Exact for every L: samples have the stated covariance itself, on a ring or on a line, with no burn-in.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from theory import circulant, toeplitz

Draw = Callable[[PRNGKeyArray, int], Float[Array, "number length"]]


@dataclasses.dataclass(frozen=True)
class Process:
    """A stationary process of L tokens; `name` labels its stored arrays."""

    name: str
    autocovariance: Float[Array, " lag"]
    """C(r) = E x_i x_{i+r}, r = 0..L-1; C(0) = 1."""
    power: Float[Array, " frequency"]
    """S(w) = sum_r C(r) e^{-i w r} at w = 2 pi k / L, k = 0..L-1: r over the ring, or over all integers."""
    draw: Draw = dataclasses.field(repr=False)
    ring: bool = True
    """Whether position L-1 is the neighbour of position 0."""

    @property
    def length(self) -> int:
        """L, tokens per sequence."""
        return len(self.autocovariance)

    @property
    def covariance(self) -> Float[Array, "query key"]:
        """C_ij = C(j - i), on a line C(|j - i|)."""
        return circulant(self.autocovariance) if self.ring else toeplitz(self.autocovariance)

    def sample(self, key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        """`number` independent sequences: a pure function of the key; `number` is static under jit."""
        return self.draw(key, number)


def frequencies(length: int) -> Float[np.ndarray, " frequency"]:
    """w_k = 2 pi k / L, k = 0..L-1, in radians per position."""
    return 2 * np.pi * np.arange(length) / length


def gaussian_line(covariance: Float[Array, "query key"]) -> Draw:
    """x = R e with R R^T the covariance, e white."""
    root = jnp.linalg.cholesky(covariance)

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        return jax.random.normal(key, (number, len(root)), root.dtype) @ root.T

    return draw
