"""Curvature of a loss along score directions its gradients cannot see. Exact: second directional derivative.

Blindness is local: where every sample's gradient is 0 along a direction the second derivative need not
be.   [C1, C5, C20]
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from theory.probes.gram import MEMORY, chunk_size, gram
from theory.probes.sources import Loss, Objective, Source, chunks, differentiated, sample_count
from theory.probes.spectrum import span
from theory.subspaces import decompose


class Curvature(NamedTuple):
    """Mean loss along unit directions D: l(t D) = l + slope t + curvature t^2 / 2 + ..."""

    slope: Float[np.ndarray, " direction"]
    curvature: Float[np.ndarray, " direction"]
    directions: Float[np.ndarray, "direction *maps query key"]


def blind_curvature(
    loss: Loss,
    params: PyTree,
    batch: PyTree,
    *,
    bias: Float[Array, "*maps query key"],
    number: int = 4,
    key: PRNGKeyArray,
    memory: int = MEMORY,
) -> Curvature:
    """d^2 l(t D)/dt^2 at t = 0 along random D that no sample's gradient sees, and the slope there, 0.

    A doubly centred Gaussian direction, minus its part in the span of all per-sample gradients, in every
    layer and head; normalised over all of them together.   [C1, C5]

    Parameters
    ----------
    loss, params, batch, bias
        As in `theory.probe`.
    number
        How many directions; each costs two more passes over the samples.

    Raises
    ------
    ValueError
        As `theory.probe`.
    """
    source = differentiated(Objective(loss, params, batch), bias)
    drawn = jax.random.normal(key, (number, *bias.shape), bias.dtype)
    shape = (-1, *bias.shape[-2:])
    centred = jax.vmap(lambda matrix: decompose(matrix).doubly_centred)(drawn.reshape(shape))
    directions = unseen_part(source, centred.reshape(drawn.shape), memory=memory)
    directions /= jnp.linalg.norm(directions.reshape(number, -1), axis=1).reshape(-1, *[1] * bias.ndim)
    return curvature(loss, params, batch, bias=bias, directions=directions, memory=memory)


def curvature(
    loss: Loss,
    params: PyTree,
    batch: PyTree,
    *,
    bias: Float[Array, "*maps query key"],
    directions: Float[Array, "direction *maps query key"],
    memory: int = MEMORY,
) -> Curvature:
    """d l(bias + t D)/dt and d^2 l/dt^2 at t = 0 for each direction as given, by forward mode.   [C5, C20]"""
    count = sample_count(batch)

    @jax.jit
    def derivatives(bias, params, part, direction):
        value = lambda at: loss(at, params, part)
        slope = lambda at: jax.jvp(value, (at,), (direction,))[1]
        return jnp.stack(jax.jvp(slope, (bias,), (direction,)))

    size = chunk_size(bias, memory, count)
    total = np.zeros((len(directions), 2))
    for start in range(0, count, size):
        part = jax.tree.map(lambda leaf: leaf[start : start + size], batch)  # noqa: B023 (used at once)
        weight = min(size, count - start) / count
        total += weight * np.stack([derivatives(bias, params, part, one) for one in directions])
    return Curvature(total[:, 0], total[:, 1], np.asarray(directions))


def unseen_part(
    source: Source, directions: Float[Array, "direction *maps query key"], *, memory: int = MEMORY
) -> Float[Array, "direction *maps query key"]:
    """The directions minus their projection on the span of the gradients, per layer and head."""
    products = gram(source, memory=memory)
    count, maps = source.samples, directions[0].size // directions.shape[-1] ** 2
    along = np.zeros((count, len(directions), maps))
    ranges = list(chunks(0, count, chunk_size(source.bias, memory, count)))
    for start, stop in ranges:
        inner = jnp.einsum("n...qk,d...qk->nd...", source(start, stop), directions)
        along[start:stop] = np.asarray(inner).reshape(stop - start, -1, maps)
    coefficients = np.zeros_like(along)
    for place, matrix in enumerate(products.reshape(-1, count, count)):
        basis, _ = span(matrix)
        coefficients[:, :, place] = basis @ (basis.T @ along[:, :, place])
    done, shape = 0, (-1, len(directions), *source.bias.shape[:-2])
    for start, stop in ranges:
        weights = jnp.asarray(coefficients[done:stop], source.bias.dtype).reshape(shape)
        directions = directions - jnp.einsum(
            "n...qk,nd...->d...qk", source(start, stop)[done - start :], weights
        )
        done = stop
    return directions
