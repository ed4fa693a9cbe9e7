"""How many sequences a loss needs to know the sign of its gradient along a direction.   [C16]

The setting of the contrast law [C7], one gradient per sequence. Sequence counts are exact in the SNR;
the chance of a wrong sign is leading order in 1/n, and so is the signal of a Markov process in 1/L.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.reconstruction.masked_loss import Scalar
from theory.statistics.class_contrast import Contrast


def sequences_needed(signal: Scalar, standard_errors: Scalar = 1.0) -> Float[Array, ""]:
    """n* = z^2 / SNR: after how many sequences the mean gradient is z standard errors from 0.   [C16]

    Infinite where the loss is blind.

    Parameters
    ----------
    signal
        SNR per sequence, squared mean over variance, of `label_signal` or `reconstruction_signal`.
    standard_errors
        z.
    """
    return jnp.asarray(standard_errors) ** 2 / signal


def sequences_ratio(contrast: Contrast) -> Float[Array, ""]:
    """n*(label) / n*(reconstruction) = (1 + omega) / (kappa^2 (kappa^2 + omega)), balanced head.   [C16]

    Grows like 1/kappa^2 as classes approach and is infinite where they agree; for long sequences, where
    omega falls like 1/L, it tends to 1/kappa^4: from below if |kappa| < 1, from above if |kappa| > 1.
    """
    _, kappa, spread, _ = contrast
    return (1 + spread) / (kappa**2 * (kappa**2 + spread))


def sign_error(sequences: Scalar | int, signal: Scalar) -> Float[Array, ""]:
    """P(wrong sign) = Phi(-sqrt(n SNR)), for the mean gradient of n sequences.   [C16]"""
    return jax.scipy.stats.norm.cdf(-jnp.sqrt(1.0 * sequences / sequences_needed(signal)))


def markov_signal(length: int, correlation: Scalar) -> Scalar:
    """L rho^2 (1 - rho^2) / (1 + 4 rho^2 - rho^4): reconstruction's SNR along lag 1, one class.   [C16]

    A Gaussian AR(1) process; leading order in 1/L, from Bartlett's sum over its autocovariances. It is
    1/omega: long sequences average over themselves.
    """
    square = correlation**2
    return length * square * (1 - square) / (1 + 4 * square - square**2)
