"""What masked reconstruction says to the scores. Scalar tokens, exact for every L.

One masked position i, uniform over positions, mask token 0, squared error at it; the prediction is
v sum_{k != i} A_ik x_k. Losses are in units of the token's variance.   [C8, C9, C10]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.label_blindness.labels import softmax_pullback
from theory.minimal_model.attention import attention_weights
from theory.minimal_model.shapes import require_kernel, require_square

Scalar = Float[Array, ""] | float


def off_diagonal(matrix: Float[Array, "query key"]) -> Float[Array, "query key"]:
    """B = A without its diagonal: the masked token carries nothing.   [C8]"""
    return matrix * (1 - jnp.eye(len(matrix), dtype=matrix.dtype))


def reconstruction_loss(
    scores: Float[Array, "query key"],
    value: Scalar,
    covariance: Float[Array, "query key"],
) -> Float[Array, ""]:
    """l = 1/2 mean_i [C_ii - 2 v sum_k B_ik C_ik + v^2 sum_kl B_ik C_kl B_il].   [C8]

    Parameters
    ----------
    scores
        S, shape (L, L).
    value
        v, the scalar value-output weight.
    covariance
        C_ij = E x_i x_j, shape (L, L), symmetric. Only second moments enter.

    Raises
    ------
    ValueError
        If `scores` or `covariance` is not a square floating-point matrix with L >= 2.

    Examples
    --------
    Two tokens of covariance 1/2; each predicts the other with attention 1/2 and v = 1:

    >>> import jax.numpy as jnp, theory
    >>> covariance = jnp.array([[1.0, 0.5], [0.5, 1.0]])
    >>> float(theory.reconstruction_loss(jnp.zeros((2, 2)), 1.0, covariance))
    0.375
    """
    require_square(covariance, "covariance")
    other_weights = off_diagonal(attention_weights(scores))
    predicted = jnp.sum(other_weights * (other_weights @ covariance), axis=1)
    errors = (
        jnp.diag(covariance) - 2 * value * jnp.sum(other_weights * covariance, axis=1) + value**2 * predicted
    )
    return 0.5 * errors.mean()


def reconstruction_score_gradient(
    scores: Float[Array, "query key"],
    value: Scalar,
    covariance: Float[Array, "query key"],
) -> Float[Array, "query key"]:
    """dl/dS_ij = (A_ij / L) (R_ij - sum_k A_ik R_ik), R = v^2 B C - v C without its diagonal.   [C8]

    -R_ij is v times the covariance of the residual at i with the token at j.

    Raises
    ------
    ValueError
        If `scores` or `covariance` is not a square floating-point matrix with L >= 2.
    """
    require_square(covariance, "covariance")
    weights = attention_weights(scores)
    response = off_diagonal(value**2 * off_diagonal(weights) @ covariance - value * covariance)
    return softmax_pullback(weights, response) / len(scores)


def reconstruction_value_gradient(
    scores: Float[Array, "query key"],
    value: Scalar,
    covariance: Float[Array, "query key"],
) -> Float[Array, ""]:
    """dl/dv = mean_i [v sum_kl B_ik C_kl B_il - sum_k B_ik C_ik].   [C8]

    Raises
    ------
    ValueError
        If `scores` or `covariance` is not a square floating-point matrix with L >= 2.
    """
    require_square(covariance, "covariance")
    other_weights = off_diagonal(attention_weights(scores))
    return jnp.sum(other_weights * (value * other_weights @ covariance - covariance), axis=1).mean()


def proximity_law(value: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """-dl/dS_{i,i+r} at uniform attention, exact for every L.   [C10]

    (1/L^2) [v (1 + v/L) (Co(r) - mean Co) - (v^2 T / L) (1[r != 0] - (L-1)/L)],
    Co(r) = C(r) without lag 0, T = sum of C over all lags, 0 included.

    Parameters
    ----------
    autocovariance
        C(r), shape (L,), cyclic and even in r.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.

    Examples
    --------
    Scores of nearby tokens rise for a Markov process, those of far ones fall:

    >>> import theory
    >>> law = theory.proximity_law(0.5, theory.markov_autocovariance(8, 0.6))
    >>> ["+" if pull > 0 else "-" for pull in law[1:5].tolist()]
    ['+', '+', '-', '-']
    """
    require_kernel(autocovariance, "autocovariance")
    length = len(autocovariance)
    others = without_lag_zero(jnp.ones_like(autocovariance))
    other_lags = autocovariance * others
    along = value * (1 + value / length) * (other_lags - other_lags.mean())
    away = value**2 * autocovariance.sum() / length * (others - (length - 1) / length)
    return (along - away) / length**2


def leading_proximity_law(value: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """v (Co(r) - mean Co) / L^2: `proximity_law` to leading order in 1/L.   [C10]

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    other_lags = without_lag_zero(autocovariance)
    return value * (other_lags - other_lags.mean()) / len(autocovariance) ** 2


def without_lag_zero(kernel: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """b = a with lag 0, the masked token itself, set to 0.   [C10, C12]"""
    return kernel * (jnp.arange(len(kernel)) > 0).astype(kernel.dtype)
