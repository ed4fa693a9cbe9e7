"""The minimal model, written once: free scores, one attention layer, mean pool.

Exact for every L. Every closed form, symbolic twin and simulation of this project is checked
against these functions. Rows of a score matrix are queries, columns are keys.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from theory.minimal_model.shapes import require_length, require_square


def attention_weights(scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
    r"""A_ij = exp(S_ij) / sum_k exp(S_ik): each query's distribution over keys.   [C1]

    Parameters
    ----------
    scores
        S, shape (L, L), dimensionless.

    Raises
    ------
    ValueError
        If `scores` is not a square floating-point matrix with L >= 2.

    Examples
    --------
    >>> import jax.numpy as jnp, theory
    >>> theory.attention_weights(jnp.zeros((2, 2))).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    require_square(scores, "scores")
    return jax.nn.softmax(scores, axis=-1)


def received(weights: Float[Array, "query key"]) -> Float[Array, " key"]:
    """c_j = (1/L) sum_i A_ij: the mean attention that key j receives. Sums to 1.   [C1]

    Raises
    ------
    ValueError
        If `weights` is not a square floating-point matrix with L >= 2.

    Examples
    --------
    Both queries look at key 0:

    >>> import jax.numpy as jnp, theory
    >>> theory.received(jnp.array([[1.0, 0.0], [1.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    require_square(weights, "weights")
    return weights.mean(axis=0)


def mixed(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
) -> Float[Array, "query features"]:
    """H_i = sum_j A_ij V x_j: what attention writes at position i.   [C1]

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.
    """
    weights = attention_weights(scores)
    require_length(tokens, len(scores), "tokens", "scores", axes=2)
    return weights @ tokens @ value_map.T


def pooled(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
) -> Float[Array, " features"]:
    """z = (1/L) sum_i H_i = V X^T c(S): what the head reads.   [C1]

    Written as the mean over positions; that it depends on S only through c(S) is the claim.

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.

    Examples
    --------
    At uniform attention the head reads the mean token:

    >>> import jax.numpy as jnp, theory
    >>> theory.pooled(jnp.zeros((2, 2)), jnp.array([[1.0], [3.0]]), jnp.eye(1)).tolist()
    [2.0]
    """
    return mixed(scores, tokens, value_map).mean(axis=0)


def pooled_features(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "width width"],
    feature_map: Callable[[Float[Array, "query width"]], Float[Array, "query features"]],
) -> Float[Array, " features"]:
    """z = (1/L) sum_i phi(x_i + H_i): residual stream and token-wise phi, then the pool.   [C19]

    `feature_map` is phi, applied to all positions at once; it must treat each row by itself.

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.
    """
    return feature_map(tokens + mixed(scores, tokens, value_map)).mean(axis=0)


def cross_entropy(logits: Float[Array, " classes"], label: Int[Array, ""]) -> Float[Array, ""]:
    """l = -log softmax(logits)_label, in nats; NaN for a traced label that is no class.

    Raises
    ------
    ValueError
        If a label that is known is no class.
    """
    if not isinstance(label, jax.core.Tracer) and not 0 <= int(label) < len(logits):
        raise ValueError(
            f"label must be one of the {len(logits)} classes 0..{len(logits) - 1}: got {int(label)}; "
            f"pass a head with a row for every class"
        )
    return -jax.nn.log_softmax(logits).at[label].get(mode="fill", fill_value=jnp.nan)


def label_loss(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    head: Float[Array, "classes features"],
    label: Int[Array, ""],
) -> Float[Array, ""]:
    """l = cross-entropy of the logits W z with the label, in nats.   [C1, C2, C3, C4]

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.
    """
    return cross_entropy(head @ pooled(scores, tokens, value_map), label)
