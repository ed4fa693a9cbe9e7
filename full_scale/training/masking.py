"""What self-pretraining hides and how it judges what is put back."""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from sims.store import UserError

Error = Literal["auto", "ce", "l1", "l2"]


@dataclasses.dataclass(frozen=True)
class Masking:
    """Masked positions are drawn independently, and again at every access (Amos et al. 2024, section 2).

    A masked symbol reads as a mask token of its own; a masked value reads as 0 with a flag beside it.
    """

    ratio: float = 0.5
    """Probability that a position is hidden; padding never is."""
    loss: Error = "auto"
    """ce: cross-entropy of symbols or intensity levels; l1, l2: absolute, half squared error of values.
    auto: ce where the model's token head gives logits, else l2."""

    def __post_init__(self) -> None:
        if not 0 < self.ratio <= 1:
            raise UserError(f"mask ratio must lie in (0, 1]: got {self.ratio}; try 0.5")


MASK_RATIO = Masking().ratio


def draw_mask(
    length: int,
    *,
    key: PRNGKeyArray,
    ratio: float | Float[Array, ""] = MASK_RATIO,
    seen: Int[Array, ""] | None = None,
) -> Bool[Array, " length"]:
    """Each position hidden independently with probability `ratio`, the first `seen` only."""
    hidden = jax.random.bernoulli(key, jnp.float32(ratio), (length,))
    return hidden if seen is None else hidden & within(length, seen)


def within(length: int, seen: Int[Array, ""]) -> Bool[Array, " length"]:
    """The first `seen` of `length` positions: those that are not padding."""
    return jnp.arange(length, dtype=jnp.int32) < seen
