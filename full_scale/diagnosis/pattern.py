"""The pattern of a model's attention: what of it is the same for every sequence.

Its scores are those of the mean sequence, read by the model's own weights, so that positions, queries, keys
and their rank are the architecture's. It stands for attention where scores vary little between sequences:
patterns that depend on what is attended to are not in it. Training it costs about as much as a frozen one:
nothing of size length x length is made per sequence.   [C13, C19]
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from full_scale.diagnosis.frozen import counted
from full_scale.model import Transformer
from full_scale.model.transformer import nothing
from full_scale.training.objectives import Data

UNREAD = 1e-30  # added to every weight: padding may cut off all other keys


def pattern(model: Transformer, data: Data) -> Float[Array, "layer head query key"]:
    """A_ij of the data's mean sequence, carried through the blocks; every entry is positive."""
    state, scope, maps = mean_sequence(model, data), model.scope(None, frozen_uniform=False), []
    for block in model.blocks:
        state, weights = block.explicit(state, scope)
        maps.append(weights)
    return jnp.stack(maps) + jnp.float32(UNREAD)


def mean_sequence(model: Transformer, data: Data) -> Float[Array, "position width"]:
    """Each position's mean of what the first block reads, over the sequences that reach it."""
    read = jax.vmap(lambda tokens: model.embedded(tokens, nothing(tokens)))(data.tokens)
    if data.lengths is None:
        return read.mean(axis=0)
    seen = jax.vmap(lambda length: counted(read.shape[1], model.scope(length, False)))(data.lengths)
    return (seen[:, :, None] * read).sum(axis=0) / jnp.maximum(seen.sum(axis=0), 1)[:, None]


def keys_read(weights: Float[np.ndarray, "layer head query key"]) -> list[list[float]]:
    """exp(entropy) of the rows, their mean, by layer and head: the number of keys that a query reads."""
    shares = np.asarray(weights, np.float64)
    shares = shares / shares.sum(axis=-1, keepdims=True)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)
    return np.exp(entropy).mean(axis=-1).tolist()
