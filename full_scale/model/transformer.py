"""A pre-LayerNorm Transformer encoder whose every attention layer takes an additive score bias.

The derivative of any loss in that bias, at bias 0, is the loss's gradient in the attention scores:
this is what the probes read.   [C19]
Parameters and results are float32, whatever JAX's default precision. One sequence at a time: `jax.vmap`
makes batches.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from full_scale.data.dataset import Inputs
from full_scale.model import pools, positions
from full_scale.model.affine import linear, project
from full_scale.model.attention_layer import Scope
from full_scale.model.blocks import Block, Norm, norm
from full_scale.model.config import ModelConfig
from full_scale.model.encoders import Masked, SymbolEncoder, ValueEncoder, encoder
from full_scale.model.heads import TwoLayerHead, compared, label_head

_LATER_KEYS = ("positions", "cls")  # folded in, so that they leave the first draws as they are


class Transformer(eqx.Module):
    """Encoder, blocks, final LayerNorm, a label head on a pool of the positions and a token head.

    Parameters
    ----------
    config
        Shape of the encoder.
    inputs
        What the task's tokens and labels are.
    key
        Initialisation.
    """

    encoder: SymbolEncoder | ValueEncoder
    positions: Float[Array, "position width"] | None
    cls: Float[Array, " width"] | None
    blocks: tuple[Block, ...]
    norm: Norm
    pool_query: Float[Array, " width"] | None
    label_head: eqx.nn.Linear | TwoLayerHead
    token_head: eqx.nn.Linear
    config: ModelConfig = eqx.field(static=True)
    inputs: Inputs = eqx.field(static=True)

    def __init__(self, config: ModelConfig, inputs: Inputs, *, key: PRNGKeyArray) -> None:
        width, later = config.width, [jax.random.fold_in(key, n) for n in range(len(_LATER_KEYS))]
        encoder_key, label_key, token_key, *block_keys = jax.random.split(key, 3 + config.layers)
        self.config, self.inputs = config, inputs
        self.encoder = encoder(inputs, width, key=encoder_key)
        self.positions = positions.drawn(config.positions, self.front + inputs.length, width, key=later[0])
        self.cls = jax.random.normal(later[1], (width,), jnp.float32) if config.pool == "cls" else None
        self.blocks = tuple(Block(config, key=block_key) for block_key in block_keys)
        self.norm = norm(config)
        self.pool_query = jnp.zeros(width, jnp.float32) if config.pool == "attention" else None
        self.label_head = label_head(config, inputs, key=label_key)
        self.token_head = linear(width, self.outputs, key=token_key)

    @property
    def outputs(self) -> int:
        """Outputs of the token head at every position."""
        if self.inputs.levels is not None and self.config.intensities == "levels":
            return self.inputs.levels
        return self.inputs.symbols or self.inputs.channels

    @property
    def front(self) -> int:
        """Positions in front of the tokens: the CLS token's, or none."""
        return int(self.config.pool == "cls")

    def bias_shape(self, length: int) -> tuple[int, int, int, int]:
        """Shape (layer, head, query, key) of the additive score bias for sequences of this length."""
        total = self.front + length
        return self.config.layers, self.config.heads, total, total

    def embedded(self, tokens: Array, masked: Masked) -> Float[Array, "position width"]:
        """What the first block reads: encoded tokens, the CLS token in front if any, plus positions."""
        encoded = self.encoder(tokens, masked)
        if self.cls is not None:
            encoded = jnp.concatenate([self.cls[None], encoded])
        if self.config.positions == "sinusoidal":
            return encoded + positions.sinusoidal(*encoded.shape)
        if self.positions is None:
            return encoded
        fixed = self.config.positions == "random-normal"
        table = jax.lax.stop_gradient(self.positions) if fixed else self.positions
        return encoded + table[: len(encoded)]

    def scope(
        self, length: Int[Array, ""] | int | None, frozen_uniform: bool, causal: bool | None = None
    ) -> Scope:
        """What attention may read in a sequence of this length."""
        visible_length = None
        if length is not None and self.config.padding_mask:
            visible_length = self.front + jnp.asarray(length, jnp.int32)
        return Scope(visible_length, self.config.causal if causal is None else causal, frozen_uniform)

    def states(
        self, tokens: Array, masked: Masked | None, bias: Array | None, scope: Scope
    ) -> Float[Array, "position width"]:
        """Every position's vector after the final LayerNorm, the CLS token's first."""
        state = self.embedded(tokens, nothing(tokens) if masked is None else masked)
        for index, block in enumerate(self.blocks):
            state = block(state, None if bias is None else bias[index], scope)
        return jax.vmap(self.norm)(state)

    def features(
        self,
        tokens: Array,
        masked: Masked | None = None,
        length: Int[Array, ""] | int | None = None,
        bias: Float[Array, "layer head query key"] | None = None,
        frozen_uniform: bool = False,
        causal: bool | None = None,
    ) -> Float[Array, "length width"]:
        """Features of every token after the final LayerNorm; `causal` stands in for the config's."""
        states = self.states(tokens, masked, bias, self.scope(length, frozen_uniform, causal))
        return states[self.front :]

    def summary(
        self,
        tokens: Array,
        length: Int[Array, ""] | int | None = None,
        bias: Float[Array, "layer head query key"] | None = None,
        frozen_uniform: bool = False,
    ) -> Float[Array, " width"]:
        """One sequence's pooled features."""
        states = self.states(tokens, None, bias, self.scope(length, frozen_uniform))
        counted = None if length is None else jnp.asarray(length, jnp.int32)
        return pools.pooled(self.config.pool, states, counted, self.pool_query)

    def label_logits(
        self,
        tokens: Array,
        length: Int[Array, "..."] | int | None = None,
        bias: Float[Array, "layer head query key"] | None = None,
        frozen_uniform: bool = False,
    ) -> Float[Array, " label"]:
        """The label head on the pooled features z; of a pair (2, length) on [a, b, a - b, a * b]."""
        summary = partial(self.summary, bias=bias, frozen_uniform=frozen_uniform)
        if not self.inputs.pair:
            return self.label_head(summary(tokens, length))
        pair = jax.vmap(summary, (0, None if length is None else 0))(tokens, length)
        return self.label_head(compared(*pair))

    def token_logits(
        self,
        tokens: Array,
        masked: Masked | None,
        length: Int[Array, ""] | int | None = None,
        bias: Float[Array, "layer head query key"] | None = None,
        frozen_uniform: bool = False,
        causal: bool | None = None,
    ) -> Float[Array, "length output"]:
        """The token head at every position of one sequence whose `masked` positions are hidden."""
        features = self.features(tokens, masked, length, bias, frozen_uniform, causal)
        return project(self.token_head, features, self.config.precision).astype(jnp.float32)

    def attention_weights(
        self,
        tokens: Array,
        masked: Masked | None = None,
        length: Int[Array, ""] | int | None = None,
        frozen_uniform: bool = False,
    ) -> Float[Array, "layer head query key"]:
        """Every layer's attention weights of one sequence, from explicit scores."""
        scope, maps = self.scope(length, frozen_uniform), []
        state = self.embedded(tokens, nothing(tokens) if masked is None else masked)
        for block in self.blocks:
            state, weights = block.explicit(state, scope)
            maps.append(weights)
        return jnp.stack(maps)


def nothing(tokens: Array) -> Bool[Array, " length"]:
    """A mask that hides no position."""
    return jnp.zeros(len(tokens), bool)
