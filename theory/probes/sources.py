"""Per-sample gradients of a loss in a bias that is added to attention scores.

Exact: automatic differentiation of the user's own model, one sample at a time. A source hands out the
gradients of a range of samples; what is made of them does not care where they come from.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PyTree, Shaped

from theory.minimal_model.shapes import SHORTEST

Loss = Callable[[Float[Array, "*maps query key"], PyTree, PyTree], Float[Array, ""]]
"""loss(bias, params, batch): the mean over a batch, with `bias` added to the attention scores."""

ROUNDINGS = 64
"""How many units in the last place two calls of one loss may be apart: sums in another order."""

NOISY = "loss must be the same whenever it is called"
QUIET = "draw masks and dropout beforehand and pass them, or their keys, in the batch"


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
    """The gradients of a JAX objective, by `jax.grad` mapped over samples; its first call checks the loss."""

    def __init__(self, objective: Objective, point: Float[Array, "*maps query key"]) -> None:
        self.objective, self.point = objective, point
        self.bias = accumulating(point)
        self.rounding = float(jnp.finfo(point.dtype).eps)
        self.samples = sample_count(objective.batch)
        self.checked = False

    def __call__(self, start: int, stop: int) -> Float[Array, "sample *maps query key"]:
        part = self.objective.batch
        if stop - start < self.samples:
            part = jax.tree.map(lambda leaf: leaf[start:stop], part)
        values, gradients = per_sample(self.objective.loss, self.point, self.objective.params, part)
        if not self.checked:
            require_finite_loss(np.asarray(values)[0])
            if not np.asarray(gradients).any():
                poison = jnp.full_like(self.point, jnp.nan)
                poisoned, _ = per_sample(self.objective.loss, poison, self.objective.params, part)
                require_dependence(np.asarray(poisoned)[0])
            self.checked = True
        return accumulating(gradients)


def accumulating(array: Float[Array, "*axes"]) -> Float[Array, "*axes"]:
    """The array in the precision that sums are taken in: float32 for bfloat16, else its own."""
    return array.astype(jnp.float32) if array.dtype == jnp.bfloat16 else array


@functools.partial(jax.jit, static_argnums=0)
def per_sample(
    loss: Loss, bias: Float[Array, "*maps query key"], params: PyTree, batch: PyTree
) -> tuple[Float[Array, " sample"], Float[Array, "sample *maps query key"]]:
    """l_n and dl_n/dbias for every sample of the batch; compiled once per loss and shape.

    A bias of NaN is an argument and never a constant, which a compiler could simplify away.
    """
    alone = lambda sample: jax.tree.map(lambda leaf: leaf[None], sample)
    return jax.vmap(lambda sample: jax.value_and_grad(loss)(bias, params, alone(sample)))(batch)


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


def differentiated(objective: Objective, bias: ArrayLike | Sequence) -> Differentiated:
    """The source of an objective's gradients, after shapes and repeatability have been checked.

    Raises
    ------
    ValueError
        If the bias is not (..., L, L) with L >= 2 in float32, float64 or bfloat16, the batch has no samples,
        or the loss is not a scalar or draws noise; at the first call if it is not finite or ignores the bias.
    """
    point = jnp.asarray(bias)
    require_bias(point.shape, str(point.dtype))
    objective = objective._replace(batch=with_arrays(objective.batch))
    source = Differentiated(objective, point)
    alone = lambda leaf: jax.ShapeDtypeStruct((1, *leaf.shape[1:]), leaf.dtype)
    require_scalar_and_repeatable(objective, point, jax.tree.map(alone, objective.batch))
    return source


def with_arrays(batch: PyTree) -> PyTree:
    """The batch with each list of numbers, nested or not, as one array."""
    numbers = lambda node: (
        isinstance(node, list) and all(np.ndim(leaf) == 0 for leaf in jax.tree.leaves(node))
    )
    return jax.tree.map(lambda node: jnp.asarray(node) if numbers(node) else node, batch, is_leaf=numbers)


def require_scalar_and_repeatable(
    objective: Objective, bias: Float[Array, "*maps query key"], sample: PyTree
) -> None:
    """Raise `ValueError` unless the loss is one number, and the same number whenever it is called.

    The loss is traced twice, which is cheap; only if the programs differ is it computed twice.
    """
    try:
        first, second = (traced(objective, bias, sample) for _ in range(2))
        require_scalar(first.out_avals[0].shape if len(first.out_avals) == 1 else (len(first.out_avals),))
        if same_program(first, second):
            return
        one = jax.tree.map(lambda leaf: leaf[:1], objective.batch)
        loss = plain(objective.loss)
        values = [jax.value_and_grad(loss)(bias, objective.params, one) for _ in range(2)]
    except jax.errors.UnexpectedTracerError as error:
        raise ValueError(f"{NOISY}: it keeps a key or a number between calls; {QUIET}") from error
    require_repeatable(*([np.asarray(leaf) for leaf in value] for value in values))


def traced(objective: Objective, bias: Float[Array, "*maps query key"], sample: PyTree) -> ClosedJaxpr:
    """The loss as a program, traced anew."""
    loss = plain(objective.loss)
    return jax.make_jaxpr(lambda *arguments: loss(*arguments))(bias, objective.params, sample)


def plain(loss: Loss) -> Loss:
    """The loss below its `jax.jit`, which would hand out the same trace again."""
    return getattr(loss, "__wrapped__", loss) if isinstance(loss, jax.stages.Wrapped) else loss


def same_program(first: ClosedJaxpr, second: ClosedJaxpr) -> bool:
    """Equal operations, names of functions' addresses aside, and equal constants."""
    text, other = (re.sub("0x[0-9a-f]+", "", str(each.jaxpr)) for each in (first, second))
    return text == other and all(
        one is two or np.array_equal(constant(one), constant(two))
        for one, two in zip(first.consts, second.consts, strict=True)
    )


def constant(leaf: Any) -> np.ndarray:
    """A constant's numbers; those of a random key are its data."""
    return np.asarray(jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)


def require_repeatable(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> None:
    """Raise `ValueError` if two calls gave values or gradients that differ by more than rounding."""
    for one, two in zip(first, second, strict=True):
        eps = float(jnp.finfo(one.dtype).eps)
        if not np.allclose(one, two, rtol=0, atol=ROUNDINGS * eps * np.abs(one).max(), equal_nan=True):
            raise ValueError(f"{NOISY}: two calls differ at the first sample, by its own noise; {QUIET}")


def require_bias(shape: tuple[int, ...], dtype: str) -> None:
    """Raise `ValueError` unless the shape is (..., L, L) with L >= 2, of a type that can be probed."""
    if len(shape) < 2 or shape[-1] != shape[-2] or shape[-1] < SHORTEST:
        raise ValueError(
            f"bias must have shape (..., L, L) with at least {SHORTEST} positions: "
            f"got {shape}; pass a row per query and a column per key, layers and heads in front"
        )
    if dtype not in ("float32", "float64", "bfloat16"):
        raise ValueError(
            f"bias must be float64 (ranks need it), float32 or bfloat16: got {dtype}; "
            f"pass zeros of shape {shape} in float64, in JAX under jax_enable_x64"
        )


def require_scalar(shape: tuple[int, ...]) -> None:
    """Raise `ValueError` unless a loss of this shape is one number."""
    if shape != ():
        raise ValueError(
            f"loss must return a scalar, the mean over the batch: got shape {shape}; take its mean"
        )


def require_finite_loss(value: Shaped[Array | np.ndarray | np.generic, ""]) -> None:
    """Raise `ValueError` if the first sample's loss is NaN or infinite."""
    if not np.isfinite(value):
        raise ValueError(f"loss must be finite: got {value} at the first sample; check params and batch")


def require_dependence(poisoned: Shaped[Array | np.ndarray | np.generic, ""]) -> None:
    """Raise `ValueError` if a bias of NaN leaves the loss finite."""
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
