"""Runs small enough for tests: what they are, not what they show."""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.model import ModelConfig
from full_scale.tasks.order import DocsOrder
from full_scale.training.runner import run_all
from full_scale.training.step import OptimizerConfig, Phase
from full_scale.training.trial import TrialConfig

MODEL = ModelConfig(layers=1, width=8, heads=2, hidden=8)
DATA = DocsOrder(length=16)
FAST = OptimizerConfig(learning_rate=1e-2)


def small_trial(seed: int = 0, steps: int = 20) -> TrialConfig:
    """Reconstruction, then labels."""
    phases = (Phase("reconstruction", steps, FAST), Phase("labels", steps, FAST))
    return TrialConfig(DATA, MODEL, phases, seed, batch=8, every=5, snapshots=2)


@dataclasses.dataclass(frozen=True)
class Swept:
    """A run as a sweep's trial."""

    steps: int = 5
    """Optimiser steps."""


def run(config: Swept, *, key: PRNGKeyArray) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Train as `sptlab train` does, in the process that asks."""
    with tempfile.TemporaryDirectory() as folder:
        (found,) = run_all([small_trial(steps=config.steps).prefix(1)], Path(folder), command="test", jobs=1)
    return found.values, dict(found.arrays)
