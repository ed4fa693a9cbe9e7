"""The diagnosis: independent initialisations side by side, their numbers with intervals, the verdict."""

import dataclasses
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from jaxtyping import PRNGKeyArray, Shaped

from full_scale.dataset import Dataset
from full_scale.diagnosis import contrast, directions
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data import checked, dataset_of_arrays
from full_scale.diagnosis.evidence import STEPS_OF, evidence
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.verdict import Verdict, judged, label_share, needed, specific_gain
from full_scale.floors import floors
from full_scale.model import ModelConfig
from full_scale.precision import single_precision
from full_scale.tasks.splits import capped
from full_scale.training import workers
from full_scale.training.optimizers import OptimizerConfig
from sims import store
from sims.intervals import Interval, mean_interval, ratio_interval, score_snr

MODEL, CONFIG = ModelConfig(), DiagnosisConfig()
LOSSES = ("label", "reconstruction")
STEPS, BATCH, PEAK = 800, 50, 0.02
LONG = 128  # tokens from which a batch holds fewer sequences
BUDGET = 1.5e12  # floating-point operations of one fit: some 20 s on one core
FEWEST_STEPS = 200
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
    keys: float
    seed: int

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
    checked(dataset, model)
    used, seed = capped(dataset, config.train_most, config.held_out_most, 0), seed_of(key)
    fit, digest = fit_config(config, model, dataset.length), used.sha256()
    units = [Unit(digest, model, fit, config.keys, seed + index) for index in range(config.fits)]
    if folder is None:
        with tempfile.TemporaryDirectory() as scratch:
            results = computed(used, units, Path(scratch), report, jobs, command)
    else:
        results = computed(used, units, folder, report, jobs, command)
    return concluded(dataset, used, model, config, fit, results, command)


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
            return evidence(
                dataset, unit.model, unit.fit, unit.keys, unit.seed, lambda steps: report(steps, None)
            )

    store.stage(folder, unit.name, unit, compute, command=command, seed=unit.seed)


def concluded(
    dataset: Dataset, used: Dataset, model: ModelConfig, config: DiagnosisConfig, fit: FitConfig,
    results: list[store.Result], command: str,
) -> Diagnosis:  # fmt: skip
    """Numbers with intervals over initialisations, floors, contrast, verdict."""
    fits = [result.values for result in results]
    lines, sequences, floor = config.thresholds, len(dataset.train), floors(used)
    names = directions.offsets(dataset.inputs, dataset.length).names
    vectors = contrast.token_vectors(used.train, dataset.inputs, 4_000)
    values: dict[str, object] = {
        "data": dataset.describe(),
        "used": {"train": len(used.train), "held_out": len(used.validation) + len(used.test)},
        "model": store.plain(model),
        "config": store.plain(config),
        "fit": store.plain(fit),
        "directions": list(names),
        "nearest": directions.nearest(dataset.inputs),
        "floors": floor,
        "kappa": contrast.kappa(vectors, used.train.labels[: len(vectors)]),
        "positions": fits[0]["positions"],
        "dominant": fits[0]["dominant"],
        "numbers": store.plain(numbers(fits, names, directions.nearest(dataset.inputs), floor, config)),
        "label_share": label_share(fits, sequences, floor["constant"], lines),
        "snr_by_offset": {loss: offset_snrs(fits, loss) for loss in LOSSES},
        "fits": fits,
    }
    verdict = judged(fits, sequences, floor, lines, command)
    values["verdict"] = store.plain(verdict)
    return Diagnosis(verdict, values, results[0].arrays)


def numbers(
    fits: list[dict], names: tuple[str, ...], near: str, floor: dict[str, float], config: DiagnosisConfig
) -> dict[str, Interval]:
    """Every measure's interval over initialisations."""
    found = {}
    for loss in LOSSES:
        scores = {"nearest": [fit[f"score_by_offset_{loss}"][names.index(near)] for fit in fits]}
        scores |= {
            kind: [fit[f"score_{loss}"][kind] for fit in fits] for kind in ("top", "expressible", "random")
        }
        for kind, each in scores.items():
            found[f"snr_{loss}_{kind}"] = score_snr(np.array(each))
        found[f"needed_{loss}"] = needed(found[f"snr_{loss}_expressible"], config.thresholds)
        found[f"visible_share_{loss}"] = mean_interval(
            np.array([fit[f"visible_share_{loss}"] for fit in fits])
        )
    for name in ("uniform", "pattern", "random"):
        for part in ("train", "held_out"):
            measure = f"accuracy_{name}_{part}"
            found[measure] = mean_interval(np.array([fit[measure] for fit in fits]))
    for name in ("escape_rate", "reconstruction_time", "contrast_snr"):
        found[name] = mean_interval(np.array([fit[name] for fit in fits]))
    found["plateau_ratio"] = plateau_ratio(fits)
    return found | {"specific_gain": mean_interval(specific_gain(fits, floor))}


def offset_snrs(fits: list[dict], loss: str) -> list[dict]:
    """The SNR that initialisations agree on along every offset."""
    scores = np.array([fit[f"score_by_offset_{loss}"] for fit in fits])
    return [score_snr(column).as_json() for column in scores.T]


def plateau_ratio(fits: list[dict]) -> Interval:
    """Label plateau over reconstruction's time along the pattern; empty where a plateau never ends."""
    if any(not fit["escape_rate"] for fit in fits):
        return Interval(None, None, None, n=len(fits), method="no agreed contrast in some fit")
    times = (np.array([fit[name] for fit in fits]) for name in ("plateau_time", "reconstruction_time"))
    return ratio_interval(*times)
