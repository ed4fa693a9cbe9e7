"""A head that reads one position, such as a CLS token: what labels see of the scores.   [C26]

Exact for every L and any scores. Position 0 is the one that is read; a learned token may stand there.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.label_blindness.labels import softmax_pullback
from theory.minimal_model.attention import attention_weights, mixed
from theory.minimal_model.shapes import require_length


def cls_features(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "width width"],
    feature_map: Callable[[Float[Array, "query width"]], Float[Array, "query features"]],
) -> Float[Array, " features"]:
    """z = phi(x_0 + H_0): residual stream and token-wise phi at the position that the head reads.   [C26]

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.
    """
    return feature_map(tokens + mixed(scores, tokens, value_map))[0]


def cls_score_gradient(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "width width"],
    pulled: Float[Array, " width"],
) -> Float[Array, "query key"]:
    """dl/dS_0j = A_0j (t_j - sum_k A_0k t_k), t_j = q_0^T V x_j; 0 in every other row.   [C26]

    Parameters
    ----------
    pulled
        q_0 = J_phi(x_0 + H_0)^T u with u = dl/dz, shape (d,).

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.
    """
    weights = attention_weights(scores)
    require_length(tokens, len(scores), "tokens", "scores", axes=2)
    first = (jnp.arange(len(scores)) == 0).astype(weights.dtype)
    offered = tokens @ value_map.T @ pulled
    return softmax_pullback(weights, first[:, None] * offered[None, :])
