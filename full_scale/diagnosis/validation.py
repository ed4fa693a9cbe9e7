"""Does the verdict hold? Predictions are stored first; then labels alone and SPT are trained, at equal steps.

A prediction is kept with its commit and never computed again. Thresholds are chosen on the tasks whose name
hashes to even, and tested on the others. The first study's outcome changed the diagnosis, so that the second
is tested on fresh tasks; it takes over what the first measured and keeps its verdicts beside the new ones.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from full_scale.diagnosis import agreement, arms
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data import checked
from full_scale.diagnosis.diagnose import diagnose
from full_scale.diagnosis.validation_tasks import FRESH, LOOKED_AT, SMOKE, Files, tasks
from full_scale.model import ModelConfig
from full_scale.tasks import Task, load
from sims import store
from sims.store import UserError

PREDICTING = 0.25  # of the time, about
Report = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class ValidationConfig:
    """Tasks, training, and how predictions are made."""

    names: tuple[str, ...] = ()
    """Tasks; none means all."""
    files: Files = dataclasses.field(default_factory=Files)
    """Where tasks with files find theirs."""
    training: arms.TrainingConfig = dataclasses.field(default_factory=arms.TrainingConfig)
    """How both arms are trained."""
    before: Path | None = None
    """An earlier study's validation.json; what it measured is not trained again."""
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    """The architecture."""
    diagnosis: DiagnosisConfig = dataclasses.field(default_factory=DiagnosisConfig)
    """How predictions are made."""
    jobs: int | None = None
    """Processes; by default one per core."""

    @classmethod
    def smoke(cls) -> "ValidationConfig":
        """Four tasks at toy size, to see that all runs; its numbers mean nothing."""
        tiny = DiagnosisConfig(fits=2, steps=20)
        training = arms.TrainingConfig(seeds=2, steps=150, rates=(1e-2,))
        return cls(names=SMOKE, training=training, diagnosis=tiny)


def run(
    config: ValidationConfig, folder: Path, *, seed: int = 0, command: str = "", report: Report | None = None
) -> store.Result:
    """Predict, train, compare; what is stored in `folder` is not repeated. The result is stored, too."""
    tell = report or (lambda *_, **__: None)
    before = agreement.earlier(config.before)
    available, missing = at_hand(config)
    predictions = predicted(config, available, folder / "predictions", seed, command, tell)
    new = {name: task for name, task in available.items() if name not in before}
    made = arms.trained(
        config.training, config.model, new, folder / "trials", seed=seed, command=command, jobs=config.jobs,
        report=lambda share, doing: tell(PREDICTING + (1 - PREDICTING) * share, 1.0, label=doing),
    )  # fmt: skip
    measured = before | {name: agreement.measured(each) for name, each in made.items()}
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
            checked(load(known[name]))
            found[name] = known[name]
        except UserError as error:
            missing[name] = str(error)
    return found, missing


def in_half(name: str) -> agreement.Half:
    """The half of a task: by a hash of its name, but for a task looked at, which chooses, and fresh ones."""
    if name in LOOKED_AT:
        return "choose"
    if name in FRESH:
        return "fresh"
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


def table(values: Any) -> str:
    """The study as text."""
    return agreement.table(values)
