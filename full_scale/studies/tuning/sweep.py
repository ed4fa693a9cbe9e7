"""The same grid of learning rates and warm-ups for both arms, judged on validation data.

The seeds of the sweep are not those of the study, and test data are never looked at.
"""

import dataclasses
from pathlib import Path

import numpy as np

from full_scale.model import ModelConfig
from full_scale.studies.arms import ARMS, Arm, Budget, Settings, trial
from full_scale.tasks.task import Task
from full_scale.training.runner import Progress, TrainedRun, run_all
from sims.runs.typed import Stored


@dataclasses.dataclass(frozen=True)
class SweepConfig:
    """Learning rates and warm-ups that are tried."""

    learning_rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    """Peak learning rates."""
    warmups: tuple[float, ...] = (0.02, 0.2)
    """Warm-up of the learning rate, as shares of a phase."""
    seeds: tuple[int, ...] = (100,)
    """Random seeds of the sweep, apart from those that are reported."""

    def grid(self) -> list[Settings]:
        """All settings, learning rate first."""
        return [Settings(rate, share) for rate in self.learning_rates for share in self.warmups]


@dataclasses.dataclass(frozen=True)
class SweepRow(Stored):
    """One arm at one cell of the grid, by seed."""

    arm: str
    learning_rate: float
    warmup: float
    validation_accuracy: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    training_loss: tuple[float, ...]
    plateau_steps: tuple[int | None, ...]


def run(
    config: SweepConfig,
    budget: Budget,
    *,
    task: Task,
    model: ModelConfig,
    folder: Path,
    command: str,
    report: Progress | None = None,
    jobs: int | None = None,
) -> tuple[dict[Arm, Settings], list[SweepRow]]:
    """Each arm's best settings, and one row per arm and cell of the grid."""
    cells = [(arm, settings) for arm in ARMS for settings in config.grid()]
    trials = [
        trial(arm, settings, budget, task=task, model=model, seed=seed)
        for arm, settings in cells
        for seed in config.seeds
    ]
    results = run_all(trials, folder, command=command, report=report, jobs=jobs)
    per_cell = len(config.seeds)
    rows = [
        row(arm, settings, results[index * per_cell : (index + 1) * per_cell])
        for index, (arm, settings) in enumerate(cells)
    ]
    return {arm: best([r for r in rows if r.arm == arm]) for arm in ARMS}, rows


def row(arm: Arm, settings: Settings, results: list[TrainedRun]) -> SweepRow:
    """One cell's outcome per seed."""
    return SweepRow(
        arm,
        settings.learning_rate,
        settings.warmup,
        validation_accuracy=tuple(result.values.validation_accuracy for result in results),
        train_accuracy=tuple(result.values.train_accuracy for result in results),
        training_loss=tuple(float(result.arrays["training_loss"][-1]) for result in results),
        plateau_steps=tuple(result.values.plateau_steps for result in results),
    )


def best(rows: list[SweepRow]) -> Settings:
    """Highest mean validation accuracy; equal ones are told apart by the lower final training loss."""
    top = max(rows, key=lambda r: (np.mean(r.validation_accuracy), -np.mean(r.training_loss)))
    return Settings(top.learning_rate, top.warmup)
