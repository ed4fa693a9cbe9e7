"""Positional encodings P, added to the embedded tokens. Exact, for every length and even width."""

import jax.numpy as jnp
from jaxtyping import Array, Float

BASE = 10_000.0  # Vaswani et al. 2017, arXiv 1706.03762; used by Amos et al. 2024


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
    frequency = BASE ** (-jnp.arange(0, width, 2, dtype=jnp.float32) / jnp.float32(width))
    angle = jnp.arange(length, dtype=jnp.float32)[:, None] * frequency[None, :]
    return jnp.stack([jnp.sin(angle), jnp.cos(angle)], axis=-1).reshape(length, width)
