"""How near attention looks: the measured `proximity_index`. Exact for every L, on a line or a ring."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def proximity_index(
    weights: Float[Array, "query key"], window: int, *, cyclic: bool = False
) -> Float[Array, ""]:
    """Attention mass on |j - i| <= window over the same mass of uniform attention: 1 when nothing is learnt.

    The mean over queries of both masses; lag 0 counts; with `cyclic` distances go round the ring.
    At most L / (2 window + 1) on a ring.
    """
    length = weights.shape[0]
    positions = jnp.arange(length)
    distance = jnp.abs(positions[:, None] - positions[None, :])
    if cyclic:
        distance = jnp.minimum(distance, length - distance)
    near = (distance <= window).astype(weights.dtype)
    return jnp.sum(weights * near) * length / near.sum()
