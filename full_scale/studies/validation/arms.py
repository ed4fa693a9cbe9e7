"""Both arms of the validation, trained at equal steps: labels alone, and SPT.

Learning rates are the best of a small grid on a seed of their own, by validation accuracy.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from full_scale.model import ModelConfig
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.objectives.phases import Phase
from full_scale.tasks.task import Task
from full_scale.training import trial as trial_values
from full_scale.training.runner import run_all
from full_scale.training.trial_config import TrialConfig
from sims.runs.config_validation import at_least

ARMS = ("label_only", "spt")
_WARMUP = 0.2  # of every phase: the label arm needs it
EVERY = 50  # steps between measurements
_TUNING = 1_000  # added to the seed of the runs that choose a rate
Report = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How both arms are trained."""

    seeds: int = 3
    """Runs of each arm."""
    steps: int = 1_500
    """Optimiser steps of a run; two thirds of SPT's pretrain."""
    rates: tuple[float, ...] = (3e-3, 1e-2)
    """Learning rates to choose from, by validation accuracy."""

    def __post_init__(self) -> None:
        at_least(2, seeds=self.seeds)
        at_least(3 * EVERY, steps=self.steps)
        at_least(1, rates=len(self.rates))


def trained(
    config: TrainingConfig,
    model: ModelConfig,
    available: Mapping[str, Task],
    folder: Path,
    *,
    seed: int,
    command: str,
    jobs: int | None,
    report: Report,
) -> dict[str, dict[str, Any]]:
    """Both arms' accuracies on every task, at their tuned rates."""

    def run(named: Mapping[tuple, TrialConfig], first: float, doing: str) -> dict[tuple, trial_values.Values]:
        progress = lambda done, of, **_: report(first + 0.5 * done / max(of, 1), doing)
        results = run_all(list(named.values()), folder, command=command, report=progress, jobs=jobs)
        return {which: result.values for which, result in zip(named, results, strict=True)}

    pairs = [(name, arm) for name in available for arm in ARMS]
    of = lambda name, arm, rate, seed: trial(config, model, available[name], arm, rate, seed)
    tuning = {(*pair, rate): of(*pair, rate, _TUNING + seed) for pair in pairs for rate in config.rates}
    scores = run(tuning, 0.0, "tuning")
    best = {
        pair: max(config.rates, key=lambda rate: scores[(*pair, rate)].validation_accuracy) for pair in pairs
    }
    runs = {
        (*pair, index): of(*pair, best[pair], seed + index) for pair in pairs for index in range(config.seeds)
    }
    finished = run(runs, 0.5, "training")
    reached = lambda pair, part: [
        getattr(finished[(*pair, i)], f"{part}_accuracy") for i in range(config.seeds)
    ]
    return {
        name: {"rates": {arm: best[name, arm] for arm in ARMS}}
        | {arm: {part: reached((name, arm), part) for part in ("test", "train")} for arm in ARMS}
        for name in available
    }


def trial(
    config: TrainingConfig, model: ModelConfig, task: Task, arm: str, rate: float, seed: int
) -> TrialConfig:
    """One run of an arm: equal steps for both."""
    optimizer = OptimizerConfig(learning_rate=rate, warmup=_WARMUP)
    third = max(EVERY, config.steps // 3 // EVERY * EVERY)
    if arm == "label_only":
        phases: tuple[Phase, ...] = (Phase("labels", 3 * third, optimizer),)
    else:
        phases = Phase("reconstruction", 2 * third, optimizer), Phase("labels", third, optimizer)
    return TrialConfig(task, model, phases, seed, every=EVERY)
