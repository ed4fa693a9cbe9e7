"""Scores that are the same for every query, as under labels they remain. Exact for every L.

The model has a mean pool over what attention writes, with or without a token-wise phi, and no residual:
z = mean_i phi(H_i). Where all rows of A are equal the H_i coincide: a model of one query.   [C21]
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel, require_length


def pooled_by_key_bias(
    bias: Float[Array, " key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    feature_map: Callable[[Float[Array, " features"]], Float[Array, " features"]],
) -> Float[Array, " features"]:
    """z = phi(sum_j a_j V x_j), a = softmax(b): the whole model at scores S = a 1^T + 1 b^T.   [C21]

    Label training of all L^2 scores from there is training of b, each score at 1/L of the slope of b.

    Raises
    ------
    ValueError
        If `bias` is not a floating-point vector of at least 2 keys or `tokens` has another length.
    """
    require_kernel(bias, "bias")
    require_length(tokens, len(bias), "tokens", "bias", axes=2)
    return feature_map(value_map @ (jax.nn.softmax(bias) @ tokens))


def shared_row_gradient(
    bias: Float[Array, " key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    pulled_back: Float[Array, " features"],
) -> Float[Array, " key"]:
    """w_j = (a_j / L)(t_j - sum_k a_k t_k), t_j = q^T V x_j: every row of dl/dS at S = a 1^T + 1 b^T.   [C21]

    Parameters
    ----------
    pulled_back
        q = J_phi(H)^T u, the head gradient pulled back through phi at the one H of all queries.

    Raises
    ------
    ValueError
        If `bias` is not a floating-point vector of at least 2 keys or `tokens` has another length.
    """
    require_kernel(bias, "bias")
    require_length(tokens, len(bias), "tokens", "bias", axes=2)
    weights, per_key = jax.nn.softmax(bias), tokens @ value_map.T @ pulled_back
    return weights * (per_key - jnp.dot(weights, per_key)) / len(bias)
