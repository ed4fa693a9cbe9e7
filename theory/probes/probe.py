"""What a loss sees of attention scores, for any model: the probe. Exact up to rounding and sampling.

Theory's questions asked of a model that nobody here wrote: which part of score space do its gradients
lie in, how many directions do they span, and how loud is the signal in them?   [C1, C2, C9, C19]
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from theory.label_blindness.subspaces import decompose, visible_share
from theory.probes.gram import MEMORY, Report, gram
from theory.probes.signal import Signal, leading_projections, normalised, relative_rounding, signal
from theory.probes.sources import Loss, Objective, Source, differentiated
from theory.probes.spectrum import Spectrum, spectrum
from theory.probes.summary import table

LEADING_DIRECTIONS = 3


class Energy(NamedTuple):
    """Squared norm of the three parts of a gradient, per layer and head; they sum to its own."""

    gauge: Float[np.ndarray, "*maps"]
    """Row shifts: 0 up to rounding when the bias is followed by a softmax over keys."""
    key_bias: Float[np.ndarray, "*maps"]
    """The same for every query: all that a mean-pooled label loss can have at uniform attention."""
    doubly_centred: Float[np.ndarray, "*maps"]
    """Query-dependent: proximity lies here."""

    @property
    def visible_share(self) -> Float[np.ndarray, "*maps"]:
        """key bias / (key bias + doubly centred) of a gradient; NaN where both are 0.   [C1, C2, C9]"""
        return visible_share(self.key_bias, self.key_bias + self.doubly_centred)


class Probe(NamedTuple):
    """What one loss sees; arrays have the layers and heads of the bias in front.   [C1, C2, C9]"""

    samples: int
    length: int
    mean_gradient: Float[np.ndarray, "*maps query key"]
    mean_energy: Energy
    """Of the mean gradient: what a step with a large batch follows."""
    sample_energy: Energy
    """Mean over samples of each one's: what the samples see before they cancel."""
    spectrum: Spectrum
    gram: Float[np.ndarray, "*maps sample sample"]
    along: dict[str, Signal]
    """Signal along each given direction."""
    leading: Signal
    """Held-out, along the mean gradient of the other half, then its leading ones: (..., 1 + leading)."""

    @property
    def rank_is_conclusive(self) -> bool:
        """More samples than directions found: the rank is the space's, not the sample's."""
        return bool((self.spectrum.rank < self.samples).all())

    def __str__(self) -> str:
        """A table with a line for each layer and head: `print(probed)`."""
        columns = {"key-bias share": self.mean_energy.visible_share, "rank": self.spectrum.rank}
        return table(self.samples, self.mean_gradient, columns, self.along)


def probe(
    loss: Loss,
    params: PyTree,
    batch: PyTree,
    *,
    bias: ArrayLike | Sequence,
    directions: Mapping[str, ArrayLike | Sequence] | None = None,
    leading: int = LEADING_DIRECTIONS,
    key: PRNGKeyArray | None = None,
    memory: int = MEMORY,
    report: Report | None = None,
) -> Probe:
    """Per-sample gradients G_n = dl_n/dbias and what they say, without an L^2 x L^2 object.   [C1, C2, C9]

    Parameters
    ----------
    loss
        `loss(bias, params, batch)`, the mean over the batch, a scalar; it adds `bias` to the attention
        scores before the softmax. Called on one sample at a time (a leading axis of 1). Random choices,
        such as masks or their keys, travel in the batch: a loss that draws anew at each call is refused,
        and a key fixed inside it is one draw, the same for every sample.
    params, batch
        Any pytrees; every leaf of `batch` has the samples in front. A list of numbers counts as an array.
    bias
        Where to differentiate, shape (..., L, L) with layers and heads in front; usually zeros. float64 for
        ranks; float32 or bfloat16 as the model computes, so that the probe knows its rounding.
    directions
        Named score directions, each (L, L), (heads, L, L) or of the bias's shape, along which to take the
        signal: SNR exactly 0 and `blind` where all projections are 0 up to rounding.
    leading
        How many leading directions of one half of the samples to test on the other.
    key
        Splits the samples into these halves; `jax.random.key(0)` when None.
    memory
        Bytes of gradients held at once. Samples that do not fit are differentiated again.
    report
        Called with (done, total) gradients.

    Returns
    -------
    Energies of gauge, key bias and doubly centred part, spectrum and ranks, signal to noise; `print` shows a
    table by layer and head.

    Raises
    ------
    ValueError
        If bias, batch or loss are not as above, or a gradient is not finite.

    Examples
    --------
    The label loss of the minimal model at uniform attention: a key bias, of rank L - 1.

    >>> import jax, jax.numpy as jnp, theory
    >>> jax.config.update("jax_enable_x64", True)
    >>> def loss(bias, head, batch):
    ...     pooled = jax.vmap(lambda tokens: theory.pooled(bias, tokens, jnp.eye(3)))(batch)
    ...     return jnp.mean((pooled @ head) ** 2)
    >>> head, tokens = jnp.ones(3), jax.random.normal(jax.random.key(0), (20, 6, 3))
    >>> seen = theory.probe(loss, head, tokens, bias=jnp.zeros((6, 6)))
    >>> int(seen.spectrum.rank), round(float(seen.mean_energy.visible_share), 6)
    (5, 1.0)
    """
    source = differentiated(Objective(loss, params, batch), bias)
    return probe_source(source, directions=directions, leading=leading, key=key, memory=memory, report=report)


def probe_source(
    source: Source,
    *,
    directions: Mapping[str, ArrayLike | Sequence] | None = None,
    leading: int = LEADING_DIRECTIONS,
    key: PRNGKeyArray | None = None,
    memory: int = MEMORY,
    report: Report | None = None,
) -> Probe:
    """`probe` of gradients from anywhere: see `theory.probes.sources.Source`."""
    bias, count, named = source.bias, source.samples, dict(directions or {})
    collected = Collected(source, normalised(named, bias))
    products = gram(source, visit=collected, memory=memory, report=report)
    length = bias.shape[-1]
    entry = getattr(source, "rounding", float(np.finfo(bias.dtype).eps))
    rounding = relative_rounding(length, bias.dtype, entry)
    mean, errors = collected.total / count, rounding_of(collected.energies, rounding, entry)
    return Probe(
        samples=count,
        length=length,
        mean_gradient=mean,
        mean_energy=energy_of(mean, np.asarray(np.sqrt((errors**2).mean(axis=0)))),
        sample_energy=Energy(*collected.energies.mean(axis=0)),
        spectrum=spectrum(products),
        gram=products,
        along={name: signal(collected.projections[..., index], errors) for index, name in enumerate(named)},
        leading=leading_signal(products, leading, jax.random.key(0) if key is None else key, rounding),
    )


def rounding_of(
    energies: Float[np.ndarray, "sample part *maps"], relative: float, entry: float
) -> Float[np.ndarray, "sample *maps"]:
    """What rounding can leave of <G_n, D>: `relative` |G_n|, and the norm of its gauge part.

    A softmax makes the gauge part 0, so what is there measures how far the model's own sums cancel: tokens
    with a large mean make every entry wrong by as much. A gauge part above the square root of the entries'
    rounding is real, from a bias that no softmax follows, and does not count.
    """
    sizes, gauge = np.sqrt(energies.sum(axis=1)), np.sqrt(energies[:, 0])
    return relative * sizes + np.where(gauge < entry**0.5 * sizes, gauge, 0.0)


def energy_of(gradient: Float[np.ndarray, "*maps query key"], rounding: Float[np.ndarray, "*maps"]) -> Energy:
    """Energies of one gradient, each part formed: exact down to eps times the part itself.

    All are 0 where its norm is at most `rounding`: the samples' gradients cancelled.
    """
    parts = np.asarray(part_energies(jnp.asarray(gradient).reshape(-1, *gradient.shape[-2:])))
    parts = parts.reshape(3, *gradient.shape[:-2])
    return Energy(*np.where(parts.sum(axis=0) > rounding**2, parts, 0.0))


@jax.jit
def part_energies(matrices: Float[Array, "map query key"]) -> Float[Array, "part map"]:
    """Squared norms of the three parts of every matrix."""
    return jnp.stack([jnp.sum(part**2, axis=(1, 2)) for part in jax.vmap(decompose)(matrices)])


class Collected:
    """What one look at each gradient leaves behind."""

    def __init__(self, source: Source, directions: Float[Array, "direction *maps query key"]) -> None:
        count, maps = source.samples, source.bias.shape[:-2]
        self.directions = directions
        self.energies = np.zeros((count, 3, *maps), source.bias.dtype)
        self.projections = np.zeros((count, *maps, len(directions)), source.bias.dtype)
        self.total = np.zeros(source.bias.shape, source.bias.dtype)
        self.visited = 0

    def __call__(self, start: int, gradients: Float[Array, "sample *maps query key"]) -> None:
        stop = start + len(gradients)
        counted = jnp.asarray(np.arange(start, stop) >= self.visited)
        energies, along, total = digest(gradients, self.directions, counted)
        self.energies[start:stop], self.projections[start:stop] = energies, along
        self.total += np.asarray(total)
        self.visited = stop


@jax.jit
def digest(
    gradients: Float[Array, "sample *maps query key"],
    directions: Float[Array, "direction *maps query key"],
    counted: Bool[Array, " sample"],
) -> tuple[
    Float[Array, "sample part *maps"], Float[Array, "sample *maps direction"], Float[Array, "*maps query key"]
]:
    """Energies and projections <G_n, D> of every sample, and the sum over those that count: one program."""
    along = jnp.moveaxis(directions, 0, -3)
    projections = jnp.sum(gradients[..., None, :, :] * along[None], axis=(-2, -1))
    return energies(gradients), projections, jnp.tensordot(counted.astype(gradients.dtype), gradients, axes=1)


def energies(gradients: Float[Array, "sample *maps query key"]) -> Float[Array, "sample part *maps"]:
    """Squared norms of gauge, key bias and the rest, from row and column means: no part is formed.

    By Pythagoras the doubly centred energy is what is left, down to eps times the whole.   [C1]
    """
    length = gradients.shape[-1]
    per_query, per_key = gradients.sum(axis=-1) / length, gradients.sum(axis=-2) / length
    excess = per_key - per_query.mean(axis=-1, keepdims=True)
    gauge, key_bias = (length * jnp.sum(part**2, axis=-1) for part in (per_query, excess))
    left = jnp.sum(gradients**2, axis=(-2, -1)) - gauge - key_bias
    return jnp.stack([gauge, key_bias, jnp.maximum(left, 0.0)], axis=1)


def leading_signal(
    gram: Float[np.ndarray, "*maps sample sample"], number: int, key: PRNGKeyArray, rounding: float
) -> Signal:
    """Signal along directions found on a random half of the samples, measured on the other."""
    count = gram.shape[-1]
    number = min(number, count // 2)
    split = np.random.default_rng(np.asarray(jax.random.key_data(key))).permutation(np.arange(count) % 2)
    matrices = gram.reshape(-1, count, count)
    halves = [leading_projections(matrix, split, number, rounding) for matrix in matrices]
    along, errors = (np.stack(part, axis=1) for part in zip(*halves, strict=True))
    return Signal(*(part.reshape(*gram.shape[:-2], number + 1) for part in signal(along, errors)))
