"""Control `fixed-permutation`: another task, its positions in one random order for all sequences.

What any two tokens say about each other is kept; that it is said by neighbours is lost.
"""

import dataclasses
from typing import ClassVar

import numpy as np
from jaxtyping import Int, PRNGKeyArray

from sims.runs.config_validation import at_least
from sims.tasks.order import ShuffleRuns
from sims.tasks.task import Labels, Task, Tokens


@dataclasses.dataclass(frozen=True)
class FixedPermutation(Task):
    """The base task with position i moved to a place of its own."""

    name: ClassVar[str] = "fixed-permutation"
    base: Task = dataclasses.field(default_factory=ShuffleRuns)
    """The task whose positions are moved."""
    permutation_seed: int = 0
    """Draws the order, kept apart from the sequences' keys."""

    def __post_init__(self) -> None:
        at_least(0, permutation_seed=self.permutation_seed)

    @property
    def length(self) -> int:  # type: ignore[override]
        """L, tokens per sequence."""
        return self.base.length

    @property
    def symbols(self) -> int | None:
        """Those of the base."""
        return self.base.symbols

    @property
    def known(self) -> dict[str, float]:
        """Those of the base that do not ask who is whose neighbour."""
        return {name: value for name, value in self.base.known.items() if name != "pairs"}

    @property
    def order(self) -> Int[np.ndarray, " length"]:
        """Place i shows the base's token order_i."""
        return np.random.default_rng(self.permutation_seed).permutation(self.length)

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """The base's sequences, positions moved."""
        tokens, labels = self.base.sample(key, number)
        return tokens[:, self.order], labels

    def held_out(self) -> "FixedPermutation":
        """The same order on the base's held-out data."""
        return dataclasses.replace(self, base=self.base.held_out())
