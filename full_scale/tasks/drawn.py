"""Tasks drawn from a law: the toy tasks of `sims.tasks` as data sets of a fixed size.

Canonical length 64, two classes; 4,000 train, 1,000 validation and 1,000 test sequences, independent draws.
Tokens -1, 0 and +1 are symbols 0, 1, ... here. Each law says what is known exactly of simple models
(`known`).
"""

import dataclasses
from typing import Annotated, ClassVar

import jax
import numpy as np
import tyro
from jaxtyping import PRNGKeyArray

from full_scale.data.dataset import PARTS, Dataset, Inputs, Split
from full_scale.devices.precision import single_precision
from full_scale.tasks.task import Task
from sims import tasks as laws
from sims.runs.config_validation import at_least
from sims.tasks.baselines import sampled

CHUNK = 500
Flat = tyro.conf.arg(name="")  # the law's fields are the task's own flags


@dataclasses.dataclass(frozen=True)
class Drawn(Task):
    """Independent sequences of a law."""

    train_size: int = 4000
    """Training sequences."""
    held_out_size: int = 1000
    """Validation and test sequences each."""
    data_seed: int = 0
    """Draws the sequences; kept apart from the training seeds."""
    shape: ClassVar[str] = "length 64, 2 classes, 4,000 + 1,000 + 1,000"
    licence: ClassVar[str] = "drawn from a law"

    def __post_init__(self) -> None:
        at_least(2, train_size=self.train_size, held_out_size=self.held_out_size)
        at_least(0, data_seed=self.data_seed)

    @property
    def drawn_from(self) -> laws.Task:
        """The law of the sequences."""
        return self.law  # type: ignore[attr-defined]

    def load(self) -> Dataset:
        """Draws for each part, from keys of its own."""
        sizes = {"train": self.train_size, "validation": self.held_out_size, "test": self.held_out_size}
        with single_precision():  # draws differ by JAX's default precision
            keys = jax.random.split(jax.random.key(self.data_seed), len(PARTS))
            drawn = {p: draws(self.drawn_from, sizes[p], key=k) for p, k in zip(PARTS, keys, strict=True)}
        values = np.unique(drawn["train"][0])
        splits = {part: coded(values, *drawn[part]) for part in PARTS}
        inputs = Inputs(self.drawn_from.length, classes=2, symbols=self.drawn_from.symbols or len(values))
        return Dataset(self.name, **splits, inputs=inputs, source=f"drawn from {self.drawn_from}")


def draws(law: laws.Task, number: int, *, key: PRNGKeyArray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and labels; the first n of more draws are the same. One program serves every number."""
    chunks = range(-(-number // CHUNK))
    drawn_chunks = [sampled(law, CHUNK, jax.random.fold_in(key, chunk)) for chunk in chunks]
    tokens, labels = (
        np.concatenate(list(map(np.asarray, arrays))) for arrays in zip(*drawn_chunks, strict=True)
    )
    return tokens[:number], labels[:number]


def coded(values: np.ndarray, tokens: np.ndarray, labels: np.ndarray) -> Split:
    """Tokens as ranks among the values that occur; symbols 0, 1, ... are their own ranks."""
    symbols = np.issubdtype(tokens.dtype, np.integer)
    codes = tokens if symbols else np.searchsorted(values, tokens)
    return Split(codes.astype(np.uint8), labels.astype(np.int32))


@dataclasses.dataclass(frozen=True)
class ShuffleRuns(Drawn):
    """Signs in runs on a ring, or the same signs permuted."""

    law: Annotated[laws.ShuffleRuns, Flat] = dataclasses.field(default_factory=laws.ShuffleRuns)
    name: ClassVar[str] = "shuffle-runs"


@dataclasses.dataclass(frozen=True)
class RunDensity(Drawn):
    """Many runs of signs, or few, at equal counts."""

    law: Annotated[laws.RunDensity, Flat] = dataclasses.field(default_factory=laws.RunDensity)
    name: ClassVar[str] = "run-density"


@dataclasses.dataclass(frozen=True)
class PatchAssociation(Drawn):
    """One group of neighbours shows the label's sign, all else is noise; the sum over positions leaks it."""

    law: Annotated[laws.PatchAssociation, Flat] = dataclasses.field(default_factory=laws.PatchAssociation)
    name: ClassVar[str] = "patch-association"


@dataclasses.dataclass(frozen=True)
class AdjacentPair(Drawn):
    """Are two of the marks neighbours? A control: masked tokens cannot be told from the others."""

    law: Annotated[laws.AdjacentPair, Flat] = dataclasses.field(default_factory=laws.AdjacentPair)
    name: ClassVar[str] = "adjacent-pair"


@dataclasses.dataclass(frozen=True)
class FixedPermutation(ShuffleRuns):
    """`shuffle-runs` with all positions in one random order: pairs keep what they say, proximity is lost."""

    permutation_seed: int = 0
    """Draws the order, the same for all sequences."""
    name: ClassVar[str] = "fixed-permutation"

    @property
    def drawn_from(self) -> laws.Task:
        """The base law, positions moved."""
        return laws.FixedPermutation(self.law, self.permutation_seed)
