"""Scores that are not free: ALiBi, rotary, and content-dependent ones. Exact for every L.   [C15]"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.reconstruction.masked_loss import Scalar


def alibi_scores(length: int, slope: Scalar) -> Float[Array, "query key"]:
    """S_ij = -m |i - j|: a proximity prior that needs no learning.   [C15]"""
    positions = jnp.arange(1.0 * length)
    return -slope * jnp.abs(positions[:, None] - positions[None, :])


def alibi_window_mass(length: int, slope: Scalar, window: int) -> Float[Array, " query"]:
    """(1 + b - b^(l+1) - b^(r+1)) / (1 + b - b^(i+1) - b^(L-i)): ALiBi's attention within a window.   [C15]

    b = exp(-m), l = min(w, i) and r = min(w, L-1-i): how far the window reaches on either side of query i.

    Parameters
    ----------
    slope
        m > 0.
    window
        w, the window's half-width.

    Returns
    -------
    The attention of each query on keys with |i - j| <= w, shape (L,). Uniform attention has (l + r + 1)/L.
    """
    position = jnp.arange(1.0 * length)
    before, after = position, length - 1 - position
    decay = jnp.exp(-jnp.asarray(slope))
    mass = lambda left, right: 1 + decay - decay ** (left + 1) - decay ** (right + 1)
    return mass(jnp.minimum(window, before), jnp.minimum(window, after)) / mass(before, after)


def alibi_local_mass(slope: Scalar, window: Scalar) -> Float[Array, ""]:
    """1 - 2 b^(w+1) / (1 + b), b = exp(-m): the same far from both ends of a long sequence.   [C15]"""
    decay = jnp.exp(-jnp.asarray(slope))
    return 1 - 2 * decay ** (window + 1) / (1 + decay)


def rotary_scores(
    parameters: Float[Array, " pair"], length: int, frequency: Scalar
) -> Float[Array, "query key"]:
    """S_ij = a cos(f (j - i)) + b sin(f (j - i)): RoPE where query and key do not depend on content.   [C15]

    a = q . k and b = q_2 k_1 - q_1 k_2 for the pair (q, k) at frequency f, turned by its positions. Where
    f is a whole number of turns over L the scores are circulant, which no mean-pooled label feels (C3).
    """
    positions = jnp.arange(1.0 * length)
    angles = frequency * (positions[None, :] - positions[:, None])
    return parameters[0] * jnp.cos(angles) + parameters[1] * jnp.sin(angles)


def content_scores(
    interaction: Float[Array, "width width"], tokens: Float[Array, "key width"]
) -> Float[Array, "query key"]:
    """S_ij = x_i^T W x_j.   [C15]"""
    return tokens @ interaction @ tokens.T


def content_score_gradient(
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    head_gradient: Float[Array, " features"],
) -> Float[Array, "width width"]:
    """dl/dW = xbar (u^T V Cov), Cov = (1/L) sum_j (x_j - xbar)(x_j - xbar)^T, at W = 0, one sequence.   [C15]

    Rank one, along the mean token on the side of the query: exactly 0 where tokens are centred over the
    sequence. For independent Gaussian tokens of mean mu and covariance Sigma the mean over sequences at
    a given u is (1 - 1/L) mu u^T V Sigma.
    """
    centre = tokens.mean(axis=0)
    spread = (tokens - centre[None, :]).T @ (tokens - centre[None, :]) / len(tokens)
    return jnp.outer(centre, head_gradient @ value_map @ spread)
