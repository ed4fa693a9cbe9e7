"""Masking as it is done: on one sequence through the minimal model, and in expectation over masks.

Exact for every L. `reconstruction` has the special case of one masked position and mask token 0 for
scalar tokens; here are i.i.d. masks, any mask token and matrix value maps.   [C8]
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from theory.minimal_model.attention import attention_weights, mixed
from theory.minimal_model.shapes import require_length
from theory.reconstruction.masked_loss import Scalar, off_diagonal


def masked_error(
    scores: Float[Array, "query key"],
    value_map: Float[Array, "width width"],
    tokens: Float[Array, "key width"],
    position: Int[Array, ""],
    hidden: Bool[Array, " key"],
    mask_token: Float[Array, " width"],
) -> Float[Array, ""]:
    """1/2 |x_i - H_i|^2, H the minimal model's output where hidden tokens became the mask token.   [C8]

    Parameters
    ----------
    position
        i, the position that is predicted; it is the caller's to hide.
    hidden
        True where the mask token stands, shape (L,).

    Raises
    ------
    ValueError
        If `scores` is not square or `tokens` has another number of positions.
    """
    visible_tokens = jnp.where(hidden[:, None], mask_token[None, :], tokens)
    return 0.5 * jnp.sum((tokens[position] - mixed(scores, visible_tokens, value_map)[position]) ** 2)


def masked_loss(
    scores: Float[Array, "query key"],
    value_map: Float[Array, "width width"],
    covariance: Float[Array, "query width key width"],
    mask_rate: Scalar,
    mask_token: Float[Array, " width"],
) -> Float[Array, ""]:
    """Mean of `masked_error` over masks and over zero-mean sequences, in closed form.   [C8]

    l = 1/2 mean_i [tr C_ii - 2 (1-p) sum_k B_ik tr(V C_ki) + tr V Y_i V^T],
    Y_i = (1-p)^2 sum_kl B_ik B_il C_kl + p (1-p) sum_k B_ik^2 C_kk + m m^T M_i,
    M_i = (A_ii + p sum_k B_ik)^2 + p (1-p) sum_k B_ik^2.

    The predicted position is always masked, every other with probability p, independently. p = 0
    and m = 0 give `reconstruction_loss`.

    Parameters
    ----------
    covariance
        E x_ia x_kb at [i, a, k, b]; the tokens have mean 0.
    mask_rate
        p in [0, 1).
    mask_token
        m, shape (d,).

    Raises
    ------
    ValueError
        If `scores` is not square or `covariance` has another number of positions.
    """
    weights = attention_weights(scores)
    require_length(covariance, len(scores), "covariance", "scores", axes=4)
    other_weights, seen_rate = off_diagonal(weights), 1 - mask_rate
    variance = jnp.einsum("iaib->iab", covariance)
    agreement = jnp.einsum("ik,ab,iakb->i", other_weights, value_map, covariance)
    power = seen_rate**2 * jnp.einsum("ik,il,kalb->iab", other_weights, other_weights, covariance)
    power += mask_rate * seen_rate * jnp.einsum("ik,kab->iab", other_weights**2, variance)
    masks = (jnp.diag(weights) + mask_rate * other_weights.sum(axis=1)) ** 2
    masks += mask_rate * seen_rate * jnp.sum(other_weights**2, axis=1)
    power += masks[:, None, None] * jnp.outer(mask_token, mask_token)[None]
    written = jnp.einsum("ca,iab,cb->i", value_map, power, value_map)
    return 0.5 * (jnp.einsum("iaa->i", variance) - 2 * seen_rate * agreement + written).mean()
