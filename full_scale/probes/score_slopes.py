"""What a batch of losses sees of every head's scores, without an explicit bias: cheap enough while training.

Exact for every length. With H_i = sum_j A_ij v_j a head's output and D_i = dloss/dH_i,

    dloss/dS_ij = A_ij (D_i.v_j - D_i.H_i),

whose rows sum to 0. Sequences are taken one after another, and of each only sums are kept.   [C1, C2, C10]
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from full_scale.model import Attention, Scope, Transformer
from full_scale.model.attention import attend, attention_weights


class Heads(eqx.Module):
    """One layer's attention to one sequence: what it read, and what its heads made of it."""

    inputs: Float[Array, "length width"]
    query: Float[Array, "head length d_head"]
    key: Float[Array, "head length d_head"]
    value: Float[Array, "head length d_head"]
    mixed: Float[Array, "head length d_head"]


class Sums(eqx.Module):
    """Of one sequence's score gradients, by head: squared norm, that of its key-bias part, lag 1's share."""

    energy: Float[Array, "*layer head"]
    key_bias_energy: Float[Array, "*layer head"]
    along: Float[Array, "*layer head"]


def _nudged(attention: Attention, nudge: Array, recorded: list[Heads]) -> Callable[..., Array]:
    """The attention with `nudge` added to its heads' outputs; what it computes is appended to `recorded`."""

    def mixing(tokens: Array, bias: Array | None, scope: Scope) -> Array:
        query, key, value = attention.vectors(tokens, scope)
        method = "explicit" if scope.frozen_uniform else attention.config.attention
        kind = dict(length=scope.length, causal=scope.causal, method=method)
        mixed = attend(query, key, value, bias=bias, fixed=attention.fixed(len(tokens), scope), **kind)
        recorded.append(Heads(*jax.tree.map(jax.lax.stop_gradient, (tokens, query, key, value, mixed))))
        return attention.joined(mixed + nudge.astype(mixed.dtype))

    return mixing


def head_slopes(
    model: Transformer, loss: Callable[[Transformer], Array], length: int
) -> tuple[tuple[Heads, ...], Float[Array, "layer head length d_head"]]:
    """Every layer's heads, and the slope of one sequence's loss in their outputs."""
    config = model.config
    shape = (config.layers, config.heads, model.front + length, config.width // config.heads)
    attentions = lambda one: [block.attention for block in one.blocks]

    def probed(nudges: Array) -> tuple[Array, tuple[Heads, ...]]:
        recorded: list[Heads] = []
        own = [
            _nudged(attention, nudge, recorded)
            for attention, nudge in zip(attentions(model), nudges, strict=True)
        ]
        return loss(eqx.tree_at(attentions, model, own)), tuple(recorded)

    slopes, heads = jax.grad(probed, has_aux=True)(jnp.zeros(shape, jnp.float32))
    return heads, slopes


def gradient(
    attention: Attention, heads: Heads, slope: Float[Array, "head length d_head"], scope: Scope
) -> Float[Array, "head query key"]:
    """A_ij (D_i.v_j - D_i.H_i) of one layer and sequence."""
    fixed = attention.fixed(len(heads.inputs), scope)
    weights = attention_weights(heads.query, heads.key, fixed, scope.length, scope.causal)
    value, mixed = heads.value.astype(jnp.float32), heads.mixed.astype(jnp.float32)
    weight_slopes = jnp.einsum("hqd,hkd->hqk", slope, value)
    return weights * (weight_slopes - (slope * mixed).sum(axis=-1)[:, :, None])


def sums(gradient: Float[Array, "head query key"], real_length: Float[Array, ""]) -> Sums:
    """Reduced over the first `real_length` positions, beyond which the gradient is 0.

    Along the unit doubly-centred direction towards |i - j| = 1: the sum over these entries minus its
    key-bias part, over the direction's norm, whose square is 2n - 2 - 2 (4n - 6) / n + 4 (n - 1)^2 / n^2.
    """
    received = gradient.sum(axis=1)
    near = jnp.diagonal(gradient, 1, 1, 2).sum(axis=-1) + jnp.diagonal(gradient, -1, 1, 2).sum(axis=-1)
    at = jnp.arange(gradient.shape[-1], dtype=jnp.float32)
    times = 2.0 - (at == 0).astype(jnp.float32) - (at == real_length - 1).astype(jnp.float32)
    norm = jnp.sqrt(
        2 * real_length
        - 2
        - 2 * (4 * real_length - 6) / real_length
        + 4 * (real_length - 1) ** 2 / real_length**2
    )
    return Sums(
        (gradient**2).sum(axis=(1, 2)),
        (received**2).sum(axis=1) / real_length,
        (near - (received * times[None]).sum(axis=1) / real_length) / jnp.maximum(norm, 1e-6),
    )


def online_lag_profile(matrices: Float[Array, "*any query key"]) -> Float[Array, "*any lag"]:
    """`theory.probes.lag_profile` of every matrix, all lags at once: row i is skewed by i, columns are summed."""
    *front, length, _ = matrices.shape
    wide = jnp.concatenate([matrices[..., ::-1], jnp.zeros_like(matrices)], axis=-1)
    skewed = wide.reshape(*front, -1)[..., :-length].reshape(*front, length, 2 * length - 1)
    by_lag = skewed.sum(axis=-2)  # column L - 1 - (j - i)
    both = by_lag[..., length - 1 :: -1] + by_lag[..., length - 1 :]
    count = 2 * jnp.arange(length, 0, -1, dtype=both.dtype)
    return both / jnp.broadcast_to(count, both.shape)
