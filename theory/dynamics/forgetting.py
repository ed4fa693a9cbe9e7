"""How weight decay wears down a pretrained kernel that labels cannot feel. Exact for every L.

Time = learning rate x steps. Decay is decoupled: p <- (1 - eta lambda) p beside the gradient step.   [C22]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel
from theory.reconstruction.masked_loss import Scalar


def forgotten_kernel(
    kernel: Float[Array, " lag"], rate: Scalar, decay: Scalar, steps: Scalar | int, factors: int = 1
) -> Float[Array, " lag"]:
    """g(t) = (1 - eta lambda)^(n t) g(0), n = 1 for free scores, 2 for products Q K^T.   [C22]

    For small eta it is g(0) exp(-n lambda time).

    Parameters
    ----------
    kernel
        g(0), the pretrained score at each cyclic lag.
    rate, decay
        eta and lambda, with eta lambda < 1.
    factors
        n, how many decaying matrices are multiplied into the scores.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(kernel, "kernel")
    return (1 - jnp.asarray(rate) * decay) ** (factors * steps) * kernel


def half_life(rate: Scalar, decay: Scalar, factors: int = 1) -> Float[Array, ""]:
    """t = log 2 / (-n log(1 - eta lambda)) steps, about log 2 / (n eta lambda).   [C22]"""
    return -jnp.log(2.0) / (factors * jnp.log1p(-jnp.asarray(rate) * decay))
