"""Causal attention: next-token prediction beside label supervision. Scalar tokens, exact for every L.

Query i sees keys 0..i; from them, and from its own token through a skip w, it predicts x_{i+1} as
w x_i + v sum_k A_ik x_k. Lags count from the target: key j has lag r = i + 1 - j >= 1. Scores above
the diagonal do not exist: every function ignores them, every gradient is 0 there.   [C18]
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.label_blindness.labels import softmax_pullback
from theory.minimal_model.shapes import require_kernel, require_square
from theory.reconstruction.masked_loss import Scalar


def causal_weights(scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
    """A_ij = exp(S_ij) / sum_{k <= i} exp(S_ik) for j <= i, and 0 beyond.   [C18]

    Raises
    ------
    ValueError
        If `scores` is not a square floating-point matrix with L >= 2.
    """
    require_square(scores, "scores")
    mask = jnp.tril(jnp.ones_like(scores)) > 0
    return jax.nn.softmax(jnp.where(mask, scores, -jnp.inf), axis=-1)


def next_token_loss(
    scores: Float[Array, "query key"],
    value: Scalar,
    covariance: Float[Array, "query key"],
    skip: Scalar = 0.0,
) -> Float[Array, ""]:
    """l = (1/2) mean_{i < L-1} E (x_{i+1} - w x_i - v sum_k A_ik x_k)^2.   [C18]

    Parameters
    ----------
    scores
        S, shape (L, L), of which the lower triangle counts.
    value, skip
        v, the value-output weight, and w, the weight of the residual stream.
    covariance
        C_ij = E x_i x_j, shape (L, L), symmetric.

    Raises
    ------
    ValueError
        If `scores` or `covariance` is not a square floating-point matrix with L >= 2.
    """
    require_square(covariance, "covariance")
    errors = prediction_error(causal_weights(scores), value, skip)
    return 0.5 * jnp.sum(errors * (errors @ covariance)) / (len(scores) - 1)


def prediction_error(
    weights: Float[Array, "query key"], value: Scalar, skip: Scalar
) -> Float[Array, "target key"]:
    """The L - 1 rows e_i with x_{i+1} - prediction = sum_j e_ij x_j."""
    identity = jnp.eye(len(weights), dtype=weights.dtype)
    return identity[1:] - skip * identity[:-1] - value * weights[:-1]


def next_token_score_gradient(
    scores: Float[Array, "query key"],
    value: Scalar,
    covariance: Float[Array, "query key"],
    skip: Scalar = 0.0,
) -> Float[Array, "query key"]:
    """dl/dS_ij = (A_ij / (L-1)) (R_ij - sum_k A_ik R_ik), R_ij = -v Cov(residual_i, x_j).   [C18]

    The last query predicts nothing: its row is exactly 0.

    Raises
    ------
    ValueError
        If `scores` or `covariance` is not a square floating-point matrix with L >= 2.
    """
    require_square(covariance, "covariance")
    weights = causal_weights(scores)
    response = -value * prediction_error(weights, value, skip) @ covariance
    gradient = softmax_pullback(weights[:-1], response) / (len(scores) - 1)
    return jnp.concatenate([gradient, jnp.zeros_like(scores[:1])])


def next_token_residual(
    value: Scalar, autocovariance: Float[Array, " lag"], skip: Scalar = 0.0
) -> Float[Array, "query key"]:
    """Cov(residual_i, x_j) = C(r) - w C(r-1) - (v/m) sum_{s=1}^m C(s - r), m = i+1, r = m - j.   [C18]

    At uniform causal attention, for the keys j < m that query i sees; 0 beyond and in the last row.
    """
    require_kernel(autocovariance, "autocovariance")
    length = len(autocovariance)
    mask, sizes = visible_keys(length, autocovariance.dtype)
    lags = jnp.abs(jnp.arange(length)[:, None] - jnp.arange(length)[None, :])
    among = jnp.cumsum(autocovariance[lags], axis=0) / sizes[:, None]
    residual = jnp.roll(autocovariance, -1)[lags] - skip * autocovariance[lags] - value * among
    return (mask * residual).at[-1].set(0.0)


def visible_keys(length: int, dtype: jnp.dtype) -> tuple[Float[Array, "query key"], Float[Array, " query"]]:
    """1 where j <= i, and how many those are, m = i + 1."""
    mask = jnp.tril(jnp.ones((length, length), dtype))
    return mask, mask.sum(axis=1)


def next_token_law(
    value: Scalar, autocovariance: Float[Array, " lag"], skip: Scalar = 0.0
) -> Float[Array, "query key"]:
    """-dl/dS_ij = (v / ((L-1) m)) (D_m(r) - mean_r D_m(r)), D_m(r) = `next_token_residual`.   [C18]

    At uniform causal attention, stationary on the line of L positions; m = i + 1, r = m - j.

    Parameters
    ----------
    autocovariance
        C(r) for r = 0..L-1, shape (L,): on a line, not a ring.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    residual = next_token_residual(value, autocovariance, skip)
    length = len(autocovariance)
    mask, sizes = visible_keys(length, residual.dtype)
    centred = mask * (residual - residual.sum(axis=1, keepdims=True) / sizes[:, None])
    return value * centred / ((length - 1) * sizes[:, None])


def next_token_lag_law(
    value: Scalar, autocovariance: Float[Array, " lag"], skip: Scalar = 0.0
) -> Float[Array, " lag"]:
    """sum_i -dl/dS_{i, i+1-r}, r = 0..L-1: the pull on a kernel of lags, 0 at lag 0.   [C18]

    (1/(L-1)) sum_{m=r}^{L-1} (v/m) (D_m(r) - mean D_m). To leading order in v at w = 0 it is
    (v/(L-1)) [(H_{L-1} - H_{r-1}) C(r) - sum_{m=r}^{L-1} (1/m^2) sum_{s=1}^m C(s)], H_n the harmonic
    numbers: near lags weigh log(L/r)/L, as early queries have few keys; in masking all weigh 1/L.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    law = next_token_law(value, autocovariance, skip)
    queries, lags = jnp.arange(len(law))[:, None], jnp.arange(len(law))[None, :]
    keys = queries + 1 - lags
    outside = (keys < 0) | (keys >= len(law))
    return jnp.where(outside, 0.0, law[queries, jnp.where(outside, 0, keys)]).sum(axis=0)


def fitted_readout(autocovariance: Float[Array, " lag"]) -> Float[Array, " readout"]:
    """(w*, v*) = argmin of `next_token_loss` over skip and value, at uniform causal attention.   [C18]

    (rho, 0) for AR(1), C(r) = rho^r: the last token tells all, attention is left nothing to do. L >= 3,
    or the two readouts coincide.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    length = len(autocovariance)
    mask, sizes = visible_keys(length, autocovariance.dtype)
    lags = jnp.arange(length)
    covariance = autocovariance[jnp.abs(lags[:, None] - lags[None, :])]
    readers = jnp.stack([jnp.eye(length, dtype=mask.dtype), mask / sizes[:, None]])[:, :-1]
    read = readers @ covariance
    targets = jnp.stack([jnp.trace(each[:, 1:]) for each in read])
    return jnp.linalg.solve(jnp.einsum("aik,bik->ab", read, readers), targets)
