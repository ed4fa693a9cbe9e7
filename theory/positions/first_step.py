"""The first step of training through absolute encodings that need not be centred.   [C27]

Exact for every L, to first order in the learning rate; for a gradient in the scores that does not depend on the maps,
such as that at uniform attention.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_length, require_square
from theory.reconstruction.masked_loss import Scalar


def step_of_scores(
    score_gradient: Float[Array, "length length"],
    positions: Float[Array, "length width"],
    query_map: Float[Array, "width features"],
    key_map: Float[Array, "width features"],
) -> Float[Array, "length length"]:
    """dS/d eta = -(1/k) [K G (P W_K)(P W_K)^T + (P W_Q)(P W_Q)^T G K], K = P P^T: both maps move.   [C27]

    Raises
    ------
    ValueError
        If `score_gradient` is not square or `positions` has another number of positions.
    """
    require_square(score_gradient, "score_gradient")
    require_length(positions, len(score_gradient), "positions", "score_gradient", axes=2)
    overlap, features = positions @ positions.T, query_map.shape[1]
    queries, keys = positions @ query_map, positions @ key_map
    by_queries = overlap @ score_gradient @ keys @ keys.T
    by_keys = queries @ queries.T @ score_gradient @ overlap
    return -(by_queries + by_keys) / features


def mean_step_of_scores(
    score_gradient: Float[Array, "length length"], positions: Float[Array, "length width"], variance: Scalar
) -> Float[Array, "length length"]:
    """E dS/d eta = -2 sigma^2 K G K, over maps with independent entries of variance sigma^2.   [C27]

    Raises
    ------
    ValueError
        If `score_gradient` is not square or `positions` has another number of positions.
    """
    require_square(score_gradient, "score_gradient")
    require_length(positions, len(score_gradient), "positions", "score_gradient", axes=2)
    overlap = positions @ positions.T
    return -2 * variance * overlap @ score_gradient @ overlap


def first_step_visible_share(positions: Float[Array, "length width"]) -> Float[Array, ""]:
    """L mean(K 1)^2/|K 1|^2: how much of the step that labels ask for is a key bias.   [C27]

    Of the squared norm without the gauge, whatever the labels ask for; 1 where K 1 is constant. NaN for centred
    encodings, for which there is no step.
    """
    sums = positions @ positions.sum(axis=0)
    return len(positions) * sums.mean() ** 2 / jnp.sum(sums**2)
