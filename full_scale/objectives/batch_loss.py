"""The mean loss of a batch: labels, hidden tokens, next tokens, or labels beside hidden tokens."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key, PRNGKeyArray

from full_scale.data.dataset import Split, on_device
from full_scale.model import Transformer
from full_scale.objectives.losses import label_loss, next_token_loss, reconstruction_loss
from full_scale.objectives.masking import Error, MaskKind, draw_blocks, draw_channels, draw_mask
from full_scale.objectives.phases import Objective, Phase
from sims.runs.errors import UserError


class Data(NamedTuple):
    """Sequences on the device, (n, ...) each; `lengths` is None where every sequence is full."""

    tokens: Array
    lengths: Array | None
    labels: Array

    @classmethod
    def of(cls, split: Split) -> "Data":
        """A data set's part."""
        tokens, lengths, labels = on_device(split)
        return cls(tokens, None if split.lengths is None else lengths, labels)

    def rows(self, chosen: Array | slice) -> "Data":
        """Some of the sequences."""
        return jax.tree.map(lambda leaf: leaf[chosen], self)


def sampled(split: Split, most: int) -> Data:
    """At most so many sequences of a part, evenly spaced."""
    return Data.of(split).rows(slice(None, None, -(-len(split) // most)))


class Target(eqx.Module):
    """What a phase's loss is, apart from data and model; the weights and the ratio are traced."""

    objective: Objective = eqx.field(static=True)
    error: Error = eqx.field(static=True)
    frozen_uniform: bool = eqx.field(static=True)
    freeze: tuple[str, ...] = eqx.field(static=True)
    kind: MaskKind = eqx.field(static=True)
    block: int = eqx.field(static=True)
    ratio: Float[Array, ""]
    label_weight: Float[Array, ""]

    @classmethod
    def of(cls, phase: Phase) -> "Target":
        """Settings of the phase that is being trained."""
        return cls(
            phase.objective,
            phase.masking.loss,
            phase.frozen_uniform,
            phase.freeze,
            phase.masking.kind,
            phase.masking.block,
            jnp.asarray(phase.masking.ratio, jnp.float32),
            jnp.asarray(phase.label_weight, jnp.float32),
        )


def batch_loss(model: Transformer, target: Target, batch: Data, *, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean loss of a batch; `both` is label_weight x labels + reconstruction."""
    return keyed_loss(model, target, batch, mask_keys(model, target, len(batch.labels), key=key))


def mask_keys(
    model: Transformer, target: Target, count: int, *, key: PRNGKeyArray
) -> Key[Array, "..."] | None:
    """A key for every sequence of a batch, (n,) or of pairs (n, 2); None where nothing is hidden."""
    if target.objective == "labels":
        return None
    return jax.random.split(key, (count, 2) if model.inputs.pair else (count,))


def keyed_loss(
    model: Transformer, target: Target, batch: Data, keys: Key[Array, "..."] | None
) -> Float[Array, ""]:
    """`batch_loss`, each sequence's masks drawn by its own key."""
    if keys is None:
        return labelled(model, target, batch)
    loss = unlabelled(model, target, batch, keys)
    if target.objective == "both":
        return target.label_weight * labelled(model, target, batch) + loss
    return loss


def labelled(model: Transformer, target: Target, batch: Data) -> Float[Array, ""]:
    """The mean label loss of the batch."""

    def one(tokens: Array, length: Array | None, label: Array) -> Array:
        return label_loss(model, tokens, label, length=length, frozen_uniform=target.frozen_uniform)

    return jax.vmap(one)(*batch).mean()


def unlabelled(model: Transformer, target: Target, batch: Data, keys: Key[Array, "..."]) -> Float[Array, ""]:
    """Mean loss of hidden or next tokens; of a pair, both sequences count."""
    tokens, lengths = batch.tokens, batch.lengths
    if model.inputs.pair:
        tokens = tokens.reshape(-1, tokens.shape[-1])
        lengths = None if lengths is None else lengths.reshape(-1)
    kind = dict(frozen_uniform=target.frozen_uniform, error=target.error)

    def one(tokens: Array, length: Array | None, key: PRNGKeyArray) -> Array:
        if target.objective == "next_token":
            return next_token_loss(model, tokens, length=length, **kind)
        masked = drawn_mask(model, target, len(tokens), length, key=key)
        return reconstruction_loss(model, tokens, masked, length=length, **kind)

    return jax.vmap(one)(tokens, lengths, keys.reshape(-1)).mean()


def drawn_mask(
    model: Transformer, target: Target, length: int, real_length: Array | None, *, key: PRNGKeyArray
) -> Bool[Array, " length"] | Bool[Array, "length channel"]:
    """What is hidden of one sequence. Raises UserError for whole channels where there is one alone."""
    given = dict(key=key, ratio=target.ratio, real_length=real_length)
    if target.kind == "positions":
        return draw_mask(length, **given)
    if target.kind == "blocks":
        return draw_blocks(length, block=target.block, **given)
    channels = model.inputs.channels
    if model.inputs.symbols is not None or channels == 1:
        raise UserError(
            "masks of whole channels need values of several channels: got "
            f"{'symbols' if model.inputs.symbols else 'one channel'}; try blocks"
        )
    return draw_channels(length, channels, **given)
