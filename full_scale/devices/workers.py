"""Runs spread over processes, one per GPU or else per core, each after the run that it goes on from.

One run on one core and another beside it use two cores 1.8 times better than one run on both.
"""

import multiprocessing
import os
from collections.abc import Callable, Hashable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.sharedctypes import Synchronized
from typing import TypeVar

import jax

from sims.sweeps.devices import cores as cores
from sims.sweeps.devices import gpus

SETTINGS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
Job = TypeVar("Job", bound=Hashable)

_steps_done: Synchronized  # set in every worker by `begin_worker`
_accuracy: Synchronized
_parent: int


def side_by_side() -> int:
    """Runs at once: one per GPU, or else one per core; one on another accelerator."""
    available = gpus()  # asked first: JAX would take a GPU's memory by looking
    return len(available) or (cores() if jax.default_backend() == "cpu" else 1)


def in_workers(
    work: Callable[..., None],
    jobs: dict[Job, Job | None],
    report: Callable[[int, float | None], None],
    processes: int,
) -> None:
    """Do every job, after the one it needs, in processes on a core each; the first error stops all."""
    context = multiprocessing.get_context("spawn")
    steps_done, accuracy, rank = context.Value("q", 0), context.Value("d", -1.0), context.Value("i", 0)
    settings = {name: getattr(jax.config, name) for name in SETTINGS}
    arguments = (steps_done, accuracy, rank, settings, os.getpid())
    waiting, running = dict(jobs), dict[Job, Future]()
    with ProcessPoolExecutor(processes, context, initializer=begin_worker, initargs=arguments) as pool:
        try:
            while waiting or running:
                for job in ready(waiting, running, begun=steps_done.value > 0):
                    running[job] = pool.submit(work, job, report=count)
                    del waiting[job]
                wait(running.values(), timeout=0.2, return_when=FIRST_COMPLETED)
                report(steps_done.value, accuracy.value if accuracy.value >= 0 else None)
                for job in [job for job, future in running.items() if future.done()]:
                    running.pop(job).result()
        except BaseException:
            stop(pool)
            raise


def ready(waiting: dict[Job, Job | None], running: dict[Job, Future], begun: bool = True) -> list[Job]:
    """The jobs whose need is done; until one has begun to train, that one alone.

    It compiles what all of them call, and the others find that in the cache instead of compiling beside it.
    """
    free = [job for job, need in waiting.items() if need not in waiting and need not in running]
    return free if begun else free[: not running]


def stop(pool: ProcessPoolExecutor) -> None:
    """End the workers now; their checkpoints stay."""
    for process in list((pool._processes or {}).values()):  # 3.14 has terminate_workers() for this
        process.terminate()
    pool.shutdown(wait=False, cancel_futures=True)


def begin_worker(
    steps_done: Synchronized, accuracy: Synchronized, rank: Synchronized, settings: dict, parent: int
) -> None:
    """Take one GPU, or else one core, the parent's JAX settings, and the shared counters."""
    global _steps_done, _accuracy, _parent
    _steps_done, _accuracy, _parent = steps_done, accuracy, parent
    with rank.get_lock():
        mine, rank.value = rank.value, rank.value + 1
    if graphics := gpus():
        os.environ["CUDA_VISIBLE_DEVICES"] = graphics[mine % len(graphics)]
    elif hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[mine % len(allowed)]})
    for name, value in settings.items():
        jax.config.update(name, value)


def count(steps: int, accuracy: float | None) -> None:
    """Add to the shared counter; end at once if the parent is gone, so that no orphan writes."""
    if os.getppid() != _parent:
        os._exit(1)
    with _steps_done.get_lock():
        _steps_done.value += steps
    if accuracy is not None:
        _accuracy.value = accuracy
