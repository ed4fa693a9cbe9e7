"""What label supervision says to the scores of a mean-pooled attention layer. Exact for every L, S.

Both forms take u = dl/dz, so they hold for every head, loss and label.   [C1, C2, C19]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.attention import attention_weights
from theory.minimal_model.shapes import require_length


def softmax_pullback(
    weights: Float[Array, "query key"], response: Float[Array, "query key"]
) -> Float[Array, "query key"]:
    """A_ij (R_ij - sum_k A_ik R_ik): the softmax pull-back of a gradient R in A."""
    return weights * (response - jnp.sum(weights * response, axis=1, keepdims=True))


def label_score_gradient(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    head_gradient: Float[Array, " features"],
) -> Float[Array, "query key"]:
    """G_ij = (A_ij / L) (s_j - sum_k A_ik s_k), with s_j = u^T V x_j.   [C1, C2]

    At row-constant S this is (1/L^2) 1 (s - mean s)^T when A is uniform: a key bias, rank one.

    Parameters
    ----------
    scores, tokens, value_map
        S (L, L), X (L, d), V (features, d).
    head_gradient
        u = dl/dz, shape (features,), loss per unit of the pooled vector.

    Returns
    -------
    dl/dS, shape (L, L), for the model z = mean_i sum_j A_ij V x_j.

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.

    Examples
    --------
    At uniform attention the gradient is the same for every query:

    >>> import jax.numpy as jnp, theory
    >>> tokens, head_gradient = jnp.array([[0.0], [4.0]]), jnp.ones(1)
    >>> theory.label_score_gradient(jnp.zeros((2, 2)), tokens, jnp.eye(1), head_gradient).tolist()
    [[-0.5, 0.5], [-0.5, 0.5]]
    """
    weights = attention_weights(scores)
    require_length(tokens, len(scores), "tokens", "scores", axes=2)
    per_key = tokens @ value_map.T @ head_gradient
    return softmax_pullback(weights, jnp.broadcast_to(per_key[None, :], scores.shape)) / len(scores)


def residual_score_gradient(
    weights: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    pulled_back: Float[Array, "query features"],
) -> Float[Array, "query key"]:
    """G_ij = (A_ij / L) (t_ij - sum_k A_ik t_ik), t_ij = q_i^T V x_j, q_i = J_phi(x_i + H_i)^T u.

    The label gradient of z = mean_i phi(x_i + H_i): where the q_i differ between queries it leaves
    the key-bias space.   [C2, C19]

    Parameters
    ----------
    pulled_back
        q_i, shape (L, features): the head gradient pulled back through phi at each query.
    """
    return softmax_pullback(weights, pulled_back @ value_map @ tokens.T) / len(weights)
