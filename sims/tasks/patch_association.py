"""Task `patch-association`, after Jelassi, Sander and Li (2022): one group of neighbours carries the label.

The positions are cut into groups. One of them, drawn at random, shows the label's sign at all its
positions; every other position is +1, -1 or 0 at random. The sum over positions leaks the label: its
accuracy, known exactly, is the floor that a model has to beat.
"""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from sims.runs.config_validation import at_least
from sims.runs.store import UserError
from sims.tasks.order import require_blocks
from sims.tasks.task import Labels, Task, Tokens, fair_coins


@dataclasses.dataclass(frozen=True)
class PatchAssociation(Task):
    """Tokens -1, 0, +1; label 1 where the group shows +1, label 0 where it shows -1."""

    name: ClassVar[str] = "patch-association"
    length: int = 64
    """L, tokens per sequence."""
    group: int = 4
    """Neighbouring positions that carry the label, a divisor of the length from 2 on."""
    active: float = 1.0
    """Chance that any other position shows a sign instead of 0."""

    def __post_init__(self) -> None:
        at_least(2, groups=self.length // max(self.group, 1))
        require_blocks(self.length, self.group)
        if not 0 <= self.active <= 1:
            raise UserError(f"active must lie within 0..1: got {self.active}; try 1.0")

    @property
    def known(self) -> dict[str, float]:
        """The sum's sign is the best use of a bag and, positions being alike, of a linear model."""
        return {"constant": 0.5, "bag": self.leak, "linear": self.leak, "any": self.best}

    @property
    def leak(self) -> float:
        """P(sum > 0 | label 1) + P(sum = 0) / 2: the accuracy of the sum's sign."""
        return _better_half(walk(self.length - self.group, self.active), self.group)

    @property
    def best(self) -> float:
        """The accuracy of the more frequent sign among groups of one sign: no model does better.

        The likelihood ratio of the labels is the number of groups of +1 over that of groups of -1."""
        whole = (self.active / 2) ** self.group  # chance that another group happens to be all +1
        return _better_half(walk(self.length // self.group - 1, 2 * whole), 1)

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """Groups of the label's sign among random signs."""
        label_key, group_key, sign_key, active_key = jax.random.split(key, 4)
        labels, shape = fair_coins(label_key, number), (number, self.length)
        signs = jax.random.rademacher(sign_key, shape, jnp.zeros(()).dtype)
        noise = jnp.where(jax.random.bernoulli(active_key, self.active, shape), signs, 0.0)
        group = jax.random.randint(group_key, (number, 1), 0, self.length // self.group)
        inside = (jnp.arange(self.length) // self.group)[None, :] == group
        return jnp.where(inside, (2 * labels - 1).astype(noise.dtype)[:, None], noise), labels


def walk(steps: int, active: float) -> np.ndarray:
    """P(sum = s), s = -steps..steps, of independent steps: +1 and -1 with chance active / 2 each, else 0."""
    law = np.ones(1)
    for _ in range(steps):
        law = np.convolve(law, (active / 2, 1 - active, active / 2))
    return law


def _better_half(law: np.ndarray, lead: int) -> float:
    """P(s + lead > 0) + P(s + lead = 0) / 2 for s of a `walk`."""
    sums = np.arange(len(law)) - len(law) // 2 + lead
    return math.fsum(law[sums > 0]) + math.fsum(law[sums == 0]) / 2
