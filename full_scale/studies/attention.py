"""Attention before training, after self-pretraining and after labels alone: one docs-order run each.

The maps of the front page's picture. Settings are those that the tuning study chose.
"""

import dataclasses
import tempfile
from pathlib import Path

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.data.dataset import Dataset
from full_scale.devices.precision import single_precision
from full_scale.model import ModelConfig, Transformer
from full_scale.probes.measures import held_out
from full_scale.probes.online_metrics import attention_maps, proximity_indices
from full_scale.studies.arm_comparison import Plan, trial_seeds
from full_scale.studies.arms import Budget
from full_scale.studies.settings import chosen
from full_scale.tasks.order import DocsOrder
from full_scale.tasks.task import load
from full_scale.training.runner import Progress, run_all
from full_scale.training.trial import initial_model, stored_model
from sims.runs.typed import Stored

description = "attention maps of one docs-order run of each arm: the front page's picture"
seconds = 60.0
stored = "attention"
PRETRAINED = 1  # the snapshot at the end of the SPT arm's first phase


@dataclasses.dataclass(frozen=True)
class Config:
    """One run of each arm."""

    steps: int = 3000
    """Optimiser steps of a run, two thirds of them pretraining; a multiple of 50."""
    width: int = 32
    """Token width."""
    heads: int = 4
    """Attention heads; must divide the width."""
    length: int = 64
    """Letters per window."""
    jobs: int | None = None
    """Runs side by side; by default one per core."""

    def __post_init__(self) -> None:
        Budget(self.steps)
        ModelConfig(1, self.width, self.heads)

    @classmethod
    def smoke(cls) -> "Config":
        """Toy size, to see that it runs; its numbers mean nothing."""
        return cls(steps=150, width=8, heads=2, length=16, jobs=1)

    def plan(self, *, key: PRNGKeyArray) -> Plan:
        """One run of labels alone and one of SPT."""
        model = ModelConfig(1, self.width, self.heads, 2 * self.width)
        seeds = trial_seeds(1, key=key)
        task = DocsOrder(length=self.length)
        return Plan(task, model, Budget(self.steps), chosen("docs-order", 1), seeds, ())


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Of which run the maps are, and the proximity index of each head by state."""

    task: str
    seed: int
    proximity_index: dict[str, tuple[float, ...]]


def run(
    config: Config,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab study attention",
) -> tuple[Values, dict[str, np.ndarray]]:
    """Mean attention over held-out sequences, (head, query, key), at every state."""
    plan = config.plan(key=key)
    trials = [*plan.arm("label_only"), *plan.arm("spt")]
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        labels, spt = run_all(trials, folder, command=command, report=report, jobs=config.jobs)
    dataset = load(plan.task)
    with single_precision():
        models = {
            "initialisation": initial_model(trials[1], dataset),
            "pretrained": stored_model(trials[1], dataset, spt.arrays, PRETRAINED),
            "spt": stored_model(trials[1], dataset, spt.arrays, -1),
            "label_only": stored_model(trials[0], dataset, labels.arrays, -1),
        }
        maps = {state: _maps(model, dataset) for state, model in models.items()}
    indices = {state: tuple(proximity_indices(each[None])[0].tolist()) for state, each in maps.items()}
    values = Values(dataset.name, trials[1].seed, indices)
    return values, {f"attention_{state}": each for state, each in maps.items()}


def _maps(model: Transformer, dataset: Dataset) -> np.ndarray:
    """The first layer's mean attention, (head, query, key), over held-out sequences."""
    tokens, _ = held_out(dataset)
    return np.asarray(jax.device_get(attention_maps(model, tokens)))[0]
