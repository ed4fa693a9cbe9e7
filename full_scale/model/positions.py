"""Where an encoder without recurrence gets order from. Exact, for every length.

Added to the tokens: sinusoidal, learned, random-normal. In the scores: rotations, a linear bias.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from full_scale.model.config import PositionKind

BASE = 10_000.0  # Vaswani et al. 2017, arXiv 1706.03762; used by Amos et al. 2024
_LEARNED_DEVIATION = 0.02  # Long Range Arena's learned positions
_STEEPEST = 8.0  # Press et al. 2022, arXiv 2108.12409: slopes 2^(-8/H), ..., 2^-8


def angles(length: int, width: int) -> Float[Array, "length half"]:
    """i / BASE^(2m/width) for position i and frequency m < width/2."""
    frequency = BASE ** (-jnp.arange(0, width, 2, dtype=jnp.float32) / jnp.float32(width))
    return jnp.arange(length, dtype=jnp.float32)[:, None] * frequency[None, :]


def sinusoidal(length: int, width: int) -> Float[Array, "length width"]:
    """P[i, 2m] = sin(i / BASE^(2m/width)), P[i, 2m+1] = cos(i / BASE^(2m/width)).   [C13]

    The inner product of two rows depends on |i - j| alone, and falls with it at first: a kernel
    W_Q W_K^T close to the identity makes attention proximity-biased.

    Raises
    ------
    ValueError
        If `width` is odd.
    """
    if width % 2:
        raise ValueError(f"sinusoidal positions need an even width: got width={width}; try width={width + 1}")
    angle = angles(length, width)
    return jnp.stack([jnp.sin(angle), jnp.cos(angle)], axis=-1).reshape(length, width)


def drawn(
    kind: PositionKind, length: int, width: int, *, key: PRNGKeyArray
) -> Float[Array, "length width"] | None:
    """The stored table: learned rows start from N(0, 0.02^2), random-normal rows stay at N(0, 1)."""
    deviation = {"learned": _LEARNED_DEVIATION, "random-normal": 1.0}.get(kind)
    if deviation is None:
        return None
    return jnp.float32(deviation) * jax.random.normal(key, (length, width), jnp.float32)


def rotated(vectors: Float[Array, "head length d_head"]) -> Float[Array, "head length d_head"]:
    """RoPE: (x_m, x_{m + d/2}) at position i turned by the angle i / BASE^(2m/d_head).

    The inner product of a rotated query at i and a rotated key at j depends on i - j alone.
    (Su et al. 2021, arXiv 2104.09864)
    """
    _, length, width = vectors.shape
    angle = angles(length, width)[None]
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    first, second = jnp.split(vectors.astype(jnp.float32), 2, axis=-1)
    turned = jnp.concatenate([first * cosine - second * sine, first * sine + second * cosine], axis=-1)
    return turned.astype(vectors.dtype)


def alibi(heads: int, length: int) -> Float[Array, "head query key"]:
    """-2^(-8 h/H) |i - j| for head h = 1..H, on both sides of the diagonal (Press et al. 2022)."""
    slopes = 2.0 ** (-_STEEPEST * jnp.arange(1, heads + 1, dtype=jnp.float32) / heads)
    index = jnp.arange(length, dtype=jnp.float32)
    return -slopes[:, None, None] * jnp.abs(index[:, None] - index[None, :])[None]
