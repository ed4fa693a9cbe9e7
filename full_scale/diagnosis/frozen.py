"""The user's architecture with its attention frozen: at uniform, or at a given pattern of scores.   [C19]

Exact for every length, padding and mask. Frozen scores are the same for every sequence, so that no
object of size length x length is made per sequence.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from full_scale.model import Attention, Scope, Transformer


class FrozenAttention(eqx.Module):
    """H_i = sum_j A_ij v_j with A_ij = E_ij / sum_j E_ij over the keys in scope, and a shift added to H.

    `kernel` is E = exp(scores), the same for every sequence; None: A is uniform. The shift, 0, is there
    to be differentiated in.
    """

    attention: Attention
    kernel: Float[Array, "head query key"] | None = None
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
        seen = counted(value.shape[1], scope)
        mixed = averaged(value * seen[None, :, None], seen, self.kernel, scope.causal)
        return mixed if self.shift is None else mixed + self.shift


def counted(length: int, scope: Scope) -> Float[Array, " length"]:
    """1 at the keys before the scope's length, 0 behind."""
    if scope.length is None:
        return jnp.ones(length, jnp.float32)
    return (jnp.arange(length, dtype=jnp.int32) < scope.length).astype(jnp.float32)


def averaged(
    seen_value: Float[Array, "head length d_head"],
    seen: Float[Array, " length"],
    kernel: Float[Array, "head query key"] | None,
    causal: bool,
) -> Float[Array, "head length d_head"]:
    """sum_j E_ij m_j v_j / sum_j E_ij m_j, j <= i only if causal; `seen_value` is m_j v_j."""
    if kernel is None:
        add = (
            (lambda a, axis: jnp.cumsum(a, axis)) if causal else (lambda a, axis: a.sum(axis, keepdims=True))
        )
        mean = add(seen_value, 1) / add(seen, 0)[None, :, None]
        return jnp.broadcast_to(mean, seen_value.shape)
    weights = jnp.tril(kernel) if causal else kernel
    return jnp.einsum("hqk,hkd->hqd", weights, seen_value) / (weights @ seen)[:, :, None]


def frozen(
    model: Transformer,
    kernels: Float[Array, "layer head query key"] | None = None,
    shifts: Float[Array, "layer head length d_head"] | None = None,
) -> Transformer:
    """The model with every layer's attention frozen; its other parameters are the model's own."""
    part = lambda stack, layer: None if stack is None else stack[layer]
    attentions = [
        FrozenAttention(block.attention, part(kernels, layer), part(shifts, layer))
        for layer, block in enumerate(model.blocks)
    ]
    return eqx.tree_at(lambda tree: [block.attention for block in tree.blocks], model, attentions)


def zero_shifts(model: Transformer, length: int) -> Float[Array, "layer head length d_head"]:
    """A shift of 0 for every layer, head, position."""
    layers, heads, seen, _ = model.bias_shape(length)
    return jnp.zeros((layers, heads, seen, model.config.width // heads), jnp.float32)
