"""What a loss sees of attention scores, for any model: the probe. Exact up to rounding and sampling.

Theory's questions asked of a model that nobody here wrote: which part of score space do its gradients
lie in, how many directions do they span, and how loud is the signal in them?   [C1, C2, C9, C19]
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from theory.probes.gram import MEMORY, Report, gram
from theory.probes.signal import Signal, found_projections, normalised, signal
from theory.probes.sources import Loss, Objective, Source, differentiated
from theory.probes.spectrum import Spectrum, spectrum
from theory.subspaces import decompose

FOUND = 3


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
        """key bias / (key bias + doubly centred); NaN where both are 0.   [C1, C2, C9]"""
        total = self.key_bias + self.doubly_centred
        return np.divide(self.key_bias, total, out=np.full_like(total, np.nan), where=total > 0)


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
    found: Signal
    """Held-out, along the mean gradient of the other half, then its leading directions: (..., 1 + found)."""

    @property
    def rank_is_conclusive(self) -> bool:
        """More samples than directions found: the rank is the space's, not the sample's."""
        return bool((self.spectrum.rank < self.samples).all())


def probe(
    loss: Loss,
    params: PyTree,
    batch: PyTree,
    *,
    bias: Float[Array, "*maps query key"],
    directions: Mapping[str, Float[Array, "..."]] | None = None,
    found: int = FOUND,
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
        such as masks or their keys, travel in the batch.
    params, batch
        Any pytrees; every leaf of `batch` has the samples in front.
    bias
        Where to differentiate, shape (..., L, L) with layers and heads in front; usually zeros.
        float64 for ranks.
    directions
        Named score directions, each (L, L) or of the bias's shape, along which to take the signal.
    found
        How many leading directions of one half of the samples to test on the other.
    key
        Splits the samples into these halves; `jax.random.key(0)` when None.
    memory
        Bytes of gradients held at once. Samples that do not fit are differentiated again.
    report
        Called with (done, total) gradients.

    Returns
    -------
    Energies of gauge, key bias and doubly centred part, spectrum and ranks, signal to noise.

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
    return probe_source(source, directions=directions, found=found, key=key, memory=memory, report=report)


def probe_source(
    source: Source,
    *,
    directions: Mapping[str, Float[Array, "..."]] | None = None,
    found: int = FOUND,
    key: PRNGKeyArray | None = None,
    memory: int = MEMORY,
    report: Report | None = None,
) -> Probe:
    """`probe` of gradients from anywhere: see `theory.probes.sources.Source`."""
    bias, count = source.bias, source.samples
    named = dict(directions or {})
    collected = Collected(source, normalised(named, bias))
    products = gram(source, visit=collected, memory=memory, report=report)
    along = {name: signal(collected.projections[..., place]) for place, name in enumerate(named)}
    mean = np.asarray(collected.total / count)
    return Probe(
        samples=count,
        length=bias.shape[-1],
        mean_gradient=mean,
        mean_energy=energy_of(mean),
        sample_energy=Energy(*collected.energies.mean(axis=0)),
        spectrum=spectrum(products),
        gram=products,
        along=along,
        found=found_signal(products, found, jax.random.key(0) if key is None else key),
    )


def energy_of(gradient: Float[np.ndarray, "*maps query key"]) -> Energy:
    """Energies of one gradient, each part formed: exact down to eps times the part itself."""
    matrices = jnp.asarray(gradient).reshape(-1, *gradient.shape[-2:])
    parts = jax.vmap(decompose)(matrices)
    return Energy(*(np.asarray(jnp.sum(part**2, (1, 2))).reshape(gradient.shape[:-2]) for part in parts))


class Collected:
    """What one look at each gradient leaves behind."""

    def __init__(self, source: Source, directions: Float[Array, "direction *maps query key"]) -> None:
        count, maps = source.samples, source.bias.shape[:-2]
        self.directions = directions
        self.energies = np.zeros((count, 3, *maps), source.bias.dtype)
        self.projections = np.zeros((count, *maps, len(directions)), source.bias.dtype)
        self.total = jnp.zeros(source.bias.shape, source.bias.dtype)
        self.seen = 0

    def __call__(self, start: int, gradients: Float[Array, "sample *maps query key"]) -> None:
        stop = start + len(gradients)
        self.energies[start:stop] = energies(gradients)
        self.projections[start:stop] = projections(gradients, self.directions)
        self.total += weighted_sum(gradients, np.arange(start, stop) >= self.seen)
        self.seen = stop


@jax.jit
def energies(gradients: Float[Array, "sample *maps query key"]) -> Float[Array, "sample part *maps"]:
    """Squared norms of gauge, key bias and the rest, from row and column means: no part is formed.

    By Pythagoras the doubly centred energy is what is left, down to eps times the whole.   [C1]
    """
    length = gradients.shape[-1]
    per_query = gradients @ jnp.full(length, 1 / length, gradients.dtype)
    per_key = gradients.sum(axis=-2) / length
    excess = per_key - per_query.mean(axis=-1, keepdims=True)
    gauge, key_bias = (length * jnp.sum(part**2, axis=-1) for part in (per_query, excess))
    whole = jnp.einsum("...qk,...qk->...", gradients, gradients)
    left = whole - gauge - key_bias
    return jnp.stack([gauge, key_bias, jnp.maximum(left, 0.0)], axis=1)


@jax.jit
def projections(
    gradients: Float[Array, "sample *maps query key"], directions: Float[Array, "direction *maps query key"]
) -> Float[Array, "sample *maps direction"]:
    """<G_n, D> for every sample, layer, head and direction."""
    return jnp.einsum("n...qk,d...qk->n...d", gradients, directions)


@jax.jit
def weighted_sum(
    gradients: Float[Array, "sample *maps query key"], counted: Bool[Array | np.ndarray, " sample"]
) -> Float[Array, "*maps query key"]:
    """Sum over the samples that count, as a product of matrices: several times faster than a reduction."""
    return jnp.einsum("n,n...->...", counted.astype(gradients.dtype), gradients)


def found_signal(gram: Float[np.ndarray, "*maps sample sample"], number: int, key: PRNGKeyArray) -> Signal:
    """Signal along directions found on a random half of the samples, measured on the other."""
    count = gram.shape[-1]
    number = min(number, count // 2)
    split = np.asarray(jax.random.permutation(key, jnp.arange(count) % 2))
    matrices = gram.reshape(-1, count, count)
    along = np.stack([found_projections(matrix, split, number) for matrix in matrices], axis=1)
    return Signal(*(part.reshape(*gram.shape[:-2], number + 1) for part in signal(along)))
