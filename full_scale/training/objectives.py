"""The mean loss of a batch: labels, hidden tokens, next tokens, or labels beside hidden tokens."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PRNGKeyArray

from full_scale.dataset import Split, on_device
from full_scale.model import Transformer
from full_scale.training.losses import label_loss, next_token_loss, reconstruction_loss
from full_scale.training.masking import Error, draw_mask
from full_scale.training.phases import Objective, Phase


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
    ratio: Float[Array, ""]
    label_weight: Float[Array, ""]

    @classmethod
    def of(cls, phase: Phase) -> "Target":
        """The phase's."""
        return cls(
            phase.objective,
            phase.masking.loss,
            phase.frozen_uniform,
            phase.freeze,
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
    """Mean label loss."""

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
        masked = draw_mask(len(tokens), key=key, ratio=target.ratio, seen=length)
        return reconstruction_loss(model, tokens, masked, length=length, **kind)

    return jax.vmap(one)(tokens, lengths, keys.reshape(-1)).mean()
