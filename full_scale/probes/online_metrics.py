"""What is measured of a model while it trains, per layer and head: cheap enough to leave on."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from full_scale.devices.mesh import SINGLE_DEVICE, Layout
from full_scale.model import Transformer
from full_scale.objectives.batch_loss import Data
from full_scale.objectives.phases import Phase
from full_scale.probes.held_out import NAMES, score_probes
from theory.probes.proximity import proximity_index

WINDOW = 2  # |i - j| <= 2 counts as near in `proximity_index`, as in sims
_MAPPED = 128  # validation sequences behind each attention map, fewer where they are long
SCORES = 2**23  # attention scores of one head in all these sequences
_MAX_MAPPED_LENGTH = 2048  # beyond, an explicit map does not fit


class Probe(NamedTuple):
    """Measures taken every `TrialConfig.probe_every` steps on validation data."""

    names: tuple[str, ...]
    measure: Callable[[Transformer, Phase, Data, PRNGKeyArray, Layout], dict[str, Array]]
    """An array (layer, head) for each name."""


PROBES: tuple[Probe, ...] = (Probe(NAMES, score_probes),)


def probed(
    model: Transformer, phase: Phase, held_out: Data, *, key: PRNGKeyArray, layout: Layout = SINGLE_DEVICE
) -> dict[str, Array]:
    """Every probe's measures."""
    metrics: dict[str, Array] = {}
    for index, probe in enumerate(PROBES):
        metrics |= probe.measure(model, phase, held_out, jax.random.fold_in(key, index), layout)
    return metrics


def mapped(length: int) -> int:
    """How many sequences of this length an average attention map takes; 0 where none fits."""
    return 0 if length > _MAX_MAPPED_LENGTH else max(1, min(_MAPPED, SCORES // length**2))


def proximity(model: Transformer, held_out: Data, frozen_uniform: bool) -> Float[Array, "layer head"]:
    """The proximity index of every layer and head; NaN where sequences are too long for a map."""
    count = mapped(model.inputs.length)
    if count == 0:
        return jnp.full((model.config.layers, model.config.heads), jnp.nan, jnp.float32)
    first = held_out.rows(slice(count))
    if model.inputs.pair:
        first = jax.tree.map(lambda leaf: leaf[:, 0], first._replace(labels=first.labels[:, None]))
    return proximity_indices(attention_maps(model, first.tokens, frozen_uniform, first.lengths))


@eqx.filter_jit
def attention_maps(
    model: Transformer, tokens: Array, frozen_uniform: bool = False, lengths: Array | None = None
) -> Float[Array, "layer head query key"]:
    """Attention weights averaged over sequences, nothing masked."""

    def weights(one: tuple[Array, Array | None]) -> Array:
        return model.attention_weights(one[0], length=one[1], frozen_uniform=frozen_uniform)

    return jax.lax.map(weights, (tokens, lengths), batch_size=32).mean(axis=0)


@jax.jit
def proximity_indices(maps: Float[Array, "layer head query key"]) -> Float[Array, "layer head"]:
    """The proximity index of every layer and head."""
    return jax.vmap(jax.vmap(lambda weights: proximity_index(weights, WINDOW)))(maps)
