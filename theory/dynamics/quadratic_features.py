"""Quadratic features of a residual stream, where labels' escape is exact: z = mean_i (x_i + H_i)^2.   [C20]

Scalar stationary tokens on a ring of L positions, H_i = v sum_j A_ij x_j, uniform attention. Exact for
every L; the variance, and with it the rate, for Gaussian tokens.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.dynamics.escape import escape_rate
from theory.minimal_model.shapes import require_kernel
from theory.reconstruction.masked_loss import Scalar


def quadratic_mean(value: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """E z = C(0) + ((1 + v)^2 - 1) mean_r C(r).   [C20]

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    return autocovariance[0] + ((1 + value) ** 2 - 1) * autocovariance.mean()


def quadratic_variance(value: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """Var z = (2/L) sum_r C(r)^2 + 2 ((1 + v)^4 - 1) (mean_r C(r))^2, Gaussian tokens.   [C20]

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    return 2 * jnp.mean(autocovariance**2) + 2 * ((1 + value) ** 4 - 1) * autocovariance.mean() ** 2


def quadratic_response(value: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """E dz/dS_{i,i+r} = (2 v / L^2) (C(r) - mean C).   [C20]

    The same shape as reconstruction's pull to leading order [C10]; the label sees only how it differs
    between classes.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    return 2 * value * (autocovariance - autocovariance.mean()) / len(autocovariance) ** 2


def quadratic_contrast(
    value: Scalar, autocovariances: Float[Array, "classes lag"], share: Scalar
) -> Float[Array, ""]:
    """sigma = p(1-p) sqrt(L) |response of class 1 - response of class 0|: the coupling |M|.   [C20]"""
    responses = jax.vmap(lambda each: quadratic_response(value, each))(autocovariances)
    spread = jnp.linalg.norm(responses[1] - responses[0])
    return share * (1 - share) * jnp.sqrt(1.0 * autocovariances.shape[1]) * spread


def quadratic_escape_rate(
    value: Scalar, autocovariances: Float[Array, "classes lag"], share: Scalar = 0.5
) -> Float[Array, ""]:
    """`escape_rate` at k = p(1-p) (p Var_1 + (1-p) Var_0) and sigma = `quadratic_contrast`.   [C20]

    To leading order in 1/L it is 2 p(1-p) (v kappa / L)^2, kappa = |C_1 - C_0| / |C| the class contrast.

    Parameters
    ----------
    value
        v.
    autocovariances
        C_0 and C_1, shape (2, L), with equal C(0) and equal sum over lags, so that the classes have
        equal mean features and the zero head is optimal.
    share
        p, the probability of class 1.
    """
    variances = jax.vmap(lambda each: quadratic_variance(value, each))(autocovariances)
    variance = share * variances[1] + (1 - share) * variances[0]
    return escape_rate(share * (1 - share) * variance, quadratic_contrast(value, autocovariances, share))
