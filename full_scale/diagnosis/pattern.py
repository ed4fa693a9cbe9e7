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

from full_scale.diagnosis.initialisation import ByHead
from full_scale.model import Scope, Transformer
from full_scale.model.blocks import Block
from full_scale.model.frozen_attention import counted, masked_softmax
from full_scale.model.transformer import nothing
from full_scale.objectives.batch_loss import Data


def pattern(model: Transformer, data: Data) -> Float[Array, "layer head query key"]:
    """The attention scores S_ij of the data's mean sequence, carried through the blocks."""
    state, scope, maps = _mean_sequence(model, data), longest(model, data), []
    for block in model.blocks:
        maps.append(scores_of(block, state, scope))
        state = block.explicit(state, scope)[0]
    return jnp.stack(maps)


def weights(model: Transformer, data: Data) -> Float[Array, "layer head query key"]:
    """The attention weights A_i = softmax(S_i) of the pattern's scores."""
    scope = longest(model, data)
    return jax.vmap(lambda scores: masked_softmax(scores, scope))(pattern(model, data))


def longest(model: Transformer, data: Data) -> Scope:
    """What the mean sequence reads: the positions that some sequence has."""
    return model.scope(None if data.lengths is None else data.lengths.max(), frozen_uniform=False)


def scores_of(
    block: Block, state: Float[Array, "position width"], scope: Scope
) -> Float[Array, "head query key"]:
    """S = Q K^T / sqrt(d_head) and what positions add to it, of the block's attention."""
    attention = block.attention
    query, key, _ = attention.vectors(jax.vmap(block.attention_norm)(state), scope)
    scores = jnp.einsum("hqd,hkd->hqk", query, key, preferred_element_type=jnp.float32)
    scores = scores / jnp.sqrt(jnp.float32(query.shape[-1]))
    fixed = attention.fixed(len(state), scope)
    return scores if fixed is None else scores + fixed


def _mean_sequence(model: Transformer, data: Data) -> Float[Array, "position width"]:
    """Each position's mean of what the first block reads, over the sequences that reach it."""
    read = jax.vmap(lambda tokens: model.embedded(tokens, nothing(tokens)))(data.tokens)
    if data.lengths is None:
        return read.mean(axis=0)
    known = jax.vmap(lambda length: counted(read.shape[1], model.scope(length, False)))(data.lengths)
    return (known[:, :, None] * read).sum(axis=0) / jnp.maximum(known.sum(axis=0), 1)[:, None]


def attention_perplexity(weights: Float[np.ndarray, "layer head query key"]) -> ByHead:
    """exp(entropy) of the rows, their mean, by layer and head: the number of keys that a query reads."""
    shares = np.asarray(weights, np.float64)
    shares = shares / shares.sum(axis=-1, keepdims=True)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)
    return tuple(tuple(layer) for layer in np.exp(entropy).mean(axis=-1).tolist())
