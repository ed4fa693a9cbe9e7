"""A pre-LayerNorm Transformer encoder whose every attention layer takes an additive score bias.

The derivative of any loss in that bias, at bias 0, is the loss's gradient in the attention scores:
this is what the probes read.   [C19, and theory.md, "From toy to full scale"]
Everything is float32, whatever JAX's default precision.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from full_scale.positions import sinusoidal
from sims.store import UserError


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Shape of the encoder; the sizes of its input and output come from the task."""

    layers: int = 1
    """Number of attention blocks."""
    width: int = 32
    """Token width d."""
    heads: int = 4
    """Attention heads; must divide the width."""
    hidden: int = 64
    """Hidden width of each block's MLP (d_ff)."""

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "hidden"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1: got {name}={getattr(self, name)}; try {name}=1")
        if self.width % self.heads:
            fits = max(h for h in range(1, self.heads) if self.width % h == 0)
            raise UserError(
                f"heads must divide width: got width={self.width}, heads={self.heads}; try heads={fits}"
            )


def linear(inputs: int, outputs: int, *, key: PRNGKeyArray) -> eqx.nn.Linear:
    """y = W x + b in float32, uniform within 1/sqrt(inputs) (PyTorch default, as in Amos et al.)."""
    return eqx.nn.Linear(inputs, outputs, dtype=jnp.float32, key=key)


class Attention(eqx.Module):
    """Multi-head attention with scores S = Q K^T / sqrt(d_head) and an additive bias on S."""

    query: eqx.nn.Linear
    key: eqx.nn.Linear
    value: eqx.nn.Linear
    output: eqx.nn.Linear
    heads: int = eqx.field(static=True)

    def __init__(self, width: int, heads: int, *, key: PRNGKeyArray) -> None:
        names = ("query", "key", "value", "output")
        for name, name_key in zip(names, jax.random.split(key, len(names)), strict=True):
            setattr(self, name, linear(width, width, key=name_key))
        self.heads = heads

    def split(self, projection: eqx.nn.Linear, tokens: Float[Array, "length width"]) -> Array:
        """Project every token and split the result into heads: (head, length, d_head)."""
        length, width = tokens.shape
        return jax.vmap(projection)(tokens).reshape(length, self.heads, width // self.heads).swapaxes(0, 1)

    def __call__(
        self,
        tokens: Float[Array, "length width"],
        bias: Float[Array, "head query key"] | None,
        frozen_uniform: bool,
    ) -> tuple[Float[Array, "length width"], Float[Array, "head query key"]]:
        """H = A V with A = softmax(S + bias); S is taken as 0 when `frozen_uniform`. Returns W_O H and A."""
        value = self.split(self.value, tokens)
        if frozen_uniform and bias is None:
            return self.uniform(value)
        if frozen_uniform:
            scores = jnp.zeros((self.heads, len(tokens), len(tokens)), jnp.float32)
        else:
            query, key = self.split(self.query, tokens), self.split(self.key, tokens)
            scores = jnp.einsum("hqd,hkd->hqk", query, key) / jnp.sqrt(jnp.float32(query.shape[-1]))
        weights = jax.nn.softmax(scores if bias is None else scores + bias, axis=-1)
        mixed = jnp.einsum("hqk,hkd->qhd", weights, value).reshape(tokens.shape)
        return jax.vmap(self.output)(mixed), weights

    def uniform(
        self, value: Float[Array, "head length d_head"]
    ) -> tuple[Float[Array, "length width"], Float[Array, "head query key"]]:
        """A = 1/L everywhere, without the L x L products."""
        heads, length, _ = value.shape
        mixed = self.output(value.mean(axis=1).reshape(-1))
        weights = jnp.full((heads, length, length), 1 / length, jnp.float32)
        return jnp.broadcast_to(mixed, (length, mixed.size)), weights


class Block(eqx.Module):
    """x <- x + Attention(LayerNorm(x)); x <- x + MLP(LayerNorm(x)), with a GELU MLP."""

    attention_norm: eqx.nn.LayerNorm
    attention: Attention
    mlp_norm: eqx.nn.LayerNorm
    expand: eqx.nn.Linear
    contract: eqx.nn.Linear

    def __init__(self, config: ModelConfig, *, key: PRNGKeyArray) -> None:
        attention_key, expand_key, contract_key = jax.random.split(key, 3)
        self.attention_norm = eqx.nn.LayerNorm(config.width, dtype=jnp.float32)
        self.attention = Attention(config.width, config.heads, key=attention_key)
        self.mlp_norm = eqx.nn.LayerNorm(config.width, dtype=jnp.float32)
        self.expand = linear(config.width, config.hidden, key=expand_key)
        self.contract = linear(config.hidden, config.width, key=contract_key)

    def __call__(
        self,
        tokens: Float[Array, "length width"],
        bias: Float[Array, "head query key"] | None,
        frozen_uniform: bool,
    ) -> tuple[Float[Array, "length width"], Float[Array, "head query key"]]:
        """The block's output and its attention weights."""
        mixed, weights = self.attention(jax.vmap(self.attention_norm)(tokens), bias, frozen_uniform)
        tokens = tokens + mixed
        hidden = jax.nn.gelu(jax.vmap(self.expand)(jax.vmap(self.mlp_norm)(tokens)))
        return tokens + jax.vmap(self.contract)(hidden), weights


class SymbolEncoder(eqx.Module):
    """Embedding of symbols 0..n-1 with rows from N(0, 1); row n is the mask token."""

    table: Float[Array, "symbol width"]

    def __init__(self, symbols: int, width: int, *, key: PRNGKeyArray) -> None:
        self.table = jax.random.normal(key, (symbols + 1, width), jnp.float32)

    def __call__(
        self, tokens: Int[Array, " length"], masked: Bool[Array, " length"]
    ) -> Float[Array, "length width"]:
        """table[token], or the mask token's row where `masked`."""
        return self.table[jnp.where(masked, len(self.table) - 1, tokens)]


class ValueEncoder(eqx.Module):
    """Linear map of (value, mask flag); a masked value reads as 0 (Amos et al. 2024, images)."""

    projection: eqx.nn.Linear

    def __init__(self, width: int, *, key: PRNGKeyArray) -> None:
        self.projection = linear(2, width, key=key)

    def __call__(
        self, tokens: Float[Array, " length"], masked: Bool[Array, " length"]
    ) -> Float[Array, "length width"]:
        """W (value, flag) + b for every position."""
        flag = masked.astype(jnp.float32)
        return jax.vmap(self.projection)(jnp.stack([jnp.where(masked, 0, tokens), flag], axis=-1))


class Transformer(eqx.Module):
    """Encoder, blocks, final LayerNorm, a label head on the mean over positions and a token head.

    Parameters
    ----------
    config
        Shape of the encoder.
    symbols
        Size of the alphabet, or None when tokens are real values.
    classes
        Number of labels.
    key
        Initialisation.
    """

    encoder: SymbolEncoder | ValueEncoder
    blocks: tuple[Block, ...]
    norm: eqx.nn.LayerNorm
    label_head: eqx.nn.Linear
    token_head: eqx.nn.Linear

    def __init__(self, config: ModelConfig, symbols: int | None, classes: int, *, key: PRNGKeyArray) -> None:
        encoder_key, label_key, token_key, *block_keys = jax.random.split(key, 3 + config.layers)
        self.encoder = (
            ValueEncoder(config.width, key=encoder_key)
            if symbols is None
            else SymbolEncoder(symbols, config.width, key=encoder_key)
        )
        self.blocks = tuple(Block(config, key=block_key) for block_key in block_keys)
        self.norm = eqx.nn.LayerNorm(config.width, dtype=jnp.float32)
        self.label_head = linear(config.width, classes, key=label_key)
        self.token_head = linear(config.width, symbols or 1, key=token_key)

    def embedded(self, tokens: Array, masked: Bool[Array, " length"]) -> Float[Array, "length width"]:
        """Encoded tokens plus their positions: what the first block reads."""
        encoded = self.encoder(tokens, masked)
        return encoded + sinusoidal(*encoded.shape)

    def features(
        self,
        tokens: Array,
        masked: Bool[Array, " length"],
        bias: Float[Array, "layer head query key"] | None = None,
        frozen_uniform: bool = False,
    ) -> tuple[Float[Array, "length width"], Float[Array, "layer head query key"]]:
        """Features of every position after the final LayerNorm, and every layer's attention weights."""
        state, maps = self.embedded(tokens, masked), []
        for index, block in enumerate(self.blocks):
            state, weights = block(state, None if bias is None else bias[index], frozen_uniform)
            maps.append(weights)
        return jax.vmap(self.norm)(state), jnp.stack(maps)

    def label_logits(
        self, tokens: Array, bias: Array | None = None, frozen_uniform: bool = False
    ) -> Float[Array, " label"]:
        """W z + b with z the mean of the features over positions."""
        nothing = jnp.zeros(tokens.shape, bool)
        features, _ = self.features(tokens, nothing, bias, frozen_uniform)
        return self.label_head(features.mean(axis=0))

    def token_logits(
        self,
        tokens: Array,
        masked: Bool[Array, " length"],
        bias: Array | None = None,
        frozen_uniform: bool = False,
    ) -> Float[Array, "length output"]:
        """The token head at every position, from the sequence with `masked` positions hidden."""
        features, _ = self.features(tokens, masked, bias, frozen_uniform)
        return jax.vmap(self.token_head)(features)

    def bias_shape(self, length: int) -> tuple[int, int, int, int]:
        """Shape (layer, head, query, key) of the additive score bias for sequences of this length."""
        return len(self.blocks), self.blocks[0].attention.heads, length, length
