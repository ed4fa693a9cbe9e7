"""The scores that attention starts with: query and key maps tied, W_Q = W_K, or independent.

Exact for every L and k in what is said of moments; maps with independent entries of mean 0 and variance
sigma^2, Gaussian where a second moment or an exponential is taken. Scores S = P W_Q W_K^T P^T / sqrt(k)
along a lag, for encodings whose kernel kappa(r) = p_i . p_{i+r} depends on the lag alone.   [C14]
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel
from theory.positions.absolute_positions import sinusoidal_frequencies
from theory.reconstruction.masked_loss import Scalar


def sinusoidal_kernel(length: int, width: int) -> Float[Array, " lag"]:
    """kappa(r) = sum_m cos(w_m r) at lags 0..L-1: p_i . p_{i+r} of `sinusoidal_positions`.   [C14]

    Raises
    ------
    ValueError
        If `width` is odd.
    """
    waves = np.cos(np.outer(np.arange(length), sinusoidal_frequencies(width)))
    return jnp.asarray(waves.sum(axis=1), float)


def tied_score_mean(kernel: Float[Array, " lag"], variance: Scalar, features: int) -> Float[Array, " lag"]:
    """E S_{i,i+r} = sigma^2 sqrt(k) kappa(r): 0 at every lag for independent maps.   [C14]

    Parameters
    ----------
    kernel
        kappa(r), shape (L,), kappa(0) the largest.
    variance
        sigma^2 of an entry: 1/(3 width) by PyTorch's default, 1/width by Xavier's.
    features
        k, the columns of a map: width over heads.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(kernel, "kernel")
    return variance * features**0.5 * kernel


def tied_score_variance(kernel: Float[Array, " lag"], variance: Scalar) -> Float[Array, " lag"]:
    """Var S_{i,i+r} = sigma^4 (kappa(0)^2 + kappa(r)^2); for independent maps sigma^4 kappa(0)^2.   [C14]"""
    require_kernel(kernel, "kernel")
    return variance**2 * (kernel[0] ** 2 + kernel**2)


def tied_log_weight(kernel: Float[Array, " lag"], variance: Scalar, features: int) -> Float[Array, " lag"]:
    """log E exp S = -(k/2) log[(1 - sigma^2 kappa(r)/sqrt(k))^2 - sigma^4 kappa(0)^2/k].   [C14]

    Finite while sigma^2 (kappa(0) + kappa(r)) < sqrt(k). For large k at a given mean score it is the mean
    score plus half the variance.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(kernel, "kernel")
    share = variance / features**0.5
    return -0.5 * features * jnp.log((1 - share * kernel) ** 2 - (share * kernel[0]) ** 2)


def independent_log_weight(
    kernel: Float[Array, " lag"], variance: Scalar, features: int
) -> Float[Array, " lag"]:
    """log E exp S = -(k/2) log[1 - sigma^4 kappa(0)^2/k]: the same at every lag.   [C14]

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(kernel, "kernel")
    flat = -0.5 * features * jnp.log(1 - (variance * kernel[0]) ** 2 / features)
    return jnp.broadcast_to(flat, kernel.shape)


def proximity(log_weight: Float[Array, " lag"], window: int) -> Float[Array, ""]:
    """Attention mass on |i - j| <= w over its uniform value, A_ij ~ exp(log_weight(|i - j|)).   [C14]

    On a line, averaged over queries, in O(L). With `tied_log_weight` it is the expected proximity of tied
    scores to leading order in 1/k; with constant weights it is 1.

    Raises
    ------
    ValueError
        If `log_weight` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(log_weight, "log_weight")
    weights = jnp.exp(log_weight - jax.lax.stop_gradient(log_weight.max()))
    near = (jnp.arange(len(weights)) <= window).astype(weights.dtype)
    total = lambda kernel: jnp.cumsum(kernel) + jnp.cumsum(kernel)[::-1] - kernel[0]
    return (total(weights * near) / total(weights)).mean() / (total(near).mean() / len(weights))
