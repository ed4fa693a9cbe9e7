"""One vector from the features of a sequence's positions; those beyond its length do not count."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from full_scale.model.config import PoolKind

Length = Int[Array, ""] | None


def within(positions: int, length: Int[Array, ""]) -> Bool[Array, " length"]:
    """True before `length`."""
    return jnp.arange(positions, dtype=jnp.int32) < length


def mean(features: Float[Array, "length width"], length: Length) -> Float[Array, " width"]:
    """(1/L) sum_i z_i."""
    if length is None:
        return features.mean(axis=0)
    counted = within(len(features), length)[:, None]
    return jnp.where(counted, features, 0).sum(axis=0) / length.astype(jnp.float32)


def largest(features: Float[Array, "length width"], length: Length) -> Float[Array, " width"]:
    """max_i z_i, per feature."""
    if length is None:
        return features.max(axis=0)
    return jnp.where(within(len(features), length)[:, None], features, -jnp.inf).max(axis=0)


def last(features: Float[Array, "length width"], length: Length) -> Float[Array, " width"]:
    """z of the sequence's last position."""
    return features[-1 if length is None else length - 1]


def attended(
    features: Float[Array, "length width"], length: Length, query: Float[Array, " width"]
) -> Float[Array, " width"]:
    """sum_i a_i z_i with a = softmax(z q / sqrt(d)); the mean at q = 0, where training starts."""
    scores = features @ query / jnp.sqrt(jnp.float32(query.size))
    if length is not None:
        scores = jnp.where(within(len(features), length), scores, -jnp.inf)
    return jax.nn.softmax(scores) @ features


def pooled(
    kind: PoolKind,
    features: Float[Array, "length width"],
    length: Length,
    query: Float[Array, " width"] | None,
) -> Float[Array, " width"]:
    """The features' pool of this kind; of a CLS encoder the first row is the CLS token."""
    if kind == "cls":
        return features[0]
    if query is not None:
        return attended(features, length, query)
    return {"mean": mean, "max": largest, "last": last}[kind](features, length)
