"""What self-pretraining hides and how it judges what is put back."""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from sims.runs.config_validation import at_least
from sims.runs.store import UserError

Error = Literal["auto", "ce", "l1", "l2"]
MaskKind = Literal["positions", "blocks", "channels"]


@dataclasses.dataclass(frozen=True)
class Masking:
    """Masked positions are drawn independently, and again at every access (Amos et al. 2024, section 2).

    Blocks and whole channels are drawn in their place where asked for. A masked symbol reads as a mask token of
    its own; a masked value reads as 0 with a flag beside it.
    """

    ratio: float = 0.5
    """Probability that a position is hidden; padding never is."""
    loss: Error = "auto"
    """ce: cross-entropy of symbols or intensity levels; l1, l2: absolute, half squared error of values.
    auto: ce where the model's token head gives logits, else l2."""
    kind: MaskKind = "positions"
    """What is hidden: single positions; blocks of neighbouring ones; whole channels of values."""
    block: int = 8
    """Positions of one block."""

    def __post_init__(self) -> None:
        at_least(1, block=self.block)
        if not 0 < self.ratio <= 1:
            raise UserError(f"mask ratio must lie in (0, 1]: got {self.ratio}; try 0.5")


MASK_RATIO = Masking().ratio


def draw_mask(
    length: int,
    *,
    key: PRNGKeyArray,
    ratio: float | Float[Array, ""] = MASK_RATIO,
    real_length: Int[Array, ""] | None = None,
) -> Bool[Array, " length"]:
    """Each position hidden independently with probability `ratio`, the first `real_length` only."""
    hidden = jax.random.bernoulli(key, jnp.float32(ratio), (length,))
    return hidden if real_length is None else hidden & within(length, real_length)


def draw_blocks(
    length: int,
    *,
    key: PRNGKeyArray,
    block: int,
    ratio: float | Float[Array, ""] = MASK_RATIO,
    real_length: Int[Array, ""] | None = None,
) -> Bool[Array, " length"]:
    """Blocks of so many neighbours hidden independently with probability `ratio`, from a random start.

    Every position is hidden with that probability, blocks at the ends are cut.
    """
    start_key, block_key = jax.random.split(key)
    start = jax.random.randint(start_key, (), 0, block, jnp.int32)
    blocks = jax.random.bernoulli(block_key, jnp.float32(ratio), (length // block + 2,))
    hidden = blocks[(jnp.arange(length, dtype=jnp.int32) + start) // block]
    return hidden if real_length is None else hidden & within(length, real_length)


def draw_channels(
    length: int,
    channels: int,
    *,
    key: PRNGKeyArray,
    ratio: float | Float[Array, ""] = MASK_RATIO,
    real_length: Int[Array, ""] | None = None,
) -> Bool[Array, "length channel"]:
    """Each channel hidden at all positions, independently with probability `ratio`."""
    chosen = jax.random.bernoulli(key, jnp.float32(ratio), (channels,))
    here = jnp.ones(length, bool) if real_length is None else within(length, real_length)
    return here[:, None] & chosen[None, :]


def within(length: int, real_length: Int[Array, ""]) -> Bool[Array, " length"]:
    """The first `real_length` of `length` positions: those that are not padding."""
    return jnp.arange(length, dtype=jnp.int32) < real_length
