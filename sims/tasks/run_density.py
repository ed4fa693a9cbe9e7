"""Task `run-density`: few runs or many, at equal counts of +1 and -1. Both classes hang together locally."""

import dataclasses
from typing import ClassVar

import jax
from jaxtyping import PRNGKeyArray

from sims.processes import balanced_runs
from sims.processes.runs import require_balanced
from sims.runs.store import UserError
from sims.tasks.task import Labels, Task, Tokens, by_label, fair_coins


@dataclasses.dataclass(frozen=True)
class RunDensity(Task):
    """Label 1: many runs; label 0: few. All bags are one bag; a token is +1 with chance 1/2 in both."""

    name: ClassVar[str] = "run-density"
    length: int = 64
    """L, tokens per sequence, even."""
    few: int = 12
    """Runs on the ring of label 0, even."""
    many: int = 20
    """Runs on the ring of label 1, even."""

    def __post_init__(self) -> None:
        for runs in (self.few, self.many):
            require_balanced(self.length, runs)
        if self.few >= self.many:
            raise UserError(
                f"few must be below many: got few={self.few}, many={self.many}; try few={self.many - 2}"
            )

    @property
    def known(self) -> dict[str, float]:
        """Counts of changes tell: a window shows all changes of the ring, or all but one."""
        return {"constant": 0.5, "bag": 0.5, "linear": 0.5, "pairs": 1.0, "any": 1.0}

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """Rings of many runs (1) or few (0)."""
        label_key, few_key, many_key = jax.random.split(key, 3)
        labels = fair_coins(label_key, number)
        few = balanced_runs(self.length, self.few).sample(few_key, number)
        many = balanced_runs(self.length, self.many).sample(many_key, number)
        return by_label(labels, few, many), labels
