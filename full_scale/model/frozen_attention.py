"""The user's architecture with its attention frozen: at uniform, or at a given pattern of scores.   [C19]

Exact for every length, padding and mask. Frozen scores are the same for every sequence; masks act on them
before the softmax, so that a row whose weight lies on padding is an ordinary row of the keys that are left.
Without padding no object of size length x length is made per sequence.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from full_scale.model import Attention, Scope, Transformer
from full_scale.model.attention import allowed

ROWS = 256  # queries whose weights are held at once where sequences are longer


class FrozenAttention(eqx.Module):
    """H_i = sum_j A_ij v_j with A_i = softmax(S_i) over the keys in scope, and a shift added to H.

    The scores S are the same for every sequence; None: A is uniform. The shift, 0, is there to be
    differentiated in.
    """

    attention: Attention
    scores: Float[Array, "head query key"] | None = None
    shift: Float[Array, "head length d_head"] | None = None

    def __call__(
        self, tokens: Float[Array, "length width"], bias: Array | None, scope: Scope
    ) -> Float[Array, "length width"]:
        """W_O (A V + shift)."""
        return self.attention.joined(self.mixed(self.values(tokens, scope), scope))

    def values(
        self, tokens: Float[Array, "length width"], scope: Scope
    ) -> Float[Array, "head length d_head"]:
        """v_j, head by head."""
        uniform = Scope(scope.length, scope.causal, frozen_uniform=True)
        return self.attention.vectors(tokens, uniform)[2].astype(jnp.float32)

    def mixed(
        self, value: Float[Array, "head length d_head"], scope: Scope
    ) -> Float[Array, "head length d_head"]:
        """A V + shift."""
        if self.scores is None:
            mask = counted(value.shape[1], scope)
            mixed = averaged(value * mask[None, :, None], mask, scope.causal)
        else:
            mixed = weighted(value, self.scores, scope)
        return mixed if self.shift is None else mixed + self.shift


def counted(length: int, scope: Scope) -> Float[Array, " length"]:
    """1 at the keys before the scope's length, 0 behind; the first key always counts."""
    if scope.length is None:
        return jnp.ones(length, jnp.float32)
    return (jnp.arange(length, dtype=jnp.int32) < jnp.maximum(scope.length, 1)).astype(jnp.float32)


def averaged(
    masked_value: Float[Array, "head length d_head"], mask: Float[Array, " length"], causal: bool
) -> Float[Array, "head length d_head"]:
    """sum_j m_j v_j / sum_j m_j, j <= i only if causal; `masked_value` is m_j v_j."""
    add = (lambda a, axis: jnp.cumsum(a, axis)) if causal else (lambda a, axis: a.sum(axis, keepdims=True))
    mean = add(masked_value, 1) / add(mask, 0)[None, :, None]
    return jnp.broadcast_to(mean, masked_value.shape)


def weighted(
    value: Float[Array, "head length d_head"], scores: Float[Array, "head query key"], scope: Scope
) -> Float[Array, "head length d_head"]:
    """softmax(S) V over the keys in scope; of long sequences, `ROWS` queries at a time."""
    length = value.shape[1]
    if length <= ROWS or scope.length is None:
        return jnp.einsum("hqk,hkd->hqd", masked_softmax(scores, scope), value)

    @jax.checkpoint
    def row(item: tuple[Array, Array]) -> Float[Array, "head d_head"]:
        scores, mask = item
        weights = jax.nn.softmax(jnp.where(mask, scores, jnp.finfo(scores.dtype).min), axis=-1)
        return jnp.einsum("hk,hkd->hd", weights, value)

    keys = allowed(length, length, scope.length, scope.causal)
    return jax.lax.map(row, (scores.swapaxes(0, 1), keys), batch_size=ROWS).swapaxes(0, 1)


def masked_softmax(scores: Float[Array, "head query key"], scope: Scope) -> Float[Array, "head query key"]:
    """A_i = softmax(S_i) over the keys in scope, 0 at all others."""
    mask = allowed(*scores.shape[1:], scope.length, scope.causal)
    if mask is not None:
        scores = jnp.where(mask, scores, jnp.finfo(scores.dtype).min)
    return jax.nn.softmax(scores, axis=-1)


def frozen(
    model: Transformer,
    scores: Float[Array, "layer head query key"] | None = None,
    shifts: Float[Array, "layer head length d_head"] | None = None,
) -> Transformer:
    """The model with every layer's attention frozen; its other parameters are the model's own."""
    part = lambda stack, layer: None if stack is None else stack[layer]
    attentions = [
        FrozenAttention(block.attention, part(scores, layer), part(shifts, layer))
        for layer, block in enumerate(model.blocks)
    ]
    return eqx.tree_at(lambda tree: [block.attention for block in tree.blocks], model, attentions)


def zero_shifts(model: Transformer, length: int) -> Float[Array, "layer head length d_head"]:
    """A shift of 0 for every layer, head, position."""
    layers, heads, positions, _ = model.bias_shape(length)
    return jnp.zeros((layers, heads, positions, model.config.width // heads), jnp.float32)
