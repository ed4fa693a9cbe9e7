"""One training run: a task, a model, phases, a seed. Its result is the same however often it was killed.

Time is counted in optimiser steps, pretraining included.
"""

import dataclasses
from pathlib import Path

import numpy as np

from full_scale.dataset import Dataset
from full_scale.training.checkpoint import Checkpoints
from full_scale.training.hosts import first
from full_scale.training.mesh import ONE, Layout
from full_scale.training.models import Arrays, initial_model, stored_model
from full_scale.training.objectives import Data, sampled
from full_scale.training.run import Report, Run
from full_scale.training.train import accuracy
from full_scale.training.trial_config import TrialConfig

__all__ = ["Places", "Report", "TrialConfig", "initial_model", "plateau_steps", "run", "stored_model"]

PLATEAU_END = 0.75  # validation accuracy that counts as having left the plateau
JUDGED = 20_000  # most training sequences behind the accuracy on them


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a run keeps what it needs while it runs; None keeps nothing."""

    checkpoint: Path | None = None
    """Folder of the resumable state."""
    metrics: Path | None = None
    """File of lines, one per evaluation."""


def run(
    config: TrialConfig,
    dataset: Dataset,
    *,
    places: Places = Places(),
    prefix: Arrays | None = None,
    report: Report | None = None,
    layout: Layout = ONE,
) -> tuple[dict[str, object], Arrays]:
    """Train, evaluate, and return the run's values and arrays.

    Parameters
    ----------
    config, dataset
        What to train on what.
    places
        Where the resumable state and the metrics are kept.
    prefix
        Arrays that `config.prefix(n)` has stored; the run goes on from there to the bitwise same result.
    report
        Called with the number of steps just done, the prefix's apart, and the newest validation accuracy.
    layout
        The devices that train together; of several processes the first alone writes into `places`.

    Raises
    ------
    UserError
        If the training loss is not finite: the message names the step and the last good checkpoint.
    """
    places = places if first() else Places()
    tell = report or (lambda steps, accuracy: None)
    under_way = Run(config, dataset, Checkpoints(places.checkpoint), tell, layout)
    history = under_way.to_the_end(places.metrics, prefix)
    arrays = history.stored(config)
    validation = history.curves["validation_accuracy"]
    values: dict[str, object] = {
        "data": dataset.describe(),
        "steps": config.steps,
        "validation_accuracy": float(validation[-1]),
        "plateau_steps": plateau_steps(validation, config.every),
        **final_accuracies(config, dataset, arrays),
    }
    return values, arrays


def final_accuracies(config: TrialConfig, dataset: Dataset, arrays: Arrays) -> dict[str, float]:
    """Of the trained model, on the training part (or an even sample of it) and on the test part."""
    final, uniform = stored_model(config, dataset, arrays), config.phases[-1].frozen_uniform
    return {
        "train_accuracy": float(accuracy(final, sampled(dataset.train, JUDGED), uniform)),
        "test_accuracy": float(accuracy(final, Data.of(dataset.test), uniform)),
    }


def plateau_steps(validation_accuracy: np.ndarray, every: int) -> int | None:
    """First evaluated step at which validation accuracy reaches `PLATEAU_END`; None if it never does."""
    reached = np.flatnonzero(validation_accuracy >= PLATEAU_END)
    return int(reached[0]) * every if len(reached) else None
