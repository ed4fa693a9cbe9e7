"""What a bag of tokens, a linear model and neighbour counts reach on every toy task, and along two dials.

Measured on held-out sequences, beside the accuracies that are known exactly. The dials: how far order is
lost in `local-permute`, and the class contrast kappa of `contrast-pair`.   [C7]
"""

import dataclasses

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from sims.runs.config_validation import at_least
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval
from sims.tasks import (
    BASELINES,
    AdjacentPair,
    ContrastPair,
    FixedPermutation,
    LocalPermute,
    MirrorImage,
    Order,
    PatchAssociation,
    RunDensity,
    ShuffleRuns,
    Task,
    baselines,
)

DESCRIPTION = "what bags, linear models and neighbour counts reach on the toy tasks and their controls"
SECONDS = 25

PARTS = ("low", "estimate", "high")


@dataclasses.dataclass(frozen=True)
class Config:
    """Bag, linear and pair baselines on the toy tasks."""

    length: int = 64
    """L, tokens per sequence, a multiple of 16; runs and marks scale with it."""
    train: int = 1500
    """Training sequences per fit."""
    held_out: int = 1500
    """Test sequences per fit."""
    fits: int = 5
    """Independent fits per baseline."""
    widths: tuple[int, ...] = (2, 4, 16, 64)
    """Blocks of `local-permute`, divisors of the length."""
    contrasts: tuple[float, ...] = (0.0, 0.1, 0.2, 0.4, 0.8)
    """Class contrasts kappa of the task `contrast-pair`."""

    def __post_init__(self) -> None:
        at_least(100, train=self.train, held_out=self.held_out)
        at_least(2, fits=self.fits, widths=len(self.widths), contrasts=len(self.contrasts))
        if self.length < 16 or self.length % 16:
            near = max(16, round(self.length / 16) * 16)
            raise UserError(f"length must be a multiple of 16: got {self.length}; try {near}")
        self.every_task()  # an impossible setting is refused before anything is computed

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=16, train=200, held_out=200, fits=2, widths=(2, 16), contrasts=(0.0, 0.8))

    def tasks(self) -> tuple[Task, ...]:
        """Every task at this length: proximity tasks, then the floor, then the controls."""
        L = self.length
        shuffle_runs = ShuffleRuns(L, L // 4)
        return (
            Order(L),
            LocalPermute(L, 8),
            shuffle_runs,
            RunDensity(L, 2 * (3 * L // 32), 2 * (5 * L // 32)),
            MirrorImage(L),
            ContrastPair(L),
            PatchAssociation(L),
            AdjacentPair(L, round(np.sqrt(0.7 * L))),
            FixedPermutation(shuffle_runs),
        )

    def every_task(self) -> tuple[Task, ...]:
        """The tasks, then those along both dials."""
        return (*self.tasks(), *self.local_permutes(), *self.contrast_pairs())

    def local_permutes(self) -> tuple[LocalPermute, ...]:
        """One task per width."""
        return tuple(LocalPermute(self.length, width) for width in self.widths)

    def contrast_pairs(self) -> tuple[ContrastPair, ...]:
        """One task per contrast."""
        return tuple(ContrastPair(self.length, kappa=kappa) for kappa in self.contrasts)


@dataclasses.dataclass(frozen=True)
class TaskAccuracies(Stored):
    """What baselines reach on a task, and what is known exactly."""

    accuracy: dict[str, Interval]
    known: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Accuracies by task."""

    names: tuple[str, ...]
    """The tasks in order."""
    tasks: dict[str, TaskAccuracies]
    patch_association: dict[str, float]
    """What leaks to a bag, and the best that can be reached."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Accuracies of the baselines on every task and along both dials."""
    tasks, every = config.tasks(), config.every_task()
    reached: list[dict[str, Interval]] = []
    for number, task in enumerate(reported(every, report)):
        task_key = jax.random.fold_in(key, number)
        sizes = {"train": config.train, "held_out": config.held_out, "fits": config.fits}
        reached.append(baselines(task, task_key, **sizes))
    at_task, along = reached[: len(tasks)], reached[len(tasks) :]
    at_width, at_contrast = along[: len(config.widths)], along[len(config.widths) :]
    patch = PatchAssociation(config.length)
    measured = {
        task.name: TaskAccuracies(accuracies, dict(task.known))
        for task, accuracies in zip(tasks, at_task, strict=True)
    }
    values = Values(tuple(measured), measured, {"leak": patch.leak, "best": patch.best})
    arrays = {"widths": np.array(config.widths), "contrasts": np.array(config.contrasts)}
    arrays |= curves("width", at_width) | curves("contrast", at_contrast)
    return values, arrays


def curves(dial: str, reached: list[dict[str, Interval]]) -> Arrays:
    """`DIAL_BASELINE`, shape (3, points): low, estimate and high along the dial."""
    return {
        f"{dial}_{name}": np.array(
            [[getattr(accuracies[name], part) for accuracies in reached] for part in PARTS]
        )
        for name in BASELINES
    }
