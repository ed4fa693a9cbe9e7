"""Settings to try claims in: a length from 2 to 64 and the numbers drawn for it."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from hypothesis import strategies as st

from theory.claims.checks.programs import quick_compilation

PLANTED = 1e-6
"""Relative size of an error planted in a closed form, which a check has to find."""


class Setting(NamedTuple):
    """A length and a source of numbers; what is drawn by NumPy needs no compiling."""

    length: int
    numbers: np.random.Generator

    def normal(self, *shape: int) -> jax.Array:
        """Gaussian numbers."""
        return jax.numpy.asarray(self.numbers.normal(size=shape))

    def autocovariance(self) -> jax.Array:
        """C(r) of a random cyclically stationary process."""
        spectrum = self.numbers.uniform(0.1, 2.0, self.length)
        covariance = np.fft.ifft(spectrum + np.roll(spectrum[::-1], 1)).real
        return jax.numpy.asarray(covariance / covariance[0])

    def correlation(self) -> float:
        """A correlation of neighbours, of either sign."""
        return float(self.numbers.uniform(-0.9, 0.9))


def lengths(shortest: int = 2) -> st.SearchStrategy[Setting]:
    """Settings of every length from the shortest to 64."""
    draw = lambda length, seed: Setting(length, np.random.default_rng(seed))
    return st.builds(draw, st.integers(shortest, 64), st.integers(0, 2**32 - 1))


def compiled(function: Callable) -> Callable:
    """`function` as one program, compiled quickly rather than well."""
    return jax.jit(function, compiler_options=quick_compilation())


def planted(function: Callable) -> Callable:
    """`function` with a small relative error in its answer."""
    return lambda *args: (1 + PLANTED) * function(*args)
