"""From a task's tokens to vectors; a masked token reads as a row or a flag of its own."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Integer, PRNGKeyArray

from full_scale.data.dataset import Inputs
from full_scale.model.affine import linear, project

Masked = Bool[Array, " length"] | Bool[Array, "length channel"]
"""Hidden positions, or of values the hidden channels of each."""


class SymbolEncoder(eqx.Module):
    """Embedding of symbols 0..n-1 with rows from N(0, 1); row n is the mask token."""

    table: Float[Array, "symbol width"]

    def __init__(self, symbols: int, width: int, *, key: PRNGKeyArray) -> None:
        self.table = jax.random.normal(key, (symbols + 1, width), jnp.float32)

    def __call__(
        self, tokens: Integer[Array, " length"], masked: Bool[Array, " length"]
    ) -> Float[Array, "length width"]:
        """table[token], or the mask token's row where `masked`."""
        return self.table[jnp.where(masked, len(self.table) - 1, tokens.astype(jnp.int32))]


class ValueEncoder(eqx.Module):
    """Linear map of (values, mask flag); masked values read as 0 (Amos et al. 2024, images).

    The flag is the share of channels that are masked: 0 or 1 where positions are masked whole.
    Raw intensities are standardised here, so that a device holds one byte per pixel.
    """

    projection: eqx.nn.Linear
    mean: float = eqx.field(static=True)
    deviation: float = eqx.field(static=True)

    def __init__(self, inputs: Inputs, width: int, *, key: PRNGKeyArray) -> None:
        self.projection = linear(inputs.channels + 1, width, key=key)
        self.mean, self.deviation = inputs.mean, inputs.deviation

    def values(self, tokens: Array) -> Float[Array, "length channel"]:
        """(token - mean) / deviation in float32: what a masked value is to be reconstructed as."""
        columns = tokens.astype(jnp.float32).reshape(len(tokens), -1)
        return (columns - jnp.float32(self.mean)) / jnp.float32(self.deviation)

    def __call__(self, tokens: Array, masked: Masked) -> Float[Array, "length width"]:
        """W (values, flag) + b for every position."""
        hidden = masked if masked.ndim == 2 else masked[:, None]
        visible = jnp.where(hidden, 0, self.values(tokens))
        flag = hidden.astype(jnp.float32).mean(axis=1, keepdims=True)
        return project(self.projection, jnp.concatenate([visible, flag], axis=1), "float32")


def encoder(inputs: Inputs, width: int, *, key: PRNGKeyArray) -> SymbolEncoder | ValueEncoder:
    """The encoder of a task's kind of tokens."""
    if inputs.symbols is None:
        return ValueEncoder(inputs, width, key=key)
    return SymbolEncoder(inputs.symbols, width, key=key)
