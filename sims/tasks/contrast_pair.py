"""Tasks of two laws on a ring: `contrast-pair` with a dial for their contrast, and `mirror-image`.   [C7]"""

import dataclasses
from typing import ClassVar

from jaxtyping import PRNGKeyArray

from sims.processes import ClassPair, ar1, mirror_pair, mixed_pair, moving_average
from sims.processes.pairs import require_kappa
from sims.runs.config_validation import at_least, between
from sims.tasks.task import Labels, Task, Tokens


@dataclasses.dataclass(frozen=True)
class ContrastPair(Task):
    """Label y mixes AR(1) and white noise so that the classes' contrast is kappa along every direction."""

    name: ClassVar[str] = "contrast-pair"
    length: int = 64
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    kappa: float = 0.5
    """Class contrast over pooled value, 0..1; at 0 the classes have one law."""

    def __post_init__(self) -> None:
        at_least(3, length=self.length)
        between(-1, 1, correlation=self.correlation)
        require_kappa(self.kappa)

    def pair(self) -> ClassPair:
        """The laws of both classes."""
        return mixed_pair(ar1(self.length, self.correlation), self.kappa)

    @property
    def known(self) -> dict[str, float]:
        """The sign of x and of -x are alike, so means over positions say nothing."""
        none = {"bag": 0.5, "pairs": 0.5, "any": 0.5} if self.kappa == 0 else {}
        return {"constant": 0.5, "linear": 0.5} | none

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """Sequences of both classes."""
        return self.pair().sample(key, number)


@dataclasses.dataclass(frozen=True)
class MirrorImage(Task):
    """Label 1 is label 0 read backwards: equal bags, equal second moments; skewed noise tells them apart."""

    name: ClassVar[str] = "mirror-image"
    length: int = 64
    """L, tokens per sequence."""
    tap: float = 0.5
    """Weight of the noise one step back; at 1 a sequence is its own mirror image."""

    def __post_init__(self) -> None:
        at_least(3, length=self.length)

    def pair(self) -> ClassPair:
        """The two laws."""
        return mirror_pair(moving_average(self.length, (1.0, self.tap), "exponential"))

    @property
    def known(self) -> dict[str, float]:
        """The bag says nothing, and every token has one law."""
        return {"constant": 0.5, "bag": 0.5, "linear": 0.5}

    def sample(self, key: PRNGKeyArray, number: int) -> tuple[Tokens, Labels]:
        """Sequences and mirror images of others."""
        return self.pair().sample(key, number)
