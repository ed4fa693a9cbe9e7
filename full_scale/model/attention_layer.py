"""Multi-head attention of one sequence: projections, positions in the scores, an additive score bias."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from full_scale.model.affine import apply, linear, project
from full_scale.model.attention import attend, attention_weights
from full_scale.model.config import ModelConfig
from full_scale.model.mimetic import mimetic
from full_scale.model.pools import mean
from full_scale.model.positions import alibi, rotated

NAMES = ("query", "key", "value", "output")
_COPIED = {"independent": (), "mimetic": (), "qk": ("key",), "qkvo": ("key", "value", "output")}


class Scope(eqx.Module):
    """Which keys a query may read: those before `length` (None: all), and none after itself if causal.

    With `frozen_uniform` the scores S count as 0, and so do positions in the scores.
    """

    length: Int[Array, ""] | None = None
    causal: bool = eqx.field(static=True, default=False)
    frozen_uniform: bool = eqx.field(static=True, default=False)


class Attention(eqx.Module):
    """Scores S = Q K^T / sqrt(d_head) and an additive bias on S.   [C19]

    With `copies` the named projections start with the query's weight and bias, and are then trained
    apart: W_Q = W_K makes S a positive semidefinite kernel of the tokens at step 0.   [C14]
    """

    query: eqx.nn.Linear
    key: eqx.nn.Linear
    value: eqx.nn.Linear
    output: eqx.nn.Linear
    config: ModelConfig = eqx.field(static=True)

    def __init__(self, config: ModelConfig, *, key: PRNGKeyArray) -> None:
        for name, name_key in zip(NAMES, jax.random.split(key, len(NAMES)), strict=True):
            setattr(self, name, linear(config.width, config.width, key=name_key))
        for name in _COPIED[config.copies]:
            setattr(self, name, jax.tree.map(jnp.copy, self.query))
        if config.copies == "mimetic":
            weights = mimetic(config.width, config.heads, key=jax.random.fold_in(key, len(NAMES)))
            for name, weight in zip(NAMES, weights, strict=True):
                setattr(self, name, eqx.tree_at(lambda layer: layer.weight, getattr(self, name), weight))
        self.config = config

    def split(self, projected: Float[Array, "length width"]) -> Float[Array, "head length d_head"]:
        """A projection's columns, head by head."""
        length, width = projected.shape
        return projected.reshape(length, self.config.heads, width // self.config.heads).swapaxes(0, 1)

    def vectors(
        self, tokens: Float[Array, "length width"], scope: Scope
    ) -> tuple[
        Float[Array, "head length d_head"],
        Float[Array, "head length d_head"],
        Float[Array, "head length d_head"],
    ]:
        """Queries, keys and values, in one product; queries and keys are 0 when frozen uniform."""
        if scope.frozen_uniform:
            value = self.split(project(self.value, tokens, self.config.precision))
            return jnp.zeros_like(value), jnp.zeros_like(value), value
        layers = self.query, self.key, self.value
        weight, bias = (jnp.concatenate([getattr(x, n) for x in layers]) for n in ("weight", "bias"))
        together = apply(weight, bias, tokens, self.config.precision)
        query, key, value = map(self.split, jnp.split(together, 3, axis=1))
        if self.config.positions == "rope":
            query, key = rotated(query), rotated(key)
        return query, key, value

    def fixed(self, length: int, scope: Scope) -> Float[Array, "head query key"] | None:
        """What positions add to the scores."""
        if self.config.positions != "alibi" or scope.frozen_uniform:
            return None
        return alibi(self.config.heads, length)

    def joined(self, mixed: Float[Array, "head length d_head"]) -> Float[Array, "length width"]:
        """W_O of the heads side by side, in float32."""
        side_by_side = mixed.swapaxes(0, 1).reshape(mixed.shape[1], -1)
        return project(self.output, side_by_side, self.config.precision).astype(jnp.float32)

    def __call__(
        self, tokens: Float[Array, "length width"], bias: Float[Array, "head query key"] | None, scope: Scope
    ) -> Float[Array, "length width"]:
        """W_O A V with A = softmax(S + bias) over the keys in scope."""
        query, key, value = self.vectors(tokens, scope)
        if scope.frozen_uniform and bias is None and not scope.causal:
            one = jax.vmap(lambda head: mean(head.astype(jnp.float32), scope.length))(value)
            return jnp.broadcast_to(self.joined(one[:, None]), tokens.shape)
        method = "explicit" if scope.frozen_uniform else self.config.attention  # a kernel wants mapped Q, K
        kind = dict(length=scope.length, causal=scope.causal, method=method)
        fixed = self.fixed(len(tokens), scope)
        return self.joined(attend(query, key, value, bias=bias, fixed=fixed, **kind))

    def explicit(
        self, tokens: Float[Array, "length width"], scope: Scope
    ) -> tuple[Float[Array, "length width"], Float[Array, "head query key"]]:
        """The same, by way of A, which is returned too."""
        query, key, value = self.vectors(tokens, scope)
        fixed = self.fixed(len(tokens), scope)
        weights = attention_weights(query, key, fixed, scope.length, scope.causal)
        return self.joined(jnp.einsum("hqk,hkd->hqd", weights.astype(value.dtype), value)), weights
