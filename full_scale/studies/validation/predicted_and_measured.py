"""Does the verdict hold? Predictions are stored first; then labels alone and SPT are trained, at equal steps.

A prediction is kept with its commit and never computed again. Thresholds are chosen on the tasks whose name
hashes to even, and tested on the others. The first study's outcome changed the diagnosis, so that the second
is tested on fresh tasks; it takes over what the first measured and keeps its verdicts beside the new ones.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import jax

from full_scale.diagnosis.config import DiagnosisConfig, PilotConfig
from full_scale.diagnosis.data import checked
from full_scale.diagnosis.diagnose import diagnose
from full_scale.diagnosis.result import Explained, Values
from full_scale.model import ModelConfig
from full_scale.studies.validation import agreement, arms
from full_scale.studies.validation.tasks import FRESH, LOOKED_AT, SMOKE, Files, tasks
from full_scale.tasks.task import Task, load
from sims.runs import store
from sims.runs.store import UserError

_PREDICTING = 0.25  # of the time, about
NO_PILOT = PilotConfig(seeds=0)
Report = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class ValidationConfig:
    """Tasks, training, and how predictions are made."""

    names: tuple[str, ...] = ()
    """Tasks; default: all."""
    files: Files = dataclasses.field(default_factory=Files)
    """Where tasks with files find theirs."""
    training: arms.TrainingConfig = dataclasses.field(default_factory=arms.TrainingConfig)
    """How both arms are trained."""
    before: Path | None = None
    """The validation.json of an earlier study; tasks measured there are not trained again."""
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    """The architecture."""
    diagnosis: DiagnosisConfig = dataclasses.field(
        default_factory=lambda: DiagnosisConfig(fits=4, pilot=NO_PILOT)
    )
    """How predictions are made: by fits, as in the stored studies."""
    jobs: int | None = None
    """Runs in parallel; default: one per core."""

    @classmethod
    def smoke(cls) -> "ValidationConfig":
        """Four tasks at toy size, to see that all runs; its numbers mean nothing."""
        tiny = DiagnosisConfig(fits=2, steps=20, pilot=NO_PILOT)
        training = arms.TrainingConfig(seeds=2, steps=150, rates=(1e-2,))
        return cls(names=SMOKE, training=training, diagnosis=tiny)


def run(
    config: ValidationConfig, folder: Path, *, seed: int = 0, command: str = "", report: Report | None = None
) -> store.Result:
    """Predict, train, compare; what is stored in `folder` is not repeated. The result is stored, too."""
    progress = report or (lambda *_, **__: None)
    before = agreement.earlier(config.before)
    available, missing = _at_hand(config)
    predictions = predicted(config, available, folder / "predictions", seed, command, progress)
    new = {name: task for name, task in available.items() if name not in before}
    made = arms.trained(
        config.training, config.model, new, folder / "trials", seed=seed, command=command, jobs=config.jobs,
        report=lambda share, doing: progress(_PREDICTING + (1 - _PREDICTING) * share, 1.0, label=doing),
    )  # fmt: skip
    measured = before | {name: agreement.measured(each) for name, each in made.items()}
    rows = [agreement.row(name, *predictions[name], measured[name], in_half(name)) for name in available]
    settings = store.plain(config)
    values = agreement.Values(**vars(agreement.summary(rows)), missing=missing, config=settings)
    record = store.provenance(config, command=command, seed=seed)
    result = store.Result("validation", store.plain(values), {}, record)  # type: ignore[arg-type]
    store.save(folder, result)
    return result


def _at_hand(config: ValidationConfig) -> tuple[dict[str, Task], dict[str, str]]:
    """The tasks whose data are there, and why the others are not."""
    available, missing, known = {}, {}, tasks(config.files)
    for name in config.names or tuple(known):
        if name not in known:
            raise UserError(f"expected tasks among {', '.join(known)}: got {name}")
        try:
            checked(load(known[name]))
            available[name] = known[name]
        except UserError as error:
            missing[name] = str(error)
    return available, missing


def in_half(name: str) -> agreement.Half:
    """The half of a task: by a hash of its name, but for a task looked at, which chooses, and fresh ones."""
    if name in LOOKED_AT:
        return "choose"
    if name in FRESH:
        return "fresh"
    return "test" if hashlib.sha256(name.encode()).digest()[0] % 2 else "choose"


def predicted(
    config: ValidationConfig,
    available: dict[str, Task],
    folder: Path,
    seed: int,
    command: str,
    report: Report,
) -> dict[str, tuple[Explained, dict]]:
    """Every task's diagnosis and its commit, stored before anything is trained."""
    predictions: dict[str, tuple[Explained, dict]] = {}
    for index, (name, task) in enumerate(available.items()):
        share = lambda done, of, index=index: report(
            _PREDICTING * (index + done / of) / len(available), 1.0, label="predicting"
        )

        def compute(task: Task = task, share: Callable = share) -> tuple[Values, dict]:
            made = diagnose(
                load(task), config.model, config.diagnosis, key=jax.random.key(seed), folder=folder / "fits",
                report=share, jobs=config.jobs, command=command,
            )  # fmt: skip
            return made.values, made.arrays

        identity = {"task": task, "model": config.model, "diagnosis": config.diagnosis}
        stored = store.stage(
            folder, name, Prediction(store.plain(identity)), compute, command=command, seed=seed, code=()
        )
        commit: dict = stored.record["commit"]  # type: ignore[assignment]
        predictions[name] = Explained.from_json(stored.values), commit
    return predictions


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a stored prediction is of."""

    identity: object
