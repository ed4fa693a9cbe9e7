"""Circulant scores and the reduced flow of their kernel. Exact for every L.

Time = learning rate x steps. For cyclically stationary data the flow of all L^2 scores, started
circulant, is the flow of L numbers.   [C3, C9, C12]
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel, require_length, require_square
from theory.reconstruction.masked_loss import Scalar, without_lag_zero


def circulant(kernel: Float[Array, " lag"]) -> Float[Array, "query key"]:
    """M_ij = g((j - i) mod L): every row is the one above, shifted right by one.   [C3, C12]

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector of at least 2 lags.

    Examples
    --------
    >>> import jax.numpy as jnp, theory
    >>> theory.circulant(jnp.array([0.0, 1.0, 2.0])).tolist()
    [[0.0, 1.0, 2.0], [2.0, 0.0, 1.0], [1.0, 2.0, 0.0]]
    """
    require_kernel(kernel, "kernel")
    positions = jnp.arange(len(kernel))
    return kernel[(positions[None, :] - positions[:, None]) % len(kernel)]


def circulant_kernel(matrix: Float[Array, "query key"]) -> Float[Array, " lag"]:
    """k(r) = mean_i M_{i, i+r}: the kernel of the circulant matrix nearest to M.   [C9, C12]

    Raises
    ------
    ValueError
        If `matrix` is not a square floating-point matrix with L >= 2.
    """
    require_square(matrix, "matrix")
    positions = jnp.arange(len(matrix))
    return matrix[positions[:, None], (positions[:, None] + positions[None, :]) % len(matrix)].mean(axis=0)


def reduced_loss(
    kernel: Float[Array, " lag"], value: Scalar, autocovariance: Float[Array, " lag"]
) -> Float[Array, ""]:
    """l(g, v) = 1/2 [C(0) - 2 v b.c + v^2 b^T C b], a = softmax(g), b = a without lag 0.   [C12]

    Equals `reconstruction_loss(circulant(kernel), value, circulant(autocovariance))`.

    Parameters
    ----------
    kernel
        g, shape (L,): the score at each cyclic lag.
    value
        v, the scalar value-output weight.
    autocovariance
        C(r), shape (L,), cyclic and even in r.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector or `autocovariance` has another length.

    Examples
    --------
    The loss of one kernel is that of the scores it stands for:

    >>> import jax.numpy as jnp, theory
    >>> kernel, autocovariance = jnp.array([0.0, 1.0, -1.0]), jnp.array([1.0, 0.5, 0.5])
    >>> reduced = theory.reduced_loss(kernel, 0.7, autocovariance)
    >>> full = theory.reconstruction_loss(theory.circulant(kernel), 0.7, theory.circulant(autocovariance))
    >>> bool(abs(reduced - full) < 1e-6)
    True
    """
    require_kernel(kernel, "kernel")
    require_length(autocovariance, len(kernel), "autocovariance", "kernel", axes=1)
    other_weights = without_lag_zero(jax.nn.softmax(kernel))
    explained = other_weights @ autocovariance
    power = other_weights @ circulant(autocovariance) @ other_weights
    return 0.5 * (autocovariance[0] - 2 * value * explained + value**2 * power)


def reconstruction_kernel_gradient(
    kernel: Float[Array, " lag"], value: Scalar, autocovariance: Float[Array, " lag"]
) -> Float[Array, " lag"]:
    """dl/dg_r = a_r (R_r - sum_q a_q R_q), R = v^2 C b - v c without lag 0.   [C12]

    L times the full gradient dl/dS_{i,i+r}: under gradient flow the kernel runs L times faster
    than the scores it stands for.

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector or `autocovariance` has another length.
    """
    require_kernel(kernel, "kernel")
    require_length(autocovariance, len(kernel), "autocovariance", "kernel", axes=1)
    weights = jax.nn.softmax(kernel)
    other_weights = without_lag_zero(weights)
    response = without_lag_zero(value**2 * circulant(autocovariance) @ other_weights - value * autocovariance)
    return weights * (response - weights @ response)


def reduced_value_gradient(
    kernel: Float[Array, " lag"], value: Scalar, autocovariance: Float[Array, " lag"]
) -> Float[Array, ""]:
    """dl/dv = v b^T C b - b.c: the same in the reduced and in the full flow.   [C12]

    Raises
    ------
    ValueError
        If `kernel` is not a floating-point vector or `autocovariance` has another length.
    """
    require_kernel(kernel, "kernel")
    require_length(autocovariance, len(kernel), "autocovariance", "kernel", axes=1)
    other_weights = without_lag_zero(jax.nn.softmax(kernel))
    return (
        value * (other_weights @ circulant(autocovariance) @ other_weights) - other_weights @ autocovariance
    )
