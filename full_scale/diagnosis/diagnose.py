"""The diagnosis: a pilot of both arms, fits that say why where asked for, and the verdict."""

import contextlib
import dataclasses
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.data.dataset import Dataset
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.data.splits import capped
from full_scale.devices import workers
from full_scale.devices.precision import single_precision
from full_scale.diagnosis.conclusion import concluded
from full_scale.diagnosis.config import DiagnosisConfig, PilotConfig, Thresholds
from full_scale.diagnosis.data import checked, dataset_of_arrays, name_of, training_command
from full_scale.diagnosis.evidence import STEPS_OF, measurements
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.pilot.runs import Plan
from full_scale.diagnosis.pilot.sequential import Pilot, piloted, runs_of
from full_scale.diagnosis.result import Values
from full_scale.diagnosis.verdict import PretrainingVerdict
from full_scale.model import ModelConfig
from full_scale.objectives.optimizers import OptimizerConfig
from sims.runs import store
from sims.runs.keys import stage_key
from sims.runs.validity import Identity, identity

MODEL, CONFIG = ModelConfig(), DiagnosisConfig()
STEPS, BATCH, PEAK = 800, 50, 0.02
LONG = 128  # tokens from which a batch holds fewer sequences
_BUDGET = 1.5e12  # floating-point operations of one fit: some 20 s on one core
FEWEST_STEPS = 200
CODE = (measurements, single_precision)
_ARRAYS = "np.savez('mine.npz', x=x, y=y), then: sptlab train run --task own --data mine.npz --grid arms"
Report = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What was found; `values` holds every number, `arrays` what figures draw."""

    values: Values
    arrays: dict[str, np.ndarray]

    @property
    def verdict(self) -> PretrainingVerdict:
        """What to do, why, and what it is predicted to be worth."""
        return self.values.verdict


@dataclasses.dataclass(frozen=True)
class Unit:
    """One initialisation, as a job: the settings that decide its numbers."""

    data: str
    model: ModelConfig
    fit: FitConfig
    seed: int

    @property
    def name(self) -> str:
        """Under which its evidence is kept."""
        return f"{self.data[:12]}-{store.config_hash(self, self.seed)[:16]}"

    @property
    def expected(self) -> Identity:
        """What the record of its evidence must agree with."""
        return identity(self, self.seed, *CODE)


def diagnose_arrays(
    x: Any,
    y: Any,
    lengths: Any = None,
    model: ModelConfig = MODEL,
    config: DiagnosisConfig = CONFIG,
    *,
    key: PRNGKeyArray,
    group: Any = None,
) -> Diagnosis:
    """`diagnose` on arrays: x (n, length) integers or floats, (n, length, channel) floats, or texts; y (n,).

    numpy, pandas, polars and torch objects and lists are taken; sequences of one `group` (n,) stay together.
    """
    return diagnose(dataset_of_arrays(x, y, lengths, group), model, config, key=key, command=_ARRAYS)


def diagnose(
    dataset: Dataset,
    model: ModelConfig = MODEL,
    config: DiagnosisConfig = CONFIG,
    *,
    key: PRNGKeyArray,
    folder: Path | None = None,
    report: Report | None = None,
    jobs: int | None = 1,
    command: str = "diagnose",
) -> Diagnosis:
    """Can labels see the attention pattern that these data offer, and what is it worth?

    Parameters
    ----------
    dataset, model
        The data, and the architecture that is to be trained on them.
    config
        How much is computed, and the thresholds of the verdict.
    key
        Decides every initialisation, batch and mask.
    folder
        Where finished initialisations are kept, so that a second call goes on from there; None keeps nothing.
    report
        Called with (steps done, all steps).
    jobs
        Worker processes; 1 computes here, None takes one per core.
    command
        Recorded with kept initialisations, and named in the advice.
    """
    checked(dataset)
    used, seed = capped(dataset, config.train_most, config.held_out_most, 0), _seed_of(key)
    fit = fit_config(config, model, dataset.length)
    with contextlib.ExitStack() as stack:
        cache = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        whole, after = _shared(report, config, model, dataset.length, fit)
        pilot, right = _pilot(used, model, config, seed, cache, whole, command)
        units = [Unit(used.sha256(), model, fit, seed + index) for index in range(config.fits)]
        results = computed(used, units, cache, after, jobs, command) if units else []
    values = concluded(dataset, used, model, config, fit, results, command, pilot)
    return Diagnosis(values, (results[0].arrays if results else {}) | right)


def _shared(
    report: Report | None, config: DiagnosisConfig, model: ModelConfig, length: int, fit: FitConfig
) -> tuple[Callable[[int], None], Report | None]:
    """Where the pilot reports its steps, and where the fits report theirs: parts of one whole."""
    plan = Plan.of(config.pilot, model, length)
    first = plan.steps * runs_of(config.pilot, plan, length)
    total = first + STEPS_OF * config.fits * fit.steps
    if report is None:
        return lambda steps: None, None
    done = 0

    def of_pilot(steps: int) -> None:
        nonlocal done
        done += steps
        report(done, total)

    report(0, total)
    return of_pilot, lambda steps, _: report(first + steps, total)


@dataclasses.dataclass(frozen=True)
class PilotUnit:
    """A pilot, as a job: the settings that decide its numbers."""

    data: str
    model: ModelConfig
    pilot: PilotConfig
    thresholds: Thresholds
    seed: int


def _pilot(
    dataset: Dataset, model: ModelConfig, config: DiagnosisConfig, seed: int, folder: Path,
    report: Callable[[int], None], command: str,
) -> tuple[Pilot | None, dict[str, np.ndarray]]:  # fmt: skip
    """The pilot and the rows that its runs answer rightly: from `folder`, or trained and stored there."""
    if config.pilot.seeds == 0:
        return None, {}
    unit = PilotUnit(dataset.sha256(), model, config.pilot, config.thresholds, seed)

    def compute() -> tuple:
        with single_precision():
            pilot, right = piloted(dataset, model, config, seed, report)
        return pilot, {f"right_{arm}": rows for arm, rows in right.items()}

    name = f"pilot-{unit.data[:12]}-{store.config_hash(unit, seed)[:16]}"
    code = (piloted, single_precision)
    result = store.stage(folder, name, unit, compute, command=command, seed=seed, code=code)
    return Pilot.from_json(result.values), result.arrays


def _seed_of(key: PRNGKeyArray) -> int:
    """A number from a key: initialisations are numbered from it."""
    return int(jax.random.randint(key, (), 0, 2**20))


def fit_config(config: DiagnosisConfig, model: ModelConfig, length: int) -> FitConfig:
    """The fits' steps, batch and rate: given, or such that a fit costs at most `_BUDGET` operations.

    Without fits, the pilot's.
    """
    if not config.fits:
        plan = Plan.of(config.pilot, model, length)
        return FitConfig(plan.steps, plan.batch, OptimizerConfig(learning_rate=max(plan.rates), clip=1.0))
    batch = config.batch or max(12, BATCH * LONG // max(length, LONG))
    inside = 4 * model.width**2 + 2 * model.width * model.hidden + length * model.width
    affordable = int(_BUDGET / (6 * batch * length * model.layers * inside))
    steps = config.steps or min(STEPS, max(FEWEST_STEPS, affordable))
    rate = config.learning_rate or PEAK * min(1.0, 32 / model.width) / np.sqrt(model.layers)
    return FitConfig(steps, batch, OptimizerConfig(learning_rate=float(rate), clip=1.0))


def computed(
    dataset: Dataset, units: list[Unit], folder: Path, report: Report | None, jobs: int | None, command: str
) -> list[store.Result]:
    """Every initialisation's evidence: from `folder`, or computed and stored there."""
    missing = [unit for unit in units if not store.finished(folder, unit.name, unit.expected)]
    total = STEPS_OF * sum(unit.fit.steps for unit in units)
    done = total - STEPS_OF * sum(unit.fit.steps for unit in missing)
    progress = (lambda steps, _=None: report(done + steps, total)) if report else (lambda steps, _=None: None)
    progress(0)
    work = functools.partial(stored, dataset=dataset, folder=folder, command=command)
    processes = min(jobs or workers.cores(), len(missing))
    if processes > 1:
        workers.in_workers(work, dict.fromkeys(missing), progress, processes)
    else:
        steps = 0
        for unit in missing:

            def count(more: int, _: float | None = None) -> None:
                nonlocal steps
                steps += more
                progress(steps)

            work(unit, report=count)
    return [store.load(folder, unit.name) for unit in units]


def stored(unit: Unit, *, dataset: Dataset, folder: Path, command: str, report: Callable) -> None:
    """Compute one initialisation's evidence and store it."""

    def compute() -> tuple:
        with single_precision():
            return measurements(dataset, unit.model, unit.fit, unit.seed, lambda steps: report(steps, None))

    store.stage(folder, unit.name, unit, compute, command=command, seed=unit.seed, code=CODE)


def diagnosed(
    dataset: Dataset, data: str, model: ModelConfig, config: DiagnosisConfig, folder: Path,
    *, seed: int, command: str, report: Callable, columns: Columns = DEFAULT,
) -> store.Result:  # fmt: skip
    """The diagnosis of a data set, stored under the name of what the user gave as `data`."""
    name = name_of(data)
    diagnosis = diagnose(
        dataset, model, config, key=stage_key("diagnose", seed), folder=folder / "fits", report=report,
        jobs=None, command=training_command(data, columns),
    )  # fmt: skip
    record = store.provenance(config, command=f"{command} {name}", seed=seed)
    result = store.Result(name, store.plain(diagnosis.values), diagnosis.arrays, record)  # type: ignore[arg-type]
    store.save(folder, result)
    return result
