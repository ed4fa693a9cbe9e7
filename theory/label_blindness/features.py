"""Token-wise features before the pool: what they let labels see of the scores. Exact for every L.

Without a residual z = mean_i phi(H_i) stays blind to first order [C5]; with one,
z = mean_i phi(x_i + H_i), it does not [C6]. Time = learning rate x steps.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_length, require_square


def pulled_back(
    feature_map: Callable[[Float[Array, "query width"]], Float[Array, "query features"]],
    stream: Float[Array, "query width"],
    head_gradient: Float[Array, " features"],
) -> Float[Array, "query width"]:
    """q_i = J_phi(h_i)^T u: the head gradient as each query's features pass it back.   [C5, C6]

    Parameters
    ----------
    feature_map
        phi, applied to all positions at once; it must treat each row by itself.
    stream
        h_i, what phi reads: x_i + H_i with a residual, H_i without.
    head_gradient
        u = dl/dz, shape (features,), loss per unit of the pooled vector.
    """
    written, pull = jax.vjp(feature_map, stream)
    return pull(jnp.broadcast_to(head_gradient[None, :], written.shape))[0]


def uniform_score_gradient(
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    pulled: Float[Array, "query features"],
) -> Float[Array, "query key"]:
    """G_ik = (1/L^2) q_i^T V (x_k - xbar): the label gradient at uniform attention.   [C5, C6]

    Parameters
    ----------
    tokens, value_map
        X (L, d), V (features, d).
    pulled
        q_i = J_phi(x_i + V xbar)^T u, shape (L, features), from `pulled_back`.

    Raises
    ------
    ValueError
        If `pulled` has another number of positions than `tokens`.
    """
    require_length(pulled, len(tokens), "pulled", "tokens", axes=2)
    return pulled @ value_map @ (tokens - tokens.mean(axis=0, keepdims=True)).T / len(tokens) ** 2


def query_dependent_gradient(
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    pulled: Float[Array, "query features"],
) -> Float[Array, "query key"]:
    """(1/L^2) (q_i - qbar)^T V (x_k - xbar): the doubly centred part of the label gradient.   [C6]

    0 where all q_i agree: without a residual, and for linear phi. Its rank is at most d.

    Raises
    ------
    ValueError
        If `pulled` has another number of positions than `tokens`.
    """
    return uniform_score_gradient(tokens, value_map, pulled - pulled.mean(axis=0, keepdims=True))


def opening(
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    pulled: Float[Array, "query features"],
) -> Float[Array, ""]:
    """1 - qbar^T K qbar / mean_i q_i^T K q_i, K = V Cov(x) V^T: doubly centred share of |G|^2.   [C6]

    In [0, 1]: 0 is blind, and 1 - this is the label gradient's `key_bias_share`.
    """
    spread = (tokens - tokens.mean(axis=0, keepdims=True)) @ value_map.T
    energy = lambda vectors: jnp.sum((vectors @ spread.T) ** 2, axis=-1)
    return 1 - energy(pulled.mean(axis=0)) / energy(pulled).mean()


def feature_curvature(
    direction: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "features width"],
    slope: Float[Array, " features"],
    bend: Float[Array, "features features"],
) -> Float[Array, ""]:
    """d^2 l / dt^2 at S = t D, D doubly centred, no residual; any differentiable loss.   [C5]

    (1/L^3) sum_i y_i^T V^T Q V y_i + p^T V sum_j c''_j x_j, with y = D X and
    c''_j = (1/L^2) sum_i (D_ij^2 - mean_k D_ik^2), which is 0 for circulant D.

    Parameters
    ----------
    direction
        D, shape (L, L): rows and columns sum to 0.
    slope, bend
        p = J_phi(h)^T u and Q = sum_f u_f (Hessian of phi_f at h), at h = V xbar.

    Raises
    ------
    ValueError
        If `direction` is not square or `tokens` has another number of positions.
    """
    require_square(direction, "direction")
    require_length(tokens, len(direction), "tokens", "direction", axes=2)
    values, squares = tokens @ value_map.T, direction**2
    moved = direction @ values / len(direction)
    received = (squares - squares.mean(axis=1, keepdims=True)).sum(axis=0) / len(direction) ** 2
    return jnp.sum(moved * (moved @ bend)) / len(direction) + received @ values @ slope


def blind_escape_rate(curving: Float[Array, "key key"]) -> Float[Array, ""]:
    """-(1/L^3) lambda_min(P K P): growth per time of the fastest doubly centred direction.   [C5]

    Leading order near uniform attention, for stationary data: rows of K that sum to the same, so that
    P K P = K - mean K, P = I - 1 1^T / L. 0 where no direction escapes. The direction is (any centred
    vector) e^T, e the eigenvector.

    Parameters
    ----------
    curving
        K_jk = E[x_j^T V^T Q V x_k], shape (L, L), symmetric, in loss per unit.

    Raises
    ------
    ValueError
        If `curving` is not a square floating-point matrix with L >= 2.
    """
    require_square(curving, "curving")
    centred = curving - curving.mean()
    return -jnp.linalg.eigvalsh(centred)[0] / len(curving) ** 3
