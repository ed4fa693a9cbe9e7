"""Per-sample gradients of a loss in a bias that is added to attention scores.

Exact: automatic differentiation of the user's own model, one sample at a time. A source hands out the
gradients of a range of samples; what is made of them does not care where they come from.
"""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree, Shaped

from theory.shapes import SHORTEST

Loss = Callable[[Float[Array, "*maps query key"], PyTree, PyTree], Float[Array, ""]]
"""loss(bias, params, batch): the mean over a batch, with `bias` added to the attention scores."""


class Objective(NamedTuple):
    """A loss, its parameters and the samples to differentiate it on.   [C9]"""

    loss: Loss
    params: PyTree
    batch: PyTree


@runtime_checkable
class Source(Protocol):
    """Gradients by range of samples."""

    @property
    def samples(self) -> int:
        """How many there are."""
        ...

    @property
    def bias(self) -> Float[Array, "*maps query key"]:
        """The point at which gradients are taken."""
        ...

    def __call__(self, start: int, stop: int) -> Float[Array, "sample *maps query key"]:
        """dl_n/dbias for the samples start..stop-1."""
        ...


class Differentiated:
    """The gradients of a JAX objective, by `jax.grad` mapped over samples."""

    def __init__(self, objective: Objective, bias: Float[Array, "*maps query key"]) -> None:
        self.bias = bias
        self.objective = objective
        self.samples = sample_count(objective.batch)

    def __call__(self, start: int, stop: int) -> Float[Array, "sample *maps query key"]:
        part = jax.tree.map(lambda leaf: leaf[start:stop], self.objective.batch)
        return per_sample(self.objective.loss, self.bias, self.objective.params, part)


@functools.partial(jax.jit, static_argnums=0)
def per_sample(
    loss: Loss, bias: Float[Array, "*maps query key"], params: PyTree, batch: PyTree
) -> Float[Array, "sample *maps query key"]:
    """dl_n/dbias for every sample of the batch; compiled once per loss and shape."""
    alone = lambda sample: jax.tree.map(lambda leaf: leaf[None], sample)
    return jax.vmap(lambda sample: jax.grad(loss)(bias, params, alone(sample)))(batch)


@functools.partial(jax.jit, static_argnums=0)
def looked_at(
    loss: Loss, bias: Float[Array, "*maps query key"], params: PyTree, batch: PyTree
) -> tuple[Shaped[Array, "..."], Shaped[Array, "..."]]:
    """The loss, and the loss with a bias of NaN."""
    return loss(bias, params, batch), loss(jnp.full_like(bias, jnp.nan), params, batch)


class Joined:
    """The samples of one source, then those of another, at the same scores."""

    def __init__(self, first: Source, second: Source) -> None:
        self.first, self.second = first, second
        self.bias = first.bias
        self.samples = first.samples + second.samples

    def __call__(self, start: int, stop: int) -> Float[Array, "sample *maps query key"]:
        border = self.first.samples
        if stop <= border:
            return self.first(start, stop)
        if start >= border:
            return self.second(start - border, stop - border)
        return jnp.concatenate([self.first(start, border), self.second(0, stop - border)])


def differentiated(objective: Objective, bias: Float[Array, "*maps query key"]) -> Differentiated:
    """The source of an objective's gradients, after its loss and bias have been looked at.

    Raises
    ------
    ValueError
        If the bias is not (..., L, L) with L >= 2 in float32 or float64, the batch has no samples, or the
        loss is not a finite scalar or does not depend on the bias.
    """
    require_bias(bias.shape, str(bias.dtype))
    source = Differentiated(objective, bias)
    sample = jax.tree.map(lambda leaf: leaf[:1], objective.batch)
    require_loss(*looked_at(objective.loss, bias, objective.params, sample))
    return source


def require_bias(shape: tuple[int, ...], dtype: str) -> None:
    """Raise `ValueError` unless the shape is (..., L, L) with L >= 2, and the type float32 or float64."""
    if len(shape) < 2 or shape[-1] != shape[-2] or shape[-1] < SHORTEST:
        raise ValueError(
            f"bias must have shape (..., L, L) with at least {SHORTEST} positions: "
            f"got {shape}; pass a row per query and a column per key, layers and heads in front"
        )
    if dtype not in ("float32", "float64"):
        raise ValueError(
            f"bias must be float64 (ranks need it) or float32: got {dtype}; "
            f"pass zeros of shape {shape} in float64, in JAX under jax_enable_x64"
        )


def require_loss(value: Shaped[Array, "..."], poisoned: Shaped[Array, "..."]) -> None:
    """Raise `ValueError` unless the loss is a finite scalar that a bias of NaN turns to NaN."""
    if np.shape(value) != ():
        raise ValueError(
            f"loss must return a scalar, the mean over the batch: got shape {np.shape(value)}; take its mean"
        )
    if not np.isfinite(value):
        raise ValueError(f"loss must be finite: got {value} at the first sample; check params and batch")
    if np.isfinite(poisoned):
        raise ValueError(
            "loss must depend on its bias: a bias of NaN leaves it finite; "
            "add the bias to the attention scores before the softmax"
        )


def sample_count(batch: PyTree) -> int:
    """The length that the first axes of all leaves share.

    Raises
    ------
    ValueError
        If there is no leaf, or lengths differ, or there is only one sample.
    """
    lengths = sorted({np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in jax.tree.leaves(batch)})
    if len(lengths) == 1 and lengths[0] >= 2:
        return lengths[0]
    raise ValueError(
        f"every leaf of batch must have the same first axis, of at least 2 samples: "
        f"got lengths {lengths}; stack the samples along axis 0"
    )


def chunks(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of `size` that cover start..stop-1; the last may overlap, so that all have one shape."""
    size = min(size, stop - start)
    for low in range(start, stop, size):
        low = min(low, stop - size)
        yield low, low + size
