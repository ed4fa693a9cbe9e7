"""Many training runs: each computed once, whatever is killed, and phases that runs share computed once, too.

A run's result is keyed by the hashes of its config, of its data and of the code. A run whose first phases
another run shares goes on from their stored result, to the bitwise same result as without.
"""

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from full_scale.devices import hosts, mesh, workers
from full_scale.devices.precision import single_precision
from full_scale.tasks.task import Task, load
from full_scale.training import trial
from full_scale.training.checkpoint import Checkpoints
from full_scale.training.trial_config import TrialConfig
from sims.runs import store
from sims.runs.validity import Identity, fingerprint, identity

CODE = (trial.run, single_precision)
Progress = Callable[..., None]


def part_of(report: Progress | None, low: float, high: float) -> Progress | None:
    """A hook for a stretch of the whole."""
    if report is None:
        return None
    return lambda done, total, *of, **note: report(
        low + (high - low) * done / max(total, 1), 1.0, *of, **note
    )


@dataclasses.dataclass(frozen=True)
class TrainedRun:
    """A stored run."""

    values: trial.Values
    arrays: dict[str, np.ndarray]
    """Curves and models."""


def name_of(config: TrialConfig) -> str:
    """Name under which a run is stored: the task and hashes of its config, its data and the code."""
    return f"{load(config.task).name}-{digest(config)[:16]}-{data(config.task)[:8]}-{fingerprint(*CODE)[:8]}"


@functools.lru_cache(maxsize=16)
def data(task: Task) -> str:
    """Hash of the task's sequences: whatever files and code they came from."""
    return load(task).sha256()


def digest(config: TrialConfig) -> str:
    """Hash of the run's settings."""
    return store.config_hash(config, config.seed)


def expected(config: TrialConfig) -> Identity:
    """What the record of the run's result must agree with."""
    return identity(config, config.seed, *CODE)


def run_stored(config: TrialConfig, folder: Path, command: str, report: trial.Report) -> None:
    """Compute one run unless it is stored, resuming from its checkpoint, which is then removed."""
    name = name_of(config)
    checkpoint = folder / "checkpoints" / name
    paths = trial.RunPaths(checkpoint, folder / "metrics" / f"{name}.jsonl")

    def compute() -> tuple:
        known = stored_prefix(config, folder)
        prefix = None if known is None else store.load(folder, name_of(known)).arrays
        with single_precision():
            settings = dict(paths=paths, prefix=prefix, report=report, layout=mesh.current())
            return trial.run(config, load(config.task), **settings)  # type: ignore[arg-type]

    with store.lock(checkpoint):
        store.stage(folder, name, config, compute, command=command, seed=config.seed, code=CODE)
    Checkpoints(checkpoint).discard()


def finished(config: TrialConfig, folder: Path) -> bool:
    """Whether the run's result is stored."""
    return store.finished(folder, name_of(config), expected(config)) is not None


def prefixes(config: TrialConfig) -> list[TrialConfig]:
    """The runs of its first phases, longest first."""
    return [config.prefix(count) for count in range(len(config.phases) - 1, 0, -1)]


def stored_prefix(config: TrialConfig, folder: Path) -> TrialConfig | None:
    """The longest run of its first phases that is stored."""
    return next((prefix for prefix in prefixes(config) if finished(prefix, folder)), None)


def sources(configs: Iterable[TrialConfig], folder: Path) -> dict[TrialConfig, TrialConfig | None]:
    """Every run that is to be computed, with the run that it goes on from, which comes before it.

    Phases that at least two of the runs begin with become a run of their own.
    """
    wanted = list(dict.fromkeys(config for config in configs if not finished(config, folder)))
    wanted.sort(key=lambda config: -config.model.layers * config.steps)  # a long run last would end alone
    shared = Counter(prefix for config in wanted for prefix in prefixes(config))
    ordered: dict[TrialConfig, TrialConfig | None] = {}

    def add(config: TrialConfig) -> None:
        known = (p for p in prefixes(config) if p in wanted or shared[p] > 1 or finished(p, folder))
        source = next(known, None)
        if source is not None and source not in ordered and not finished(source, folder):
            add(source)
        ordered.setdefault(config, source)

    for config in wanted:
        add(config)
    return ordered


def run_all(
    configs: list[TrialConfig],
    folder: Path,
    *,
    command: str,
    report: Progress | None = None,
    jobs: int | None = None,
) -> list[TrainedRun]:
    """Every run's stored result, in the order of `configs`.

    Parameters
    ----------
    configs
        The runs; those already in `folder` are not repeated.
    folder
        Where results are stored and running ones keep their checkpoints and metrics.
    report
        Called with (optimiser steps done, all steps, label="", note="accuracy ...").
    jobs
        Worker processes; by default one per GPU, or else per core. 1 runs them here, in turn, as do runs
        that take several devices each.
    """
    if hosts.is_multiprocess():
        known = dict.fromkeys(known for config in configs for known in (config, *prefixes(config)))
        hosts.share(folder, [f"{name_of(config)}.{kind}" for config in known for kind in ("npz", "json")])
    missing = sources(configs, folder)
    steps = {config: config.steps - (source.steps if source else 0) for config, source in missing.items()}
    stored = sum(config.steps for config in dict.fromkeys(configs) if config not in missing)
    total = stored + sum(steps.values())

    def progress(done: int, accuracy: float | None = None) -> None:
        note = {} if accuracy is None else {"note": f"accuracy {accuracy:.3f}"}
        if report:
            report(stored + done, total, **note)

    progress(0)
    jobs = 1 if mesh.current().mesh else jobs or workers.side_by_side()
    if missing and jobs > 1:  # also for a single run: on all cores its sums round otherwise than on one
        work = functools.partial(run_stored, folder=folder, command=command)
        workers.in_workers(work, missing, progress, min(jobs, len(missing)))
    else:
        in_process(list(missing), folder, command, progress)
    progress(total - stored)
    return [loaded(config, folder) for config in configs]


def loaded(config: TrialConfig, folder: Path) -> TrainedRun:
    """A run's stored result."""
    result = store.load(folder, name_of(config))
    return TrainedRun(trial.Values.from_json(result.values), result.arrays)


def in_process(configs: list[TrialConfig], folder: Path, command: str, report: trial.Report) -> None:
    """One run after another in this process."""
    done = 0

    def advance(steps: int, accuracy: float | None) -> None:
        nonlocal done
        done += steps
        report(done, accuracy)

    for config in configs:
        run_stored(config, folder, command, advance)
