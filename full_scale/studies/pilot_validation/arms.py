"""Both arms of a set trained at the user's size: each at its best of several rates, over several seeds."""

import dataclasses
import time
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool

from full_scale.data.dataset import Dataset, Split
from full_scale.data.splits import for_pretraining
from full_scale.devices.precision import single_precision
from full_scale.diagnosis.pilot.runs import Diverged, Pools, answered, through
from full_scale.model import ModelConfig, Transformer
from full_scale.objectives.batch_loss import Data
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.objectives.phases import Phase
from full_scale.studies.pilot_validation.sets import Sized
from full_scale.tasks.task import load
from sims.runs import store
from sims.runs.config_validation import at_least, positive
from sims.runs.typed import Stored

ARMS = ("labels", "spt")
_WARMUP, _PER_CALL = 0.2, 50


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How both arms are trained."""

    seeds: int = 3
    """Runs of each arm at its rate."""
    steps: int = 1_000
    """Optimiser steps of a run; about two thirds of SPT's pretrain."""
    batch: int = 32
    """Sequences per step."""
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    """Peak learning rates to choose from, on the first seed, by validation accuracy."""

    def __post_init__(self) -> None:
        at_least(2, seeds=self.seeds)
        at_least(1, batch=self.batch, rates=len(self.rates))
        positive(0.01, rates=self.rates)
        at_least(3, steps=self.steps)


@dataclasses.dataclass(frozen=True)
class Measured(Stored):
    """What training came to on a set."""

    set: str
    rates: dict[str, float]
    """Peak learning rate by arm."""
    accuracy: dict[str, tuple[float, ...]]
    """Test accuracy by arm, over seeds."""
    tried: dict[str, dict[str, float]]
    """Validation accuracy of the first seed, by arm and rate; 0 where a loss was no number."""
    test: int
    """Sequences that were asked."""
    seconds: float
    """CPU time of training both arms once, what is compiled included."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """What a stored measurement is of."""

    set: str
    data: str
    """Hash of the sequences."""
    model: ModelConfig
    training: TrainingConfig


@dataclasses.dataclass(frozen=True)
class Run:
    """Which rows of a part one run answers rightly."""

    validation: Bool[np.ndarray, " validation_row"]
    test: Bool[np.ndarray, " test_row"]


def measured(
    each: Sized, model: ModelConfig, config: TrainingConfig, folder: Path, seed: int, command: str
) -> store.Result:
    """Both arms' accuracies, from `folder` or trained and stored there; arrays say which test rows are right."""
    dataset = each.for_training(load(each.task))

    def compute() -> tuple[Measured, dict]:
        with single_precision():
            return _measured(each.key, dataset, model, config, seed)

    identity = Trained(each.key, dataset.sha256(), model, config)
    return store.stage(folder, each.key, identity, compute, command=command, seed=seed, code=())


def _measured(
    name: str, dataset: Dataset, model: ModelConfig, config: TrainingConfig, seed: int
) -> tuple[Measured, dict]:
    """Every rate on the first seed, then the other seeds at the best; the first seed's run counts, too."""
    rates, tried, right, seconds = {}, {}, {}, 0.0
    for arm in ARMS:
        first: dict[float, Run] = {}
        for rate in config.rates:
            started = time.process_time()
            first[rate] = _run(arm, dataset, model, config, rate, seed)
            seconds += (time.process_time() - started) * (rate == config.rates[0])
        scores = {rate: float(run.validation.mean()) for rate, run in first.items()}
        best = max(config.rates, key=lambda rate: scores[rate])
        more = [_run(arm, dataset, model, config, best, seed + index) for index in range(1, config.seeds)]
        right[arm] = np.stack([run.test for run in (first[best], *more)])
        rates[arm], tried[arm] = best, {f"{rate:g}": score for rate, score in scores.items()}
    accuracy = {arm: tuple(rows.mean(axis=1).tolist()) for arm, rows in right.items()}
    values = Measured(name, rates, accuracy, tried, len(dataset.test), seconds)
    return values, {f"right_{arm}": rows for arm, rows in right.items()}


def _run(
    arm: str, dataset: Dataset, model: ModelConfig, config: TrainingConfig, rate: float, seed: int
) -> Run:
    """One run of an arm; a loss that is no number answers nothing rightly."""
    keys = jax.random.split(jax.random.key(seed))
    start = eqx.filter_jit(Transformer)(model, dataset.inputs, key=keys[0])
    parts = dataset.validation, dataset.test
    pools = Pools(Data.of(dataset.train), Data.of(for_pretraining(dataset)))
    try:
        per_call = int(np.gcd.reduce([*(phase.steps for phase in phases(arm, config, rate)), _PER_CALL]))
        trained = through(start, phases(arm, config, rate), pools, config.batch, per_call, keys[1])
    except Diverged:
        return Run(*(np.zeros(len(part), bool) for part in parts))
    return Run(*(_right(trained, part) for part in parts))


def _right(model: Transformer, part: Split) -> Bool[np.ndarray, " row"]:
    """Which sequences the model answers rightly."""
    return np.asarray(answered(model, Data.of(part)))


def phases(arm: str, config: TrainingConfig, rate: float) -> tuple[Phase, ...]:
    """Labels for all steps; or hidden tokens for two thirds, then labels."""
    optimizer = OptimizerConfig(rate, _WARMUP)
    if arm == "labels":
        return (Phase("labels", config.steps, optimizer),)
    last = max(1, round(config.steps / 3 / _PER_CALL) * _PER_CALL)
    return Phase("reconstruction", config.steps - last, optimizer), Phase("labels", last, optimizer)
