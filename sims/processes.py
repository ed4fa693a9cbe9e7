"""Cyclically stationary Gaussian processes with known autocovariance, variance 1, zero mean.

Exact for every L >= 3: samples have the stated covariance, wrapped around the ring, not only
approximately or far from an edge. Reconstruction sees a process through its C(r) only [C8], so
the population gradients of every simulation here are known in closed form.
"""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sims.limits import at_least, between
from sims.store import UserError
from theory import markov_autocovariance

ROUNDING = 1e-9  # relative: how far below 0 rounding may push an eigenvalue of a covariance


@dataclasses.dataclass(frozen=True)
class Process:
    """A process on a ring: `name` labels its stored arrays, `autocovariance` is C(r), r = 0..L-1."""

    name: str
    autocovariance: Float[Array, " lag"]


def ar1(length: int, correlation: float) -> Process:
    """C(r) = (rho^r + rho^(L-r)) / (1 + rho^L): a Markov field, each token tied to two neighbours.   [C12]

    Raises UserError when L < 3 or |rho| >= 1.
    """
    at_least(3, length=length)
    between(-1, 1, correlation=correlation)
    return Process("ar1", markov_autocovariance(length, jnp.asarray(correlation)))


def moving_average(length: int, taps: Sequence[float]) -> Process:
    """x_i = sum_k h_k e_{i-k}: C(r) = sum_k h_k h_{k+r} / sum_k h_k^2, zero beyond the taps. Not Markov.

    Raises UserError when there are more taps than positions, or only zeros.
    """
    require_taps(length, taps)
    response = jnp.zeros(length).at[: len(taps)].set(jnp.asarray(taps))
    power = jnp.abs(jnp.fft.fft(response)) ** 2
    autocovariance = jnp.fft.ifft(power).real
    return Process("moving_average", autocovariance / autocovariance[0])


def require_taps(length: int, taps: Sequence[float]) -> None:
    """Raise `UserError` unless there are 1 to L taps, not all zero."""
    if not 0 < len(taps) <= length or not any(taps):
        raise UserError(f"taps must number 1 to length={length}, not all 0: got {tuple(taps)}; try 1 0.5 1")


def spectrum(autocovariance: Float[Array, " lag"]) -> Float[Array, " frequency"]:
    """The eigenvalues of the circulant covariance: the discrete Fourier transform of C(r).

    Raises ValueError when C is not a covariance (uneven, or an eigenvalue below 0); not inside jit.
    """
    transform = jnp.fft.fft(autocovariance)
    scale = jnp.abs(transform).max() * ROUNDING
    if jnp.abs(transform.imag).max() > scale or transform.real.min() < -scale:
        raise ValueError("autocovariance must be even with no negative eigenvalue; take it from a Process")
    return jnp.maximum(transform.real, 0)


def sample(
    power: Float[Array, " frequency"], count: int, *, key: PRNGKeyArray
) -> Float[Array, "batch length"]:
    """x = F^-1 sqrt(spectrum) F e with e white: `count` independent sequences of covariance circulant(C)."""
    length = len(power)
    white = jnp.fft.rfft(jax.random.normal(key, (count, length), power.dtype))
    gain = jnp.sqrt(power[: white.shape[1]]).astype(white.dtype)
    return jnp.fft.irfft(white * gain[None, :], n=length)


def permute_positions(
    tokens: Float[Array, "batch length"], *, key: PRNGKeyArray
) -> Float[Array, "batch length"]:
    """Each sequence's tokens in a random order of their own: the same bag without its order."""
    return jax.random.permutation(key, tokens, axis=1, independent=True)


def order_task(
    power: Float[Array, " frequency"], count: int, *, key: PRNGKeyArray
) -> tuple[Float[Array, "batch length"], Int[Array, " batch"]]:
    """Label 0: a sequence of the process; label 1: another one with its positions permuted. Balanced coin."""
    tokens_key, label_key, order_key = jax.random.split(key, 3)
    tokens = sample(power, count, key=tokens_key)
    labels = jax.random.bernoulli(label_key, 0.5, (count,)).astype(jnp.int32)
    shuffled = permute_positions(tokens, key=order_key)
    return jnp.where(labels[:, None] == 1, shuffled, tokens), labels
