"""Autoregressions of any order p, on a ring or on a line. Exact for every L > p.

x_i = sum_j phi_j x_{i-j} + e_i. On a line C solves the Yule-Walker equations; on a ring it is the same C
wrapped, sum_m C(r + m L), up to scale, because the ring samples the line's spectral density.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from sims.processes.filters import filtered_ring
from sims.processes.innovations import Innovation, require_innovation
from sims.processes.process import Process, frequencies, gaussian_line
from sims.runs.store import UserError
from theory import toeplitz


def cyclic_ar(length: int, coefficients: Sequence[float], innovation: Innovation = "gaussian") -> Process:
    """S(w) proportional to 1 / |1 - sum_j phi_j e^{-i w j}|^2 at w = 2 pi k / L; `ar1` when p = 1.

    Raises UserError when the recursion is not stationary or has as many coefficients as positions.
    """
    _require_stationary(length, coefficients)
    require_innovation(innovation)
    response = np.fft.ifft(1 / recursion(length, coefficients)).real
    return filtered_ring("cyclic_ar", jnp.asarray(response), innovation)


def open_ar(length: int, coefficients: Sequence[float]) -> Process:
    """The Gaussian process on a line, stationary from its first token.

    Raises UserError when the recursion is not stationary or has as many coefficients as positions.
    """
    _require_stationary(length, coefficients)
    autocovariance, noise = _yule_walker(length, coefficients)
    power = noise / np.abs(recursion(length, coefficients)) ** 2
    tokens = jnp.asarray(autocovariance)
    return Process("open_ar", tokens, jnp.asarray(power), gaussian_line(toeplitz(tokens)), ring=False)


def recursion(length: int, coefficients: Sequence[float]) -> np.ndarray:
    """1 - sum_j phi_j e^{-i w j} at w = 2 pi k / L."""
    lags = np.arange(1, len(coefficients) + 1)
    return 1 - np.exp(-1j * np.outer(frequencies(length), lags)) @ np.asarray(coefficients, float)


def _yule_walker(length: int, coefficients: Sequence[float]) -> tuple[Float[np.ndarray, " lag"], float]:
    """C(0..L-1) with C(0) = 1, and E e^2: C(r) = sum_j phi_j C(|r - j|) + E e^2 [r = 0]."""
    phi, order = np.asarray(coefficients, float), len(coefficients)
    equations = np.eye(order + 1)
    for lag in range(order + 1):
        for back in range(1, order + 1):
            equations[lag, abs(lag - back)] -= phi[back - 1]
    solved = np.linalg.solve(equations, np.eye(order + 1)[0])
    correlations = list(solved / solved[0])
    while len(correlations) < length:
        correlations.append(phi @ correlations[: -order - 1 : -1])
    return np.array(correlations[:length]), float(1 / solved[0])


def _require_stationary(length: int, coefficients: Sequence[float]) -> None:
    """Raise `UserError` unless 1 <= p < L and z^p - sum_j phi_j z^{p-j} has its roots inside the circle."""
    if not 0 < len(coefficients) < length:
        raise UserError(
            f"coefficients must number 1 to length - 1={length - 1}: got {len(coefficients)}; try 0.5 0.3"
        )
    largest = np.abs(np.roots([1.0, *(-np.asarray(coefficients, float))])).max(initial=0.0)
    if not largest < 1:
        shrunk = [round(float(phi) * (0.9 / largest) ** (j + 1), 3) for j, phi in enumerate(coefficients)]
        raise UserError(
            f"coefficients must be those of a stationary recursion, all roots inside the unit circle: got "
            f"{tuple(coefficients)} with a root of modulus {largest:.3g}; try {' '.join(map(str, shrunk))}"
        )
