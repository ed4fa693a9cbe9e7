"""Moving averages: a filter of finitely many taps, on a ring or on a line. Not Markov. Exact for every L."""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from sims.processes.filters import filtered_line, filtered_ring
from sims.processes.innovations import Innovation, require_innovation
from sims.processes.process import Process
from sims.runs.store import UserError


def moving_average(length: int, taps: Sequence[float], innovation: Innovation = "gaussian") -> Process:
    """x_i = sum_k h_k e_{i-k}: C(r) = sum_k h_k h_{k+r} / sum_k h_k^2, zero beyond the taps, round a ring.

    Raises UserError when there are more taps than positions, or only zeros.
    """
    require_taps(length, taps)
    require_innovation(innovation)
    return filtered_ring("moving_average", moving_average_response(length, taps), innovation)


def open_moving_average(length: int, taps: Sequence[float], innovation: Innovation = "gaussian") -> Process:
    """The same on a line. Raises UserError when there are more taps than positions, or only zeros."""
    require_taps(length, taps)
    require_innovation(innovation)
    return filtered_line("open_moving_average", length, tuple(taps), innovation)


def moving_average_response(length: int, taps: Sequence[float]) -> Float[Array, " lag"]:
    """h as `filtered_ring` and `third_moment` take it: the taps, then zeros."""
    return jnp.zeros(length).at[: len(taps)].set(jnp.asarray(taps, float))


def require_taps(length: int, taps: Sequence[float]) -> None:
    """Raise `UserError` unless there are 1 to L taps, not all zero."""
    if not 0 < len(taps) <= length or not any(taps):
        raise UserError(f"taps must number 1 to length={length}, not all 0: got {tuple(taps)}; try 1 0.5 1")
