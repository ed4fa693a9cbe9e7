"""`theory.probes` of the attention scores, per layer and head, on a few held-out sequences.

Labels and reconstruction are both asked, whichever the phase trains. Names and definitions are those of
`full_scale.probes.measures`, there taken once, over many more sequences.   [C1, C2, C10, C16, C19]
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from full_scale.devices.mesh import SINGLE_DEVICE, Layout
from full_scale.model import Attention, Scope, Transformer
from full_scale.objectives.batch_loss import Data, Target
from full_scale.objectives.losses import label_loss, reconstruction_loss
from full_scale.objectives.masking import draw_mask
from full_scale.objectives.phases import Phase
from full_scale.probes.score_slopes import Heads, Sums, gradient, head_slopes, online_lag_profile, sums
from theory.label_blindness.subspaces import visible_share
from theory.probes.lags import profile_cosine
from theory.probes.signal import unbiased_snr

PROBED_SEQUENCES = 32  # sequences
RARELY = 200  # a probed sequence costs at most some five trained ones: well below 5 % of the time
MAX_PROBED_LENGTH = 4096  # beyond, a head's explicit scores do not fit
TILE = 2**23  # scores of one layer's heads in all sequences taken at once
LOSSES = ("label", "reconstruction")
NAMES = (
    *(f"{name}_{loss}" for name in ("visible_share", "proximity_alignment", "snr") for loss in LOSSES),
    "snr_ratio",
)


def interval(batch: int, every: int) -> int:
    """Steps between probes of a run that evaluates every so many: at most one probed in RARELY trained."""
    return max(1, -(-PROBED_SEQUENCES * RARELY // (batch * every))) * every


def score_probes(
    model: Transformer, phase: Phase, held_out: Data, key: PRNGKeyArray, layout: Layout = SINGLE_DEVICE
) -> dict[str, Array]:
    """Every name's (layer, head); NaN for pairs and where sequences are too long."""
    if model.inputs.pair or model.inputs.length > MAX_PROBED_LENGTH:
        nothing = jnp.full((model.config.layers, model.config.heads), jnp.nan, jnp.float32)
        return dict.fromkeys(NAMES, nothing)
    some = held_out.rows(slice(PROBED_SEQUENCES))
    return _measured(model, probe_target(phase), some, jax.random.split(key, len(some.labels)), layout)


def probe_target(phase: Phase) -> Target:
    """The masks and the error of both losses: the same, and one program, in all of a run's phases."""
    own = Target.of(phase)
    error = own.error if own.objective != "labels" else "auto"
    return dataclasses.replace(own, objective="both", error=error, freeze=())


@eqx.filter_jit
def _measured(
    model: Transformer, target: Target, data: Data, keys: Key[Array, " n"], layout: Layout
) -> dict[str, Array]:
    length, heads = data.tokens.shape[1], model.config.heads
    chunk = max(1, min(len(keys), TILE // (heads * length**2)))

    def taken(given: tuple[Transformer, Target], rows: tuple[Data, Key[Array, " n"]]) -> PyTree:
        return jax.lax.map(lambda one: reduced(*given, *one), rows, batch_size=chunk)

    by_loss, inputs = layout.each(taken, (model, target), (data, keys))
    law = online_lag_profile(covariance(inputs))[:, None]
    measures: dict[str, Array] = {}
    for loss, (each, profiles) in by_loss.items():
        measures[f"visible_share_{loss}"] = shares(each)
        aligned = profile_cosine(-profiles.mean(axis=0), law)
        measures[f"proximity_alignment_{loss}"] = aligned
        measures[f"snr_{loss}"] = unbiased_snr(each.along)
    label = measures["snr_label"]
    ratio = measures["snr_reconstruction"] / jnp.where(label > 0, label, 1)
    return measures | {"snr_ratio": jnp.where(label > 0, ratio, jnp.nan)}


def reduced(
    model: Transformer, target: Target, one: Data, key: PRNGKeyArray
) -> tuple[dict[str, tuple[Sums, Array]], Float[Array, "layer position width"]]:
    """One sequence's sums and lag profiles for both losses, and what every layer read, nothing masked."""
    tokens, length, label = one
    kind = dict(length=length, frozen_uniform=target.frozen_uniform)
    masked = draw_mask(len(tokens), key=key, ratio=target.ratio, real_length=length)
    losses = {
        "label": lambda own: label_loss(own, tokens, label, **kind),
        "reconstruction": lambda own: reconstruction_loss(own, tokens, masked, error=target.error, **kind),
    }
    scope = model.scope(length, target.frozen_uniform)
    positions = model.front + len(tokens)
    real_length = jnp.asarray(positions if scope.length is None else scope.length, jnp.float32)
    by_loss: dict[str, tuple[Sums, Array]] = {}
    read: dict[str, Array] = {}
    for loss, function in losses.items():
        layers, slopes = head_slopes(model, function, len(tokens))
        blocks = zip(model.blocks, layers, slopes, strict=True)
        parts = [_layer_sums(block.attention, *of, scope, real_length) for block, *of in blocks]
        by_loss[loss] = jax.tree.map(lambda *each: jnp.stack(each), *parts)
        read[loss] = jnp.stack([layer.inputs for layer in layers])
    return by_loss, read["label"]


def _layer_sums(
    attention: Attention, heads: Heads, slope: Array, scope: Scope, real_length: Array
) -> tuple[Sums, Float[Array, "head lag"]]:
    """One layer's sums, and its gradient's profile over lags."""
    slopes = gradient(attention, heads, slope, scope)
    return sums(slopes, real_length), online_lag_profile(slopes)


def covariance(inputs: Float[Array, "n layer position width"]) -> Float[Array, "layer query key"]:
    """Mean inner products of what positions hold, centred over sequences."""
    centred = inputs - inputs.mean(axis=0, keepdims=True)
    return jnp.einsum("nliw,nljw->lij", centred, centred) / len(inputs)


def shares(each: Sums) -> Float[Array, "layer head"]:
    """Key-bias energy over all energy of single sequences' gradients."""
    return visible_share(each.key_bias_energy.sum(axis=0), each.energy.sum(axis=0))
