"""Training over several devices: each holds its share of every batch and, with FSDP, of the parameters.

Exact up to the order of sums. One device is the case without a mesh, in which nothing is done here.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PyTree

from full_scale.devices import hosts
from sims.runs.store import UserError

_AXIS = "batch"
_LARGE = 2**30  # bytes of parameters and moments from which `auto` shards them
SMALLEST = 2**14  # entries of an array worth sharding
REPLICATED, SHARDED = PartitionSpec(), PartitionSpec(_AXIS)
Sharding = bool | Literal["auto"]


@dataclasses.dataclass(frozen=True)
class Layout:
    """Which devices train together, and whether each holds a share of the parameters (FSDP) or all."""

    mesh: Mesh | None = None
    fsdp: Sharding = "auto"

    @property
    def devices(self) -> int:
        """How many train together."""
        return 1 if self.mesh is None else self.mesh.size

    def require_shares(self, batch: int) -> None:
        """Raise UserError for a batch that the devices cannot share evenly."""
        if batch % self.devices:
            fits = max(1, round(batch / self.devices)) * self.devices
            raise UserError(
                f"expected a batch that {self.devices} devices share evenly: got {batch}; "
                f"try {fits}, or fewer --devices"
            )

    def mean(self, loss: Callable[..., Array]) -> Callable[..., Array]:
        """loss(moving, given, rows), a mean over rows, as the mean of the devices' means.

        Its derivative in `moving` is then the mean of theirs.
        """
        if self.mesh is None:
            return loss

        def shared(moving: PyTree, given: PyTree, rows: PyTree) -> Array:
            one = lambda *arguments: loss(*arguments)[None]
            return self.mapped(one, (REPLICATED, REPLICATED, SHARDED))(moving, given, rows).mean()

        return shared

    def each(self, over_rows: Callable[..., PyTree], given: PyTree, rows: PyTree) -> PyTree:
        """over_rows(given, rows), where rows come first in all it takes and returns, a share per device."""
        if self.mesh is None:
            return over_rows(given, rows)
        count = len(jax.tree.leaves(rows)[0])
        at = jnp.arange(count + -count % self.devices, dtype=jnp.int32) % count
        results = self.mapped(over_rows, (REPLICATED, SHARDED))(
            given, jax.tree.map(lambda leaf: leaf[at], rows)
        )
        return jax.tree.map(lambda leaf: leaf[:count], results)

    def mapped(self, function: Callable, shares: tuple[PartitionSpec, ...]) -> Callable:
        """The function on each device's share of its arguments, which may hold more than arrays."""
        mesh = self.mesh

        def shared(*arguments: PyTree) -> PyTree:
            arrays, fixed = eqx.partition(arguments, eqx.is_array)
            part = lambda *parts: function(*eqx.combine(parts, fixed))
            kind: dict[str, Any] = dict(in_specs=shares, out_specs=SHARDED, check_vma=False)
            return jax.shard_map(part, mesh=mesh, **kind)(*arrays)

        return shared

    def shardings(self, state: PyTree) -> PyTree:
        """Where each array of a training state lies: with FSDP along its longest axis that divides."""
        assert self.mesh is not None
        sizes = [leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)]
        sharded = sum(sizes) >= _LARGE if self.fsdp == "auto" else self.fsdp
        split = lambda leaf: split_axis(leaf.shape, self.devices) if sharded else REPLICATED
        return jax.tree.map(lambda leaf: NamedSharding(self.mesh, split(leaf)), state)

    def constrained(self, state: PyTree) -> PyTree:
        """The state, kept where it lies inside a compiled function."""
        if self.mesh is None:
            return state
        return jax.lax.with_sharding_constraint(state, self.shardings(state))

    def state(self, state: PyTree) -> PyTree:
        """A state of this process's own, laid out over all devices."""
        return state if self.mesh is None else jax.tree.map(put, state, self.shardings(state))

    def data(self, data: PyTree) -> PyTree:
        """Data, the same in every process, on all devices."""
        if self.mesh is None:
            return data
        return jax.tree.map(lambda leaf: put(leaf, NamedSharding(self.mesh, REPLICATED)), data)

    def whole(self, tree: PyTree) -> PyTree:
        """Every array whole on every device: what the host reads."""
        return tree if self.mesh is None else jax.device_put(tree, NamedSharding(self.mesh, REPLICATED))

    def own(self, tree: PyTree) -> PyTree:
        """A laid-out tree as this process's own arrays."""
        if self.mesh is None:
            return tree
        return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), self.whole(tree))


def split_axis(shape: tuple[int, ...], devices: int) -> PartitionSpec:
    """Sharded along the longest axis that the devices divide; small arrays, and others, are not."""
    fits = [axis for axis, size in enumerate(shape) if size % devices == 0]
    if np.prod(shape, dtype=int) < SMALLEST or not fits:
        return REPLICATED
    return PartitionSpec(*[None] * max(fits, key=lambda axis: shape[axis]), _AXIS)


def put(leaf: Array | np.ndarray, sharding: NamedSharding) -> Array:
    """An array of this process over all devices, those of other processes included."""
    host = np.asarray(leaf)
    return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])


SINGLE_DEVICE = Layout()
_current: ContextVar[Layout] = ContextVar("layout", default=SINGLE_DEVICE)


def current() -> Layout:
    """The layout that this process trains in."""
    return _current.get()


@contextlib.contextmanager
def using(layout: Layout) -> Iterator[Layout]:
    """Train in this layout within."""
    token = _current.set(layout)
    try:
        yield layout
    finally:
        _current.reset(token)


def over(devices: int | Literal["all"], fsdp: Sharding = "auto") -> Layout:
    """The layout over so many devices of every process. Raises UserError where there are fewer."""
    if devices == 1 and not hosts.is_multiprocess():
        return SINGLE_DEVICE
    local = jax.local_devices()
    count = len(local) if devices == "all" else devices
    if not 1 <= count <= len(local):
        raise UserError(
            f"expected 1 to {len(local)} devices, those that JAX sees here: got {devices}; try --devices all"
        )
    if count * jax.process_count() == 1:
        return SINGLE_DEVICE
    first = {d.id for each in _by_process().values() for d in each[:count]}
    return Layout(Mesh(np.array([d for d in jax.devices() if d.id in first]), (_AXIS,)), fsdp)


def _by_process() -> dict[int, list[Any]]:
    """All devices by the process that holds them."""
    groups: dict[int, list[Any]] = {}
    for device in jax.devices():
        groups.setdefault(device.process_index, []).append(device)
    return groups
