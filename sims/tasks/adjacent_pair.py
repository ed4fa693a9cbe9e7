"""Control `adjacent-pair`: are two of the marked tokens neighbours, on a ring of noise symbols?

Marks fall on places drawn without preference, so unlabelled sequences are exchangeable: nothing about
a masked token can be learnt from where the others stand, and pretraining has nothing to teach. (Two marks
drawn adjacent half of the time would not do: then a mark tells where the other one is.)
"""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from sims.runs.config_validation import at_least
from sims.runs.store import UserError
from sims.tasks.task import Labels, Task, Tokens


@dataclasses.dataclass(frozen=True)
class AdjacentPair(Task):
    """Label 1: some two marks stand side by side. Symbols 0..noise-1 are noise, `noise` is the mark."""

    name: ClassVar[str] = "adjacent-pair"
    length: int = 64
    """L, tokens per ring."""
    marks: int = 7
    """Marked tokens in every sequence; at 7 of 64 the labels are nearly balanced."""
    noise: int = 4
    """Noise symbols, drawn independently."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(1, noise=self.noise)
        if not 2 <= self.marks <= self.length // 2:
            raise UserError(
                f"marks must number 2 to length / 2 = {self.length // 2}: got {self.marks}; "
                f"try {max(2, round(math.sqrt(0.7 * self.length)))}"
            )

    @property
    def symbols(self) -> int:
        """The noise symbols and the mark."""
        return self.noise + 1

    @property
    def apart(self) -> float:
        """P(label 0) = L / (L - M) binom(L - M, M) / binom(L, M): no two of M marks side by side."""
        free = self.length - self.marks
        return self.length * math.comb(free, self.marks) / (free * math.comb(self.length, self.marks))

    @property
    def known(self) -> dict[str, float]:
        """All marks' bags are one bag, all places alike; counting neighbours misses the ring's seam only."""
        constant = max(self.apart, 1 - self.apart)
        seam = math.comb(self.length - self.marks - 1, self.marks - 2) / math.comb(self.length, self.marks)
        return {"constant": constant, "bag": constant, "linear": constant, "pairs": 1 - seam, "any": 1.0}

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """Rings with marks anywhere."""
        place_key, noise_key = jax.random.split(key)
        noise = jax.random.randint(noise_key, (number, self.length), 0, self.noise, jnp.int32)
        ranks = jnp.argsort(jax.random.uniform(place_key, noise.shape), axis=1)
        marked = ranks < self.marks
        labels = (marked & jnp.roll(marked, 1, axis=1)).any(axis=1).astype(jnp.int32)
        return jnp.where(marked, jnp.asarray(self.noise, jnp.int32), noise), labels
