"""What labels say to causal attention under a mean pool, and what next-token prediction shares with it.

Exact for every L; the overlap and the share are at uniform causal attention.   [C15, C18]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.label_blindness.centring import row_centred
from theory.label_blindness.labels import softmax_pullback
from theory.minimal_model.shapes import require_length, require_square
from theory.reconstruction.causal import causal_weights, visible_keys


def causal_label_gradient(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    head_gradient: Float[Array, " features"],
) -> Float[Array, "query key"]:
    """G_ij = (A_ij / L) (s_j - sum_k A_ik s_k), j <= i, s_j = u^T V x_j: mean pool, causal mask.   [C15, C18]

    L - 1 numbers again, of only L(L-1)/2 directions: a share of 2/L is visible.

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.
    """
    weights = causal_weights(scores)
    require_length(tokens, len(scores), "tokens", "scores", axes=2)
    per_key = tokens @ value_map.T @ head_gradient
    return softmax_pullback(weights, jnp.broadcast_to(per_key[None, :], scores.shape)) / len(scores)


def causal_overlap(direction: Float[Array, "query key"]) -> Float[Array, " key"]:
    """n_j with <D, G(s)> = sum_j n_j s_j for the label gradients G(s) at uniform causal attention.   [C18]

    n_j = (1/L) sum_{i >= j} (D_ij - mean_{k <= i} D_ik) / (i + 1): D is orthogonal to every label
    gradient exactly when n = 0.

    Raises
    ------
    ValueError
        If `direction` is not a square floating-point matrix with L >= 2.
    """
    require_square(direction, "direction")
    _, sizes = visible_keys(len(direction), direction.dtype)
    return (row_centred(direction, causal=True) / sizes[:, None]).sum(axis=0) / len(direction)


def causal_visible_share(direction: Float[Array, "query key"]) -> Float[Array, ""]:
    """n^T Q^+ n / |D|^2, Q_jk = sum_{i >= j, k} (d_jk - 1/(i+1)) / (L (i+1))^2: the measured share.   [C18]

    The visible share of one direction under causal attention, where labels see no longer key biases; without
    the mask it is `key_bias_share`.

    Q is the Gram matrix of the label gradients of single keys, n the overlap; gauge left out of |D|. 2/L
    for an isotropic direction.

    Raises
    ------
    ValueError
        If `direction` is not a square floating-point matrix with L >= 2.
    """
    overlap, length = causal_overlap(direction), len(direction)
    mask, sizes = visible_keys(length, direction.dtype)
    shares = mask / (length * sizes[:, None]) ** 2
    gram = jnp.diag(shares.sum(axis=0)) - mask.T @ (shares / sizes[:, None])
    whole = jnp.full_like(gram, 1 / length)  # n sums to 0, so that the kernel of Q does not matter
    return (
        overlap @ jnp.linalg.solve(gram + whole, overlap) / jnp.sum(row_centred(direction, causal=True) ** 2)
    )
