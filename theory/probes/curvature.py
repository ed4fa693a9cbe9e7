"""Curvature of a loss along score directions its gradients cannot see. Exact: second directional derivative.

Blindness is local: where every sample's gradient is 0 along a direction the second derivative need not
be.   [C1, C5, C20]
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from theory.label_blindness.subspaces import decompose
from theory.probes.gram import MEMORY, chunk_size, gram
from theory.probes.sources import Loss, Objective, Source, chunks, differentiated, sample_count
from theory.probes.spectrum import span

LOST = 0.9
"""Share of its length that a direction outside a span keeps when it is projected again."""


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
    bias: ArrayLike | Sequence,
    number: int = 4,
    key: PRNGKeyArray,
    memory: int = MEMORY,
) -> Curvature:
    """d^2 l(t D)/dt^2 at t = 0 along random D that no sample's gradient sees, and the slope there, 0.

    A doubly centred Gaussian direction, minus its part in the span of all per-sample gradients, in every
    layer and head; 0 where that span is everything; normalised over all of them together.   [C1, C5]

    Parameters
    ----------
    loss, params, batch, bias
        As in `theory.probe`. The loss is differentiated twice, a custom_vjp of attention through its own
        backward pass.
    number
        How many directions; each costs two more passes over the samples.

    Raises
    ------
    ValueError
        As `theory.probe`; if the gradients span every direction of every layer and head, or the loss cannot
        be differentiated twice.
    """
    source = differentiated(Objective(loss, params, batch), bias)
    shape = source.bias.shape
    drawn = jax.random.normal(key, (number, *shape), source.bias.dtype)
    matrices = drawn.reshape(-1, *shape[-2:])
    centred = jax.vmap(lambda matrix: decompose(matrix).doubly_centred)(matrices).reshape(drawn.shape)
    directions = unseen_directions(source, centred, memory=memory)
    objective = source.objective
    return curvature(loss, params, objective.batch, bias=source.point, directions=directions, memory=memory)


def unseen_directions(
    source: Source, directions: Float[Array, "direction *maps query key"], *, memory: int
) -> Float[Array, "direction *maps query key"]:
    """Unit directions without their part in the span of the gradients, and 0 in maps where none is left.

    What a second projection shortens by a tenth was rounding: a direction outside the span stays as it is
    (Kahan's "twice is enough"). So was what is below the square root of eps.

    Raises
    ------
    ValueError
        If nothing is left of a direction in any layer and head.
    """
    norms = lambda array: jnp.linalg.norm(array, axis=(-2, -1), keepdims=True)
    once = unseen_part(source, directions, memory=memory)
    twice = unseen_part(source, once, memory=memory)
    left = norms(once) > jnp.finfo(once.dtype).eps ** 0.5 * norms(directions)
    left &= norms(twice) > LOST * norms(once)
    unseen = jnp.where(left, twice, 0.0)
    sizes = jnp.sqrt(jnp.sum(unseen**2, axis=tuple(range(1, unseen.ndim)), keepdims=True))
    if not bool((sizes > 0).all()):
        raise ValueError(
            f"the samples' gradients must leave a direction unseen: got {source.samples} that span all of "
            f"score space; pass fewer samples, or take `theory.probes.curvature` along your own direction"
        )
    return unseen / sizes


def curvature(
    loss: Loss,
    params: PyTree,
    batch: PyTree,
    *,
    bias: Float[Array, "*maps query key"],
    directions: Float[Array, "direction *maps query key"],
    memory: int = MEMORY,
) -> Curvature:
    """d l(bias + t D)/dt and d^2 l/dt^2 at t = 0 for each direction as given: the slope, differentiated.

    Forward mode over reverse mode, which a custom_vjp allows.   [C5, C20]

    Raises
    ------
    ValueError
        If the loss cannot be differentiated twice.
    """
    count = sample_count(batch)

    @jax.jit
    def derivatives(bias, params, part, direction):
        gradient = lambda at: jax.grad(loss)(at, params, part)
        slopes, curvatures = jax.jvp(gradient, (bias,), (direction,))
        return jnp.stack([jnp.sum(slopes * direction), jnp.sum(curvatures * direction)])

    size = chunk_size(bias, memory, count)
    total = np.zeros((len(directions), 2))
    for start in range(0, count, size):
        part = jax.tree.map(lambda leaf: leaf[start : start + size], batch)  # noqa: B023 (used at once)
        weight = min(size, count - start) / count
        try:
            slopes_and_curvatures = [
                derivatives(bias, params, part, one.astype(bias.dtype)) for one in directions
            ]
        except (NotImplementedError, TypeError, ValueError) as error:
            raise ValueError(
                f"loss must be differentiable twice: got {type(error).__name__} ({first_line(error)}); "
                f"compute its attention with jax.nn.softmax here, not with a kernel that has one derivative"
            ) from error
        total += weight * np.stack([np.asarray(each, float) for each in slopes_and_curvatures])
    return Curvature(total[:, 0], total[:, 1], np.asarray(directions))


def first_line(error: Exception) -> str:
    """What an error says first."""
    return str(error).strip().partition("\n")[0]


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
    for index, matrix in enumerate(products.reshape(-1, count, count)):
        basis, _ = span(matrix)
        coefficients[:, :, index] = basis @ (basis.T @ along[:, :, index])
    done, shape = 0, (-1, len(directions), *source.bias.shape[:-2])
    for start, stop in ranges:
        weights = jnp.asarray(coefficients[done:stop], source.bias.dtype).reshape(shape)
        directions = directions - jnp.einsum(
            "n...qk,nd...->d...qk", source(start, stop)[done - start :], weights
        )
        done = stop
    return directions
