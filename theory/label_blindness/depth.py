"""Many heads and linear residual layers behind a mean pool: what of the first layer's scores a label can see.

Exact for every L, any finite scores, per sample. Layer m maps X to X + A_m X V_m^T; the pooled vector is the
mean of the last layer. Scores are parameters, not functions of the tokens.   [C23]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Shaped

from theory.label_blindness.labels import softmax_pullback
from theory.minimal_model.attention import attention_weights, mixed, pooled
from theory.minimal_model.shapes import require_length

Count = int | Int[Array, ""]


def require_layers(scores: Shaped[Array, "..."], value_maps: Shaped[Array, "..."]) -> None:
    """Raise `ValueError` unless there is one value map for each score matrix."""
    if len(scores) != len(value_maps):
        raise ValueError(
            f"value_maps must have as many layers as scores: got {len(value_maps)} for {len(scores)}; "
            f"give each layer, or head, a value map of its own"
        )


def heads_pooled(
    scores: Float[Array, "head query key"],
    tokens: Float[Array, "key width"],
    value_maps: Float[Array, "maps features width"],
) -> Float[Array, " features"]:
    """z = sum_h V_h X^T c(S_h): heads write side by side, then the pool.   [C23]

    Raises
    ------
    ValueError
        If there are not as many value maps as scores, or `tokens` has another number of positions.
    """
    require_layers(scores, value_maps)
    written = [pooled(each, tokens, value_map) for each, value_map in zip(scores, value_maps, strict=True)]
    return jnp.stack(written).sum(axis=0)


def stack_pooled(
    scores: Float[Array, "layer query key"],
    tokens: Float[Array, "key width"],
    value_maps: Float[Array, "maps width width"],
) -> Float[Array, " width"]:
    """z = mean_i of X_l, X_m = X_{m-1} + A_m X_{m-1} V_m^T, X_0 = X.   [C23]

    Raises
    ------
    ValueError
        If there are not as many value maps as layers, or `tokens` has another number of positions.
    """
    require_layers(scores, value_maps)
    stream = tokens
    for each, value_map in zip(scores, value_maps, strict=True):
        stream = stream + mixed(each, stream, value_map)
    return stream.mean(axis=0)


def stack_response(
    scores: Float[Array, "layer query key"], value_maps: Float[Array, "maps width width"]
) -> Float[Array, "query width width"]:
    """M_i = (dz / dX_{1,i}) V_1: how the pooled vector answers to what the first layer writes at i.   [C23]

    For two layers M_i = (1/L) V_1 + c(S_2)_i V_2 V_1. For l it sums over subsets of the later ones.

    Raises
    ------
    ValueError
        If there are not as many value maps as layers.
    """
    require_layers(scores, value_maps)
    length, width = scores.shape[-1], value_maps.shape[-1]
    response = jnp.broadcast_to(jnp.eye(width, dtype=scores.dtype)[None], (length, width, width)) / length
    for each, value_map in zip(scores[:0:-1], value_maps[:0:-1], strict=True):
        response = response + jnp.einsum("ij,iab,bc->jac", attention_weights(each), response, value_map)
    return response @ value_maps[0]


def stack_score_gradient(
    scores: Float[Array, "layer query key"],
    tokens: Float[Array, "key width"],
    value_maps: Float[Array, "maps width width"],
    head_gradient: Float[Array, " width"],
) -> Float[Array, "query key"]:
    """dl/dS_1 at (i, j) = A_ij (t_ij - sum_k A_ik t_ik), t_ij = u^T M_i x_j.   [C23]

    Raises
    ------
    ValueError
        If there are not as many value maps as layers, or `tokens` has another number of positions.
    """
    require_length(tokens, scores.shape[-1], "tokens", "scores", axes=2)
    reading = jnp.einsum("a,iab->ib", head_gradient, stack_response(scores, value_maps))
    return softmax_pullback(attention_weights(scores[0]), reading @ tokens.T)


def visible_dimension(length: int, rank: Count) -> Count:
    """rho (L - 1): score directions a label can feel, rho the rank of the maps that read them.   [C23]

    Heads: rho = dim span{V_1..V_H}, at most H. First of l linear residual layers: rho = dim span{M_1..M_L},
    at most 2^(l-1).
    """
    return rank * (length - 1)


def visible_dimension_share(rank: int, heads: int, length: int) -> float:
    """rho (L - 1) / (H L (L - 1)) = rho / (H L), of the directions that are no gauge: 1/L at best.   [C23]

    How many directions labels can see: a share of dimensions, over heads. `isotropic_visible_share` is it for
    one head; how much of a given direction they see is `key_bias_share`; what a loss of one's own saw of its
    gradient, by energy, is `theory.visible_share`.
    """
    return rank / (heads * length)
