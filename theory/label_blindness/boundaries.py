"""Boundaries: what of a score direction that depends on |i - j| alone the labels can see. Exact for every L.

On a line the ends have fewer neighbours than the middle, so that a Toeplitz direction, unlike a circulant
one [C3], has a key-bias part: its boundary columns.   [C17]
"""

from fractions import Fraction

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from theory.minimal_model.shapes import SHORTEST, require_kernel


def toeplitz(kernel: Float[Array, " lag"]) -> Float[Array, "query key"]:
    """D_ij = g(|i - j|): the same profile around every query, cut off at the ends.   [C17]

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(kernel, "kernel")
    positions = jnp.arange(len(kernel))
    return kernel[jnp.abs(positions[:, None] - positions[None, :])]


Width = Int[Array, ""] | int


def missing_neighbours(length: int, half_width: Width) -> Int[Array, " key"]:
    """d_j = max(w - j, 0) + max(w - (L - 1 - j), 0): how many of 2w + 1 neighbours lie outside.   [C17]"""
    positions = jnp.arange(length)
    before, after = half_width - positions, half_width - positions[::-1]
    return jnp.maximum(before, 0) + jnp.maximum(after, 0)


def band_label_slope(per_key: Float[Array, " key"], half_width: Width) -> Float[Array, ""]:
    """<dl/dS, D> = -(1/L^2) sum_j (d_j - mean d) s_j: the label loss along the band |i - j| <= w.   [C17]

    At uniform attention, with s_j = u^T V x_j and d the `missing_neighbours`: labels feel the band only
    as a bias against the w keys at each end.
    """
    missing = missing_neighbours(len(per_key), half_width).astype(per_key.dtype)
    return -jnp.vdot(missing - missing.mean(), per_key) / len(per_key) ** 2


def band_visible_share(length: int, half_width: int) -> Fraction:
    """|key bias|^2 / |D without its gauge|^2 of the band D_ij = 1[|i - j| <= w], a rational number.   [C17]

    (Q - M^2/L) / (L (L n - M) - (L n^2 - 2 n M + Q)), with n = 2w + 1 neighbours, M = w(w + 1) of them
    missing in all, Q = (n M + q (q^2 - 1))/3 the sum of their squares, and q = max(n - L, 0). The visible
    share of one direction, exact: `key_bias_share` of the band; `toeplitz_visible_share` is any kernel's.
    To leading order w(w + 1)/(3 L^2).

    Parameters
    ----------
    length
        L >= 2.
    half_width
        w in 0..L-2; at w = L-1 the band is everywhere, a pure gauge direction without a share.

    Raises
    ------
    ValueError
        If `length` is below 2 or `half_width` outside 0..L-2.
    """
    if length < SHORTEST or not 0 <= half_width <= length - 2:
        raise ValueError(
            f"a band needs length >= {SHORTEST} and a half-width from 0 to length - 2: got length={length}, "
            f"half_width={half_width}; a band as wide as the sequence is a gauge direction"
        )
    neighbours, missing = 2 * half_width + 1, half_width * (half_width + 1)
    overlap = max(neighbours - length, 0)
    squares = Fraction(neighbours * missing + overlap * (overlap**2 - 1), 3)
    gauge = length * neighbours**2 - 2 * neighbours * missing + squares
    return (squares - Fraction(missing**2, length)) / (length * (length * neighbours - missing) - gauge)


def toeplitz_visible_share(kernel: Float[Array, " lag"]) -> Float[Array, ""]:
    """The same share for any D_ij = g(|i - j|), in O(L): `key_bias_share(toeplitz(g))`.   [C17]

    sum_j (n_j - mean n)^2 / (L |D|^2 - sum_j n_j^2), n_j = sum_i D_ij = G_j + G_{L-1-j} - g_0, with G the
    running sums of g.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(kernel, "kernel")
    length, running = len(kernel), jnp.cumsum(kernel)
    columns = running + running[::-1] - kernel[0]
    pairs = jnp.arange(length, 0, -1, dtype=kernel.dtype)
    squared_norm = 2 * pairs @ kernel**2 - length * kernel[0] ** 2
    visible = jnp.sum((columns - columns.mean()) ** 2)
    return visible / (length * squared_norm - jnp.sum(columns**2))


def leading_visible_share(kernel: Float[Array, " lag"]) -> Float[Array, ""]:
    """2 sum_{m>0} (sum_{r>=m} g_r)^2 / (L^2 (2 sum_r g_r^2 - g_0^2)): leading order in 1/L.   [C17]

    Of `toeplitz_visible_share`, the visible share of one direction.

    For kernels that are summable with their tails; w(w + 1)/(3 L^2) for a band.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(kernel, "kernel")
    tails = jnp.cumsum(kernel[::-1])[::-1]
    squared_norm = 2 * jnp.sum(kernel**2) - kernel[0] ** 2
    return 2 * jnp.sum(tails[1:] ** 2) / (len(kernel) ** 2 * squared_norm)
