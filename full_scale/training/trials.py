"""Many training runs side by side: one worker process per core, results stored as they come.

One run on one core and another beside it use two cores 1.8 times better than one run on both.
A run's result is keyed by the hash of its config: it is computed once, whatever is killed.
"""

import functools
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import jax

from full_scale import model
from full_scale.precision import single_precision
from full_scale.tasks import load
from full_scale.training import trial
from full_scale.training.trial import TrialConfig
from sims import store
from sims.provenance import versions
from sims.store import Result

SETTINGS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
MODEL = sorted(Path(model.__file__).parent.glob("*.py"))
DECIDING = (
    "full_scale/dataset", "full_scale/training/losses",
    "full_scale/attention", *(f"full_scale/model/{file.stem}" for file in MODEL),
    "full_scale/tasks/digits", "full_scale/tasks/order",
    "full_scale/training/train", "full_scale/training/trial",
    "sims/prose",
)  # fmt: skip
ROOMS = Path(__file__).resolve().parents[2]
Progress = Callable[[float, float], None]

_steps_done: Synchronized  # set in every worker by `begin_worker`
_parent: int


def name_of(config: TrialConfig) -> str:
    """Name under which a run is stored: the task and hashes of its config and of the code that runs it."""
    return f"{load(config.task).name}-{digest(config)[:16]}-{code()[:8]}"


@functools.cache
def code() -> str:
    """Hash of the code and the versions a run's numbers depend on."""
    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    for module in DECIDING:
        digest.update((ROOMS / f"{module}.py").read_bytes())
    return digest.hexdigest()


def digest(config: TrialConfig) -> str:
    """Hash of everything that decides the run's result."""
    return store.config_hash(config, config.seed)


def run_stored(config: TrialConfig, folder: Path, command: str, report: Callable[[int], None]) -> None:
    """Compute one run unless it is stored, resuming from its checkpoint, which is then removed."""
    checkpoint = folder / "checkpoints" / name_of(config)

    def compute() -> tuple:
        with single_precision():
            return trial.run(config, load(config.task), checkpoint=checkpoint, report=report)

    with store.lock(checkpoint):
        store.stage(folder, name_of(config), config, compute, command=command, seed=config.seed)
    trial.Checkpoints(checkpoint).discard()


def run_all(
    configs: list[TrialConfig],
    folder: Path,
    *,
    command: str,
    report: Progress | None = None,
    jobs: int | None = None,
) -> list[Result]:
    """Every run's stored result, in the order of `configs`.

    Parameters
    ----------
    configs
        The runs; those already in `folder` are not repeated.
    folder
        Where results are stored and running ones keep their checkpoints.
    report
        Called with (optimiser steps done, all steps).
    jobs
        Worker processes; by default one per core. 1 runs them here, one after another.
    """
    missing = [c for c in configs if not store.finished(folder, name_of(c), digest(c))]
    total = sum(config.steps for config in configs)
    stored = total - sum(config.steps for config in missing)
    tell = (lambda steps: report(stored + steps, total)) if report else (lambda steps: None)
    tell(0)
    jobs = jobs or cores()
    if missing and jobs > 1:  # also for a single run: on all cores its sums round otherwise than on one
        in_workers(missing, folder, command, tell, min(jobs, len(missing)))
    else:
        in_process(missing, folder, command, tell)
    tell(total - stored)
    return [store.load(folder, name_of(config)) for config in configs]


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_process(configs: list[TrialConfig], folder: Path, command: str, tell: Callable[[int], None]) -> None:
    """One run after another in this process."""
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        done += steps
        tell(done)

    for config in configs:
        run_stored(config, folder, command, advance)


def in_workers(
    configs: list[TrialConfig], folder: Path, command: str, tell: Callable[[int], None], jobs: int
) -> None:
    """Runs spread over `jobs` fresh processes, each on a core of its own; the first error stops all."""
    context = multiprocessing.get_context("spawn")
    steps_done, rank = context.Value("q", 0), context.Value("i", 0)
    settings = {name: getattr(jax.config, name) for name in SETTINGS}
    arguments = (steps_done, rank, settings, os.getpid())
    with ProcessPoolExecutor(jobs, context, initializer=begin_worker, initargs=arguments) as pool:
        running: set[Future] = {pool.submit(work, config, folder, command) for config in configs}
        try:
            while running:
                finished, running = wait(running, timeout=0.2)
                tell(steps_done.value)
                for future in finished:
                    future.result()
        except BaseException:
            stop(pool)
            raise


def stop(pool: ProcessPoolExecutor) -> None:
    """End the workers now; their checkpoints stay."""
    for process in list((pool._processes or {}).values()):  # 3.14 has terminate_workers() for this
        process.terminate()
    pool.shutdown(wait=False, cancel_futures=True)


def begin_worker(steps_done: Synchronized, rank: Synchronized, settings: dict, parent: int) -> None:
    """Take one core, the parent's JAX settings, and the shared counter of steps."""
    global _steps_done, _parent
    _steps_done, _parent = steps_done, parent
    with rank.get_lock():
        mine, rank.value = rank.value, rank.value + 1
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[mine % len(allowed)]})
    for name, value in settings.items():
        jax.config.update(name, value)


def work(config: TrialConfig, folder: Path, command: str) -> None:
    """One run inside a worker."""
    run_stored(config, folder, command, count)


def count(steps: int) -> None:
    """Add to the shared counter; end at once if the parent is gone, so that no orphan writes."""
    if os.getppid() != _parent:
        os._exit(1)
    with _steps_done.get_lock():
        _steps_done.value += steps
