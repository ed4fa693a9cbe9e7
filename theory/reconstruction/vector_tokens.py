"""Vector tokens: reconstruction on a ring with a value map V, and the proximity law it starts with.

`vector_reduced_loss` is exact for every L; the law is leading order in the size of V at uniform attention.
For scalar tokens both reduce to `reduced_loss` [C12] and to C10.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def vector_reduced_loss(
    kernel: Float[Array, " lag"],
    value_map: Float[Array, "width width"],
    cross_covariance: Float[Array, "lag width width"],
) -> Float[Array, ""]:
    """1/2 [tr Sigma(0) - 2 sum_r b_r <V, Sigma(r)> + sum_rs b_r b_s <V^T V, Sigma(s - r)>].   [C8, C12]

    The expected half squared error of x_i predicted by V sum_r b_r x_{i+r}, with a = softmax(kernel), b = a
    without lag 0, Sigma(r) = E x_i x_{i+r}^T on the ring of L positions and <A, B> = sum_ab A_ab B_ab.
    """
    length = len(kernel)
    reading = jax.nn.softmax(kernel).at[0].set(0.0)
    linear = jnp.einsum("r,ab,rab->", reading, value_map, cross_covariance)
    power = jnp.einsum("ca,cb,rab->r", value_map, value_map, cross_covariance)
    lags = jnp.arange(length)
    pairs = power[(lags[None, :] - lags[:, None]) % length]
    return 0.5 * (jnp.trace(cross_covariance[0]) - 2 * linear + reading @ pairs @ reading)


def vector_proximity_law(
    cross_covariance: Float[Array, "lag width width"], multiplicity: Float[Array, " lag"]
) -> Float[Array, " lag"]:
    """<sum_s m_s Sigma(s), Sigma(r)>: where the scores move once the values have moved.   [C10, C11]

    At uniform attention the negative reconstruction gradient in a small V is along sum_{s != 0} Sigma(s)
    [C11]; with V along it, the negative gradient in the scores at lag r is proportional to
    tr(V^T Sigma(r)), up to its mean over lags [C10]. For scalar tokens this is C(r) times sum_s C(s): vector
    tokens can have a negative tr Sigma(r), as letters do, and be drawn together all the same.

    Parameters
    ----------
    cross_covariance
        Sigma(r) for each lag but 0.
    multiplicity
        m_r, how many sources lie at that lag: 1 on a ring, L - r on a line.
    """
    value_map = jnp.einsum("r,rab->ab", multiplicity, cross_covariance)
    return jnp.einsum("ab,rab->r", value_map, cross_covariance)
