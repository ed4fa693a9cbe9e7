"""Token-wise features phi that the checks of several claims share; each row is treated by itself."""

import jax.numpy as jnp
from jaxtyping import Array, Float

Stream = Float[Array, "query width"]


def tanh_map(stream: Stream) -> Stream:
    """phi: tanh of neighbouring coordinates' sums."""
    return jnp.tanh(linear_map(stream))


def linear_map(stream: Stream) -> Stream:
    """The same without its bend: a linear phi."""
    return stream + jnp.roll(stream, 1, axis=1)


def squared(stream: Stream) -> Stream:
    """phi(h) = h^2 / 2 in each coordinate."""
    return stream**2 / 2


def normalised(stream: Stream) -> Stream:
    """LayerNorm without its learned scale: phi(h) = (h - mean h) / sd h."""
    centred = stream - stream.mean(axis=1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
