"""Absolute positions as scores: S = P W_Q W_K^T P^T / sqrt(k), and what each loss says to the maps.

Exact for every L, except `centred_label_gradients`: leading order in the size of the maps.   [C13, C14]
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel, require_length, require_square
from theory.reconstruction.masked_loss import Scalar

SINUSOIDAL_BASE = 10_000.0  # Vaswani et al. 2017, arXiv 1706.03762; used by Amos et al. 2024


class PositionMaps(NamedTuple):
    """W_Q and W_K, or a gradient in each: shapes (width, features), k = features.   [C13]"""

    query: Float[Array, "width features"]
    key: Float[Array, "width features"]


def ring_positions(length: int, frequencies: Sequence[int]) -> Float[Array, "length width"]:
    """P[i] = (cos w_f i, sin w_f i) for each f, w_f = 2 pi f / L: sinusoids over full periods.   [C13]

    P^T 1 = 0 and P^T P = (L/2) I; p_i . p_j depends on j - i alone, cyclically.

    Parameters
    ----------
    length
        L >= 3.
    frequencies
        Distinct whole numbers of periods, each in 1..(L-1)/2; the width is twice their number.

    Raises
    ------
    ValueError
        If a frequency repeats, is no whole number or lies outside 1..(L-1)/2.
    """
    highest, chosen = (length - 1) // 2, list(frequencies)
    inside = all(1 <= each <= highest and each == int(each) for each in chosen)
    if not chosen or len(set(chosen)) < len(chosen) or not inside:
        raise ValueError(
            f"frequencies must be distinct whole numbers from 1 to (length - 1) // 2 = {highest}: "
            f"got {chosen}; at length={length} a constant and the alternating row have no sine"
        )
    angles = ring_angles(length, chosen).T
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return jnp.asarray(waves.reshape(length, 2 * len(chosen)), float)


def sinusoidal_positions(length: int, width: int) -> Float[Array, "length width"]:
    """P[i, 2m] = sin(i / b^(2m/width)), P[i, 2m+1] = cos of the same, b = 10,000.   [C13, C14]

    p_i . p_j depends on i - j alone, `sinusoidal_kernel`; not over full periods, so not centred.

    Raises
    ------
    ValueError
        If `width` is odd.
    """
    angles = np.outer(np.arange(length), sinusoidal_frequencies(width))
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return jnp.asarray(waves.reshape(length, width), float)


def sinusoidal_frequencies(width: int) -> np.ndarray:
    """b^(-2m/width) for m = 0..width/2 - 1."""
    if width % 2:
        raise ValueError(f"sinusoidal positions need an even width: got width={width}; try width={width + 1}")
    return SINUSOIDAL_BASE ** (-np.arange(0, width, 2) / width)


def ring_angles(length: int, frequencies: Sequence[int]) -> np.ndarray:
    """w_f r = 2 pi f r / L for each frequency and lag, reduced to one turn first.

    Raises
    ------
    ValueError
        If a frequency is no whole number of periods.
    """
    if any(each != int(each) for each in frequencies):
        raise ValueError(
            f"frequencies must be whole numbers of periods on a ring: got {list(frequencies)}; round them"
        )
    return 2 * math.pi / length * (np.outer(frequencies, np.arange(length)) % length)


def position_scores(
    positions: Float[Array, "length width"],
    query_map: Float[Array, "width features"],
    key_map: Float[Array, "width features"],
) -> Float[Array, "length length"]:
    """S = P W_Q W_K^T P^T / sqrt(k), k the number of features.   [C13]"""
    return (positions @ query_map) @ (positions @ key_map).T / query_map.shape[1] ** 0.5


def position_gradients(
    score_gradient: Float[Array, "length length"],
    positions: Float[Array, "length width"],
    query_map: Float[Array, "width features"],
    key_map: Float[Array, "width features"],
) -> PositionMaps:
    """dl/dW_Q = P^T G P W_K / sqrt(k) and dl/dW_K = P^T G^T P W_Q / sqrt(k), G = dl/dS.   [C13]

    For labels at uniform attention P^T G P = (1/L^2) (P^T 1) (P^T (s - mean s))^T: 0 for every sample
    when P^T 1 = 0, and then only.

    Raises
    ------
    ValueError
        If `score_gradient` is not square or `positions` has another number of positions.
    """
    require_square(score_gradient, "score_gradient")
    require_length(positions, len(score_gradient), "positions", "score_gradient", axes=2)
    block = positions.T @ score_gradient @ positions / query_map.shape[1] ** 0.5
    return PositionMaps(block @ key_map, block.T @ query_map)


def centred_label_gradients(
    per_key: Float[Array, " length"],
    positions: Float[Array, "length width"],
    query_map: Float[Array, "width features"],
    key_map: Float[Array, "width features"],
) -> PositionMaps:
    """What labels say to small maps of centred encodings: third order in their size.   [C13]

    dl/dW_Q = (1/(k L^2)) (P^T P) W_Q W_K^T N W_K and dl/dW_K = (1/(k L^2)) N W_K W_Q^T (P^T P) W_Q,
    N = P^T diag(s - mean s) P. The relative error is of second order in the size of the maps.

    Parameters
    ----------
    per_key
        s_j = u^T V x_j with u = dl/dz at uniform attention, shape (L,).
    positions
        P with P^T 1 = 0, shape (L, width).

    Raises
    ------
    ValueError
        If `per_key` has another number of positions than `positions`.
    """
    require_length(per_key, len(positions), "per_key", "positions", axes=1)
    gram = positions.T @ positions
    contrast = positions.T @ ((per_key - per_key.mean())[:, None] * positions)
    scale = query_map.shape[1] * len(positions) ** 2
    by_query = gram @ query_map @ (key_map.T @ contrast @ key_map) / scale
    by_key = contrast @ key_map @ (query_map.T @ gram @ query_map) / scale
    return PositionMaps(by_query, by_key)


def spectrum(autocovariance: Float[Array, " lag"], frequencies: Sequence[int]) -> Float[Array, " frequency"]:
    """lambda_f = sum_r C(r) cos(2 pi f r / L): the data's power at each frequency, C even.   [C13]

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags, or a frequency no whole number.
    """
    require_kernel(autocovariance, "autocovariance")
    waves = np.cos(ring_angles(len(autocovariance), frequencies))
    return jnp.asarray(waves, autocovariance.dtype) @ autocovariance


def frequency_pull(
    value: Scalar, autocovariance: Float[Array, " lag"], frequencies: Sequence[int]
) -> Float[Array, " frequency"]:
    """m_f = (1/(2L)) [v (1 + v/L)(lambda_f - C(0)) + v^2 lambda_0 / L], for 0 < f < L/2.   [C13]

    With P = `ring_positions` and W = W_Q W_K^T, minus the reconstruction gradient in W at uniform
    attention is block-diagonal, with the 2 x 2 block (m_f / sqrt(k)) I at frequency f: frequencies
    with more than their share of power grow, the others are driven negative.

    Parameters
    ----------
    value
        v, the scalar value-output weight.
    autocovariance
        C(r), shape (L,), cyclic and even in r.
    frequencies
        Whole numbers of periods, strictly between 0 and L/2.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    length = len(autocovariance)
    excess = spectrum(autocovariance, frequencies) - autocovariance[0]
    along = value * (1 + value / length) * excess
    return (along + value**2 * autocovariance.sum() / length) / (2 * length)
