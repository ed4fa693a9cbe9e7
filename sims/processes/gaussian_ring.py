"""Gaussian processes on a ring from their spectrum, and the ring's AR(1). Exact for every L >= 3.

Reconstruction sees a process through its C(r) only [C8], so the population gradients of every
simulation here are known in closed form.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sims.processes.process import Draw, Process, frequencies
from sims.runs.config_validation import at_least, between
from theory import markov_autocovariance

ROUNDING = 1e-9  # relative: how far below 0 rounding may push an eigenvalue of a covariance


def ar1(length: int, correlation: float) -> Process:
    """C(r) = (rho^r + rho^(L-r)) / (1 + rho^L): a Markov field, each token tied to two neighbours.   [C12]

    Raises UserError when L < 3 or |rho| >= 1.
    """
    at_least(3, length=length)
    between(-1, 1, correlation=correlation)
    around = correlation**length
    scale = (1 - correlation**2) * (1 - around) / (1 + around)
    power = scale / (1 - 2 * correlation * np.cos(frequencies(length)) + correlation**2)
    autocovariance = markov_autocovariance(length, jnp.asarray(correlation))
    return Process("ar1", autocovariance, jnp.asarray(power), gaussian_ring(jnp.asarray(power)))


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


def gaussian_ring(power: Float[Array, " frequency"]) -> Draw:
    """`sample` of this spectrum."""
    return lambda key, number: sample(power, number, key=key)
