"""A pre-LayerNorm block: attention, then an MLP, each with its norm and residual switchable."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from full_scale.model.affine import linear, project
from full_scale.model.attention_layer import Attention, Scope
from full_scale.model.config import ModelConfig, Precision

Norm = eqx.nn.LayerNorm | eqx.nn.Identity


def norm(config: ModelConfig) -> Norm:
    """LayerNorm in float32 with gain and bias, or nothing."""
    return eqx.nn.LayerNorm(config.width, dtype=jnp.float32) if config.norm else eqx.nn.Identity()


class MLP(eqx.Module):
    """W_2 gelu(W_1 x + b_1) + b_2."""

    expand: eqx.nn.Linear
    contract: eqx.nn.Linear

    def __init__(self, config: ModelConfig, *, keys: tuple[PRNGKeyArray, PRNGKeyArray]) -> None:
        self.expand = linear(config.width, config.hidden, key=keys[0])
        self.contract = linear(config.hidden, config.width, key=keys[1])

    def __call__(
        self, tokens: Float[Array, "length width"], precision: Precision
    ) -> Float[Array, "length width"]:
        """Every position by itself, in float32 from without."""
        hidden = jax.nn.gelu(project(self.expand, tokens, precision))
        return project(self.contract, hidden, precision).astype(jnp.float32)


class Block(eqx.Module):
    """x <- x + Attention(LayerNorm(x)); x <- x + MLP(LayerNorm(x))."""

    attention_norm: Norm
    attention: Attention
    mlp_norm: Norm | None
    mlp: MLP | None
    config: ModelConfig = eqx.field(static=True)

    def __init__(self, config: ModelConfig, *, key: PRNGKeyArray) -> None:
        attention_key, expand_key, contract_key = jax.random.split(key, 3)
        self.attention_norm = norm(config)
        self.attention = Attention(config, key=attention_key)
        self.mlp_norm = norm(config) if config.mlp else None
        self.mlp = MLP(config, keys=(expand_key, contract_key)) if config.mlp else None
        self.config = config

    def joined(self, tokens: Array, change: Array) -> Float[Array, "length width"]:
        """The change, on top of the tokens when there are residual connections."""
        return tokens + change if self.config.residual else change

    def after(
        self, tokens: Float[Array, "length width"], mixed: Float[Array, "length width"]
    ) -> Float[Array, "length width"]:
        """The block's output, given its attention's."""
        tokens = self.joined(tokens, mixed)
        if self.mlp is None or self.mlp_norm is None:
            return tokens
        return self.joined(tokens, self.mlp(jax.vmap(self.mlp_norm)(tokens), self.config.precision))

    def __call__(
        self, tokens: Float[Array, "length width"], bias: Float[Array, "head query key"] | None, scope: Scope
    ) -> Float[Array, "length width"]:
        """The block's output at every position."""
        return self.after(tokens, self.attention(jax.vmap(self.attention_norm)(tokens), bias, scope))

    def explicit(
        self, tokens: Float[Array, "length width"], scope: Scope
    ) -> tuple[Float[Array, "length width"], Float[Array, "head query key"]]:
        """The block's output and its attention weights."""
        mixed, weights = self.attention.explicit(jax.vmap(self.attention_norm)(tokens), scope)
        return self.after(tokens, mixed), weights
