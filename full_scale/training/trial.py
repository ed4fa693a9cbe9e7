"""One training run: a task, a model, phases, a seed. Its result is the same however often it was killed.

Time is counted in optimiser steps, pretraining included.
"""

import dataclasses
from pathlib import Path

import numpy as np

from full_scale.data.dataset import Dataset, Description, Inputs
from full_scale.devices.hosts import is_main_process
from full_scale.devices.mesh import SINGLE_DEVICE, Layout
from full_scale.objectives.batch_loss import Data, sampled
from full_scale.training.checkpoint import Checkpoints
from full_scale.training.loop import Report, Run
from full_scale.training.models import Arrays, initial_model, stored_model
from full_scale.training.step import accuracy
from full_scale.training.trial_config import TrialConfig
from sims.runs.typed import Stored

__all__ = [
    "Report", "RunPaths", "TrialConfig", "Values", "initial_model", "plateau_steps", "run", "stored_model",
]  # fmt: skip

_PLATEAU_END = 0.75  # validation accuracy that counts as having left the plateau
_JUDGED = 20_000  # most training sequences behind the accuracy on them


@dataclasses.dataclass(frozen=True)
class RunPaths:
    """Where a run keeps what it needs while it runs; None keeps nothing."""

    checkpoint: Path | None = None
    """Folder of the resumable state."""
    metrics: Path | None = None
    """File of lines, one per evaluation."""


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """What one training run came to."""

    data: Description
    steps: int
    validation_accuracy: float
    plateau_steps: int | None
    """First evaluated step that left the plateau."""
    train_accuracy: float
    test_accuracy: float
    inputs: Inputs | None = None
    """What the model's tokens and labels are; early results do not say it."""
    class_names: tuple[str, ...] | None = None
    """The name of each label, as `inputs`."""


def run(
    config: TrialConfig,
    dataset: Dataset,
    *,
    paths: RunPaths = RunPaths(),
    prefix: Arrays | None = None,
    report: Report | None = None,
    layout: Layout = SINGLE_DEVICE,
) -> tuple[Values, Arrays]:
    """Train, evaluate, and return the run's values and arrays.

    Parameters
    ----------
    config, dataset
        What to train on what.
    paths
        Where the resumable state and the metrics are kept.
    prefix
        Arrays that `config.prefix(n)` has stored; the run goes on from there to the bitwise same result.
    report
        Called with the number of steps just done, the prefix's apart, and the newest validation accuracy.
    layout
        The devices that train together; of several processes the first alone writes into `paths`.

    Raises
    ------
    UserError
        If the training loss is not finite: the message names the step and the last good checkpoint.
    """
    paths = paths if is_main_process() else RunPaths()
    progress = report or (lambda steps, accuracy: None)
    under_way = Run(config, dataset, Checkpoints(paths.checkpoint), progress, layout)
    history = under_way.to_the_end(paths.metrics, prefix)
    arrays = history.stored(config)
    validation = history.curves["validation_accuracy"]
    final = float(validation[-1]), plateau_steps(validation, config.every)
    accuracies = _final_accuracies(config, dataset, arrays)
    values = Values(dataset.describe(), config.steps, *final, **accuracies)
    return dataclasses.replace(values, inputs=dataset.inputs, class_names=dataset.class_names), arrays


def _final_accuracies(config: TrialConfig, dataset: Dataset, arrays: Arrays) -> dict[str, float]:
    """Of the trained model, on the training part (or an even sample of it) and on the test part."""
    final, uniform = stored_model(config, dataset, arrays), config.phases[-1].frozen_uniform
    return {
        "train_accuracy": float(accuracy(final, sampled(dataset.train, _JUDGED), uniform)),
        "test_accuracy": float(accuracy(final, Data.of(dataset.test), uniform)),
    }


def plateau_steps(validation_accuracy: np.ndarray, every: int) -> int | None:
    """First evaluated step at which validation accuracy reaches `_PLATEAU_END`; None if it never does."""
    reached = np.flatnonzero(validation_accuracy >= _PLATEAU_END)
    return int(reached[0]) * every if len(reached) else None
