"""The diagnosis: independent initialisations side by side, their numbers with intervals, the verdict."""

import dataclasses
import functools
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from jaxtyping import PRNGKeyArray, Shaped

from full_scale.dataset import Dataset
from full_scale.diagnosis.conclusion import concluded
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data import checked, dataset_of_arrays
from full_scale.diagnosis.evidence import STEPS_OF, evidence
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.verdict import Verdict
from full_scale.model import ModelConfig
from full_scale.precision import single_precision
from full_scale.tasks.splits import capped
from full_scale.training import trials, workers
from full_scale.training.optimizers import OptimizerConfig
from sims import store

MODEL, CONFIG = ModelConfig(), DiagnosisConfig()
STEPS, BATCH, PEAK = 800, 50, 0.02
LONG = 128  # tokens from which a batch holds fewer sequences
BUDGET = 1.5e12  # floating-point operations of one fit: some 20 s on one core
FEWEST_STEPS = 200
DECIDING = ("directions", "evidence", "fits", "frozen", "pattern", "plateau", "pulls", "reach")
Report = Callable[..., None]


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What was found; `values` holds every number, `arrays` what figures draw."""

    verdict: Verdict
    values: dict[str, object]
    arrays: dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Unit:
    """One initialisation, as a job: all that decides its numbers."""

    data: str
    model: ModelConfig
    fit: FitConfig
    seed: int
    code: str

    @property
    def name(self) -> str:
        """Under which its evidence is kept."""
        return f"{self.data[:12]}-{store.config_hash(self, self.seed)[:16]}"


def diagnose_arrays(
    x: Shaped[np.ndarray, "n ..."],
    y: Shaped[np.ndarray, " n"],
    lengths: Shaped[np.ndarray, " n"] | None = None,
    model: ModelConfig = MODEL,
    config: DiagnosisConfig = CONFIG,
    *,
    key: PRNGKeyArray,
) -> Diagnosis:
    """`diagnose` on arrays: x (n, length) integers or floats, or (n, length, channel) floats; y (n,)."""
    return diagnose(dataset_of_arrays(x, y, lengths), model, config, key=key)


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
        How much is computed, and the lines of the verdict.
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
    used, seed = capped(dataset, config.train_most, config.held_out_most, 0), seed_of(key)
    fit, digest = fit_config(config, model, dataset.length), used.sha256()
    units = [Unit(digest, model, fit, seed + index, code()) for index in range(config.fits)]
    if folder is None:
        with tempfile.TemporaryDirectory() as scratch:
            results = computed(used, units, Path(scratch), report, jobs, command)
    else:
        results = computed(used, units, folder, report, jobs, command)
    verdict, values = concluded(dataset, used, config, [result.values for result in results], command)
    values |= {"model": store.plain(model), "fit": store.plain(fit)}
    return Diagnosis(verdict, values, results[0].arrays)


@functools.cache
def code() -> str:
    """Hash of the code that decides an initialisation's numbers."""
    digest = hashlib.sha256(trials.code().encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem in DECIDING:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def seed_of(key: PRNGKeyArray) -> int:
    """A number from a key: initialisations are numbered from it."""
    return int(jax.random.randint(key, (), 0, 2**20))


def fit_config(config: DiagnosisConfig, model: ModelConfig, length: int) -> FitConfig:
    """The fits' steps, batch and rate: given, or such that a fit costs at most `BUDGET` operations."""
    batch = config.batch or max(12, BATCH * LONG // max(length, LONG))
    inside = 4 * model.width**2 + 2 * model.width * model.hidden + length * model.width
    affordable = int(BUDGET / (6 * batch * length * model.layers * inside))
    steps = config.steps or min(STEPS, max(FEWEST_STEPS, affordable))
    rate = config.learning_rate or PEAK * min(1.0, 32 / model.width) / np.sqrt(model.layers)
    return FitConfig(steps, batch, OptimizerConfig(learning_rate=float(rate), clip=1.0))


def computed(
    dataset: Dataset, units: list[Unit], folder: Path, report: Report | None, jobs: int | None, command: str
) -> list[store.Result]:
    """Every initialisation's evidence: from `folder`, or computed and stored there."""
    missing = [
        unit for unit in units if not store.finished(folder, unit.name, store.config_hash(unit, unit.seed))
    ]
    total = STEPS_OF * sum(unit.fit.steps for unit in units)
    done = total - STEPS_OF * sum(unit.fit.steps for unit in missing)
    tell = (lambda steps, _=None: report(done + steps, total)) if report else (lambda steps, _=None: None)
    tell(0)
    work = functools.partial(stored, dataset=dataset, folder=folder, command=command)
    processes = min(jobs or workers.cores(), len(missing))
    if processes > 1:
        workers.in_workers(work, dict.fromkeys(missing), tell, processes)
    else:
        steps = 0
        for unit in missing:

            def count(more: int, _: float | None = None) -> None:
                nonlocal steps
                steps += more
                tell(steps)

            work(unit, report=count)
    return [store.load(folder, unit.name) for unit in units]


def stored(unit: Unit, *, dataset: Dataset, folder: Path, command: str, report: Callable) -> None:
    """Compute one initialisation's evidence and store it."""

    def compute() -> tuple:
        with single_precision():
            return evidence(dataset, unit.model, unit.fit, unit.seed, lambda steps: report(steps, None))

    store.stage(folder, unit.name, unit, compute, command=command, seed=unit.seed)
