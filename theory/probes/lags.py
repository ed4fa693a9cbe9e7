"""Score space by lag |i - j|: directions towards a lag, profiles over lags and their cosine. Exact for every L.

On a line, or with `cyclic` on a ring. Profiles take arrays of numpy or jax.   [C1, C10]
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from theory.label_blindness.subspaces import decompose


def lag_direction(
    length: int, lag: int | Int[Array, ""], *, cyclic: bool = False
) -> Float[Array, "query key"]:
    """Unit doubly centred direction towards |i - j| = lag: blind to labels in the minimal model.   [C1]

    The entries at that lag are 1, then gauge and key bias are taken off. `contrast_direction` differs: its
    diagonal is 0 and its norm is not 1.
    """
    positions = jnp.arange(length)
    distance = jnp.abs(positions[:, None] - positions[None, :])
    if cyclic:
        distance = jnp.minimum(distance, length - distance)
    near = decompose((distance == lag).astype(float)).doubly_centred
    return near / jnp.linalg.norm(near)


def lag_profile(matrix: Float[Array | np.ndarray, "query key"]) -> Float[Array | np.ndarray, " lag"]:
    """Mean of the entries with j - i = r and of those with j - i = -r, averaged, for r = 0..L-1.   [C10]"""
    stack = matrix.__array_namespace__().stack
    means = [(matrix.diagonal(r).mean() + matrix.diagonal(-r).mean()) / 2 for r in range(len(matrix))]
    return stack(means)


def profile_cosine(
    one: Float[Array | np.ndarray, "*shape lag"], other: Float[Array | np.ndarray, "*alike lag"]
) -> Float[Any, "*both"]:
    """Cosine of two Toeplitz score directions given by their profiles, lag 0 left out, means removed.   [C10]

    Each lag r counts 2 (L - r) times, as often as it occurs in the L x L matrix. 0 where one is constant.
    """
    space, length = one.__array_namespace__(), one.shape[-1]
    count = 2 * space.arange(length - 1, 0, -1, dtype=one.dtype).reshape(*[1] * (one.ndim - 1), -1)

    def centred(profile: Float[Any, "*any lag"]) -> Float[Any, "*any other"]:
        return profile[..., 1:] - (count * profile[..., 1:]).sum(axis=-1, keepdims=True) / count.sum()

    one, other = centred(one), centred(other)
    inner = lambda a, b: (count * a * b).sum(axis=-1)
    norm = space.sqrt(inner(one, one) * inner(other, other))
    return space.where(norm > 0, inner(one, other) / space.where(norm > 0, norm, 1), 0)
