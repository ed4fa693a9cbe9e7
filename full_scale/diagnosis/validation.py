"""Does the verdict hold? Predictions are stored first; then labels alone and SPT are trained, at equal steps.

A prediction is kept with its commit and never computed again. Learning rates are the best of a small grid on
a seed of their own, by validation accuracy. Thresholds are chosen on the tasks whose name hashes to even, and
tested on the others.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jax

from full_scale.diagnosis import agreement
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data import checked
from full_scale.diagnosis.diagnose import diagnose
from full_scale.diagnosis.validation_tasks import SMOKE, Files, tasks
from full_scale.model import ModelConfig
from full_scale.tasks import Task, load
from full_scale.training.optimizers import OptimizerConfig
from full_scale.training.phases import Phase
from full_scale.training.trial_config import TrialConfig
from full_scale.training.trials import run_all
from sims import store
from sims.limits import at_least
from sims.store import UserError

ARMS = ("label_only", "spt")
WARMUP = 0.2  # of every phase: the label arm needs it
PREDICTING = 0.25  # of the time, about
Report = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class ValidationConfig:
    """Tasks, training, and how predictions are made."""

    names: tuple[str, ...] = ()
    """Tasks; none means all."""
    files: Files = dataclasses.field(default_factory=Files)
    """Where tasks with files find theirs."""
    seeds: int = 3
    """Runs of each arm."""
    steps: int = 1_500
    """Optimiser steps of a run; two thirds of SPT's pretrain."""
    rates: tuple[float, ...] = (3e-3, 1e-2)
    """Learning rates tried."""
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    """The architecture."""
    diagnosis: DiagnosisConfig = dataclasses.field(default_factory=DiagnosisConfig)
    """How predictions are made."""
    jobs: int | None = None
    """Processes; by default one per core."""

    def __post_init__(self) -> None:
        at_least(2, seeds=self.seeds)
        at_least(150, steps=self.steps)

    @classmethod
    def smoke(cls) -> "ValidationConfig":
        """Four tasks at toy size, to see that all runs; its numbers mean nothing."""
        tiny = DiagnosisConfig(fits=2, steps=20)
        return cls(names=SMOKE, seeds=2, steps=150, rates=(1e-2,), diagnosis=tiny)


def run(
    config: ValidationConfig, folder: Path, *, seed: int = 0, command: str = "", report: Report | None = None
) -> store.Result:
    """Predict, train, compare; what is stored in `folder` is not repeated. The result is stored, too."""
    tell = report or (lambda *_, **__: None)
    available, missing = at_hand(config)
    predictions = predicted(config, available, folder / "predictions", seed, command, tell)
    measured = trained(config, available, folder / "trials", seed, command, tell)
    rows = [agreement.row(name, predictions[name], measured[name], in_half(name)) for name in available]
    values = {**agreement.summary(rows), "missing": missing, "config": store.plain(config)}
    record = store.provenance(config, command=command, seed=seed)
    result = store.Result("validation", store.plain(values), {}, record)  # type: ignore[arg-type]
    store.save(folder, result)
    return result


def at_hand(config: ValidationConfig) -> tuple[dict[str, Task], dict[str, str]]:
    """The tasks whose data are there, and why the others are not."""
    found, missing, known = {}, {}, tasks(config.files)
    for name in config.names or tuple(known):
        if name not in known:
            raise UserError(f"expected tasks among {', '.join(known)}: got {name}")
        try:
            checked(load(known[name]), config.model)
            found[name] = known[name]
        except UserError as error:
            missing[name] = str(error)
    return found, missing


def in_half(name: str) -> Literal["choose", "test"]:
    """The half of a task: by a hash of its name, fixed for ever."""
    return "test" if hashlib.sha256(name.encode()).digest()[0] % 2 else "choose"


def predicted(
    config: ValidationConfig, available: dict[str, Task], folder: Path, seed: int, command: str, tell: Report
) -> dict[str, dict[str, Any]]:
    """Every task's diagnosis, stored with its commit before anything is trained."""
    found: dict[str, dict[str, Any]] = {}
    for index, (name, task) in enumerate(available.items()):
        share = lambda done, of, index=index: tell(
            PREDICTING * (index + done / of) / len(available), 1.0, label="predicting"
        )

        def compute(task: Task = task, share: Callable = share) -> tuple[dict, dict]:
            made = diagnose(
                load(task), config.model, config.diagnosis, key=jax.random.key(seed), folder=folder / "fits",
                report=share, jobs=config.jobs, command=command,
            )  # fmt: skip
            return store.plain(made.values), made.arrays  # type: ignore[return-value]

        identity = {"task": task, "model": config.model, "diagnosis": config.diagnosis}
        kept = store.stage(
            folder, name, Prediction(store.plain(identity)), compute, command=command, seed=seed
        )
        found[name] = {**kept.values, "commit": kept.record["commit"]}
    return found


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a stored prediction is of."""

    identity: object


def trained(
    config: ValidationConfig, available: dict[str, Task], folder: Path, seed: int, command: str, tell: Report
) -> dict[str, dict[str, Any]]:
    """Both arms' accuracies on every task, at their tuned rates."""
    tuning = {
        (name, arm, rate): trial(config, task, arm, rate, 1_000 + seed)
        for name, task in available.items()
        for arm in ARMS
        for rate in config.rates
    }
    scale = (1 - PREDICTING) / 2
    one = lambda done, of, **_: tell(PREDICTING + scale * done / max(of, 1), 1.0, label="tuning")
    two = lambda done, of, **_: tell(1 - scale * (1 - done / max(of, 1)), 1.0, label="training")
    go = lambda trials, hook: run_all(trials, folder, command=command, report=hook, jobs=config.jobs)
    scores = {
        which: float(result.values["validation_accuracy"])  # type: ignore[arg-type]
        for which, result in zip(tuning, go(list(tuning.values()), one), strict=True)
    }
    best = {
        (name, arm): max(config.rates, key=lambda rate: scores[name, arm, rate])
        for name in available
        for arm in ARMS
    }
    runs = {
        (name, arm, index): trial(config, task, arm, best[name, arm], seed + index)
        for name, task in available.items()
        for arm in ARMS
        for index in range(config.seeds)
    }
    results = dict(zip(runs, go(list(runs.values()), two), strict=True))
    return {
        name: {
            "rates": {arm: best[name, arm] for arm in ARMS},
            **{
                arm: {
                    part: [
                        results[name, arm, index].values[f"{part}_accuracy"] for index in range(config.seeds)
                    ]
                    for part in ("test", "train")
                }
                for arm in ARMS
            },
        }
        for name in available
    }


def trial(config: ValidationConfig, task: Task, arm: str, rate: float, seed: int) -> TrialConfig:
    """One run of an arm: equal steps for both."""
    optimizer, every = OptimizerConfig(learning_rate=rate, warmup=WARMUP), 50
    third = max(every, config.steps // 3 // every * every)
    if arm == "label_only":
        phases: tuple[Phase, ...] = (Phase("labels", 3 * third, optimizer),)
    else:
        phases = Phase("reconstruction", 2 * third, optimizer), Phase("labels", third, optimizer)
    return TrialConfig(task, config.model, phases, seed, every=every)


def table(values: Any) -> str:
    """The study as text."""
    return agreement.table(values)
