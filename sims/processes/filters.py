"""Linear processes: white noise through a filter, on a ring or on a line. Exact for every L, any noise.

Second moments follow from the filter alone, third moments from the filter and the noise's skewness: a
filter and its mirror image agree in the first and, unless the noise is symmetric, differ in the second.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sims.processes.innovations import SKEWNESS, Innovation, white
from sims.processes.process import Process, frequencies


def filtered_ring(name: str, response: Float[Array, " lag"], innovation: Innovation = "gaussian") -> Process:
    """x_i = sum_k h_k e_{i-k} round the ring: C(r) = sum_k h_k h_{k+r}, S = |F h|^2, h scaled to norm 1."""
    gain = jnp.fft.fft(response / jnp.linalg.norm(response))
    power = jnp.abs(gain) ** 2
    half = gain[: len(response) // 2 + 1]

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        noise = jnp.fft.rfft(white(key, (number, len(response)), innovation))
        return jnp.fft.irfft(noise * half[None, :], n=len(response))

    return Process(name, jnp.fft.ifft(power).real, power, draw)


def filtered_line(
    name: str, length: int, taps: tuple[float, ...], innovation: Innovation = "gaussian"
) -> Process:
    """x_i = sum_k h_k e_{i-k}, e going on beyond both ends: C(r) = sum_k h_k h_{k+r}, 0 beyond the taps."""
    response = np.asarray(taps, float) / np.linalg.norm(taps)
    overlaps = np.correlate(response, response, "full")[len(taps) - 1 :]
    waves = np.exp(-1j * np.outer(frequencies(length), np.arange(len(taps))))
    rows = np.arange(length)
    operator = np.zeros((length, length + len(taps) - 1))
    for lag, tap in enumerate(response):
        operator[rows, rows + len(taps) - 1 - lag] = tap

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        return white(key, (number, operator.shape[1]), innovation) @ operator.T

    autocovariance = jnp.zeros(length).at[: len(taps)].set(overlaps)
    return Process(name, autocovariance, jnp.asarray(np.abs(waves @ response) ** 2), draw, ring=False)


def third_moment(response: Float[Array, " lag"], innovation: Innovation) -> Float[Array, " lag"]:
    """E[x_i^2 x_{i+r}] = skewness sum_k h_k^2 h_{k+r} of `filtered_ring`: not even in r, unlike C(r)."""
    scaled = response / jnp.linalg.norm(response)
    squared, plain = jnp.fft.fft(scaled**2), jnp.fft.fft(scaled)
    return SKEWNESS[innovation] * jnp.fft.ifft(jnp.conj(squared) * plain).real
