"""The contrast law: labels see the classes' difference, reconstruction their sum.   [C7, C16]

Two balanced classes of zero-mean scalar tokens, z = mean_i (x_i + H_i)^2 / 2, uniform attention; D
doubly centred with diagonal 0. Both losses then pull a sequence along D by q = x^T D x, the label with
the class's sign. Exact for every L at a constant prediction; variances for Gaussian tokens.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_square
from theory.reconstruction.circulant import circulant
from theory.reconstruction.masked_loss import Scalar, without_lag_zero


class Contrast(NamedTuple):
    """How two classes differ along a direction; all but the first dimensionless.   [C7]"""

    pooled: Float[Array, ""]
    """m = (m_1 + m_0) / 2, the mean of q."""
    kappa: Float[Array, ""]
    """(m_1 - m_0) / (m_1 + m_0): class contrast over pooled value."""
    spread: Float[Array, ""]
    """omega = (W_1 + W_0) / (2 m^2): variance of q within classes."""
    spread_contrast: Float[Array, ""]
    """delta = (W_1 - W_0) / (2 m^2)."""


def require_two_classes(covariances: Float[Array, "classes query key"]) -> None:
    """Raise `ValueError` unless there are two covariances."""
    if len(covariances) != 2:
        raise ValueError(
            f"covariances must be those of two classes: got shape={tuple(covariances.shape)}; "
            f"stack C_0 and C_1, or use class_pull for more"
        )


def contrast_direction(length: int, lag: int) -> Float[Array, "query key"]:
    """D_ij = (1[j-i = r] + 1[j-i = -r])/2 - 1[j != i]/(L-1), cyclic: doubly centred, diagonal 0.   [C7]

    Its norm is not 1. What losses are probed along is `lag_direction`, whose diagonal is as the other lags.

    Raises
    ------
    ValueError
        If the lag is 0 modulo L, or no other lag is left to compare with.
    """
    if lag % length == 0 or len({lag % length, -lag % length}) == length - 1:
        raise ValueError(
            f"lag must be one of 1..L-1 with another lag beside it: got lag={lag}, length={length}; "
            f"try lag 1 and a length of at least 4"
        )
    near = jnp.zeros(length).at[jnp.asarray([lag, -lag]) % length].add(0.5)
    return circulant(near - without_lag_zero(jnp.ones(length)) / (length - 1))


def pair_moments(
    direction: Float[Array, "query key"], covariance: Float[Array, "query key"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """m = tr(D C) and W = 2 tr(D' C D' C), D' = (D + D^T)/2: mean and variance of x^T D x.   [C7, C16]

    The mean holds for any zero-mean tokens, the variance for Gaussian ones (Isserlis).

    Raises
    ------
    ValueError
        If `direction` is not a square floating-point matrix with L >= 2.
    """
    require_square(direction, "direction")
    spread = (direction + direction.T) @ covariance / 2
    return jnp.sum(direction * covariance), 2 * jnp.sum(spread * spread.T)


def class_contrast(
    direction: Float[Array, "query key"], covariances: Float[Array, "classes query key"]
) -> Contrast:
    """m, kappa, omega, delta of classes along D, from m_y = tr(D C_y) and W_y = 2 tr(D' C_y D' C_y).   [C7]

    Parameters
    ----------
    direction
        D, shape (L, L).
    covariances
        C_0 and C_1, shape (2, L, L).

    Raises
    ------
    ValueError
        If there are not two classes.
    """
    require_two_classes(covariances)
    means, variances = jax.vmap(pair_moments, (None, 0))(direction, covariances)
    pooled = means.mean()
    return Contrast(
        pooled,
        (means[1] - means[0]) / (2 * pooled),
        variances.mean() / pooled**2,
        (variances[1] - variances[0]) / (2 * pooled**2),
    )


def contrast_gradient(
    value: Scalar, head_weight: Scalar, covariances: Float[Array, "classes query key"]
) -> Float[Array, "query key"]:
    """E dl/dS = -(w v / 4 L^2) (I + (v/L) 1 1^T)(C_1 - C_0) P, P = I - 1 1^T / L.   [C7]

    The population label gradient at prediction 1/2, at uniform attention: without the class difference
    nothing is left. Loss in nats; to first order in the head weight w under cross-entropy.

    Raises
    ------
    ValueError
        If there are not two classes.
    """
    require_two_classes(covariances)
    apart = covariances[1] - covariances[0]
    response = apart + value * apart.mean(axis=0, keepdims=True)
    return -head_weight * value / (4 * len(apart) ** 2) * (response - response.mean(axis=1, keepdims=True))


def label_signal(contrast: Contrast, imbalance: Scalar = 0.0) -> Float[Array, ""]:
    """SNR per sequence: (kappa - tau)^2 / ((1 - tau kappa)^2 + (1 + tau^2) omega - 2 tau delta).   [C7]

    Squared mean over variance of the label gradient along D. At tau = 0 it is kappa^2 / (1 + omega);
    classes that agree leave the floor tau^2 / (1 + (1 + tau^2) omega).

    Parameters
    ----------
    imbalance
        tau = 2 p - 1, where p is the constant prediction of class 1.
    """
    _, kappa, spread, spread_contrast = contrast
    noise = (1 - imbalance * kappa) ** 2 + (1 + imbalance**2) * spread - 2 * imbalance * spread_contrast
    return (kappa - imbalance) ** 2 / noise


def reconstruction_signal(contrast: Contrast) -> Float[Array, ""]:
    """SNR per sequence, every position masked in turn: 1 / (kappa^2 + omega).   [C7]"""
    return 1 / (contrast.kappa**2 + contrast.spread)


def fluctuation_imbalance(
    head_weight: Scalar,
    value: Scalar,
    direction: Float[Array, "query key"],
    covariance: Float[Array, "query key"],
) -> Float[Array, ""]:
    """tau_w = w Cov(z, q) / (2 m): what a head that reads z adds to tau, first order in w.   [C7]

    Classes that share their covariance, fitted intercept; Cov(z, q) = (1/L) tr(R^2 C D C),
    R = I + (v/L) 1 1^T: a head of weight w pulls scores so as to shrink its own logits.
    """
    squared = covariance + (2 * value + value**2) * covariance.mean(axis=0, keepdims=True)
    even = (direction + direction.T) / 2
    overlap = jnp.sum(squared * (even @ covariance).T) / len(direction)
    return head_weight * overlap / (2 * jnp.sum(direction * covariance))


def class_pull(
    slopes: Float[Array, "classes features"],
    head: Float[Array, "classes features"],
    priors: Float[Array, " classes"],
    predicted: Float[Array, " classes"],
) -> Float[Array, ""]:
    """sum_y pi_y (w_y - wbar)^T m_y, wbar = sum_c p_c w_c: any number of classes.   [C7]

    Minus the population label gradient along D at a constant prediction p, as every pull here. Classes that
    share m leave (sum_y pi_y w_y - wbar)^T m: the head-imbalance floor, 0 exactly when p = pi along W m.

    Parameters
    ----------
    slopes
        m_y = E[dz/dS . D | y] of each class, any features.
    head, priors, predicted
        W, pi and p.
    """
    return jnp.sum(priors[:, None] * (head - (predicted @ head)[None, :]) * slopes)
