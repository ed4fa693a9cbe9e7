"""Runs spread over processes, one per GPU or else per core, each after the run that it goes on from.

One run on one core and another beside it use two cores 1.8 times better than one run on both. Processes talk
over pipes and share no semaphores, which would outlive a run that is killed.
"""

import contextlib
import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Hashable
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import jax

from sims.runs.errors import UserError
from sims.sweeps.devices import cores as cores
from sims.sweeps.devices import gpus
from sims.sweeps.local import deaf_to_interrupts, end_with_the_driver

SETTINGS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
HEARTBEAT_SECONDS = 0.2
DIED = (
    "a worker process ended before its run did, as one does that the system stops for lack of memory: "
    "the same command goes on where it stopped"
)
Job = TypeVar("Job", bound=Hashable)
Work = Callable[..., None]
Note = tuple[int, float | None]
"""What a worker says while it computes: optimiser steps since its last note, and an accuracy."""


def side_by_side() -> int:
    """Runs at once: one per GPU, or else one per core; one on another accelerator."""
    available = gpus()  # asked first: JAX would take a GPU's memory by looking
    return len(available) or (cores() if jax.default_backend() == "cpu" else 1)


class Worker:
    """A process on a core or GPU of its own, at the other end of a pipe: jobs in, notes and errors out."""

    def __init__(self, work: Work, rank: int):
        context = multiprocessing.get_context("spawn")
        settings = {name: getattr(jax.config, name) for name in SETTINGS}
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, work, rank, settings), daemon=True)
        with deaf_to_interrupts():
            self.process.start()
        theirs.close()

    def received(self) -> Note | None:
        """What the worker says now; None says that its job is done. Raises the job's error, or UserError."""
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            raise UserError(DIED) from None
        if isinstance(message, BaseException):
            raise message
        return message

    def end(self) -> None:
        """Stop the process now, whatever it does; its checkpoints stay."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def in_workers(
    work: Work, jobs: dict[Job, Job | None], report: Callable[[int, float | None], None], processes: int
) -> None:
    """Do every job, after the one it needs, in processes on a core each; the first error stops all."""
    waiting, running, steps, accuracy = dict(jobs), dict[Job, Worker](), 0, None
    workers: list[Worker] = []
    try:
        while waiting or running:
            for job in ready(waiting, running, begun=steps > 0)[: processes - len(running)]:
                free = [each for each in workers if each not in running.values()]
                if not free:
                    workers.append(Worker(work, len(workers)))
                running[job] = free[0] if free else workers[-1]
                with contextlib.suppress(OSError):  # a worker that has died is seen when it is heard
                    running[job].pipe.send(job)
                del waiting[job]
            heard = wait([worker.pipe for worker in running.values()], HEARTBEAT_SECONDS)
            for job, worker in [each for each in running.items() if each[1].pipe in heard]:
                note = worker.received()
                if note is None:
                    del running[job]
                else:
                    steps, accuracy = steps + note[0], accuracy if note[1] is None else note[1]
            report(steps, accuracy)
    finally:
        for worker in workers:
            worker.end()


def ready(waiting: dict[Job, Job | None], running: dict[Job, Any], begun: bool = True) -> list[Job]:
    """The jobs whose need is done; until one has begun to train, that one alone.

    It compiles what all of them call, and the others find that in the cache instead of compiling beside it.
    """
    free = [job for job, need in waiting.items() if need not in waiting and need not in running]
    return free if begun else free[: not running]


def serve(pipe: Connection, work: Work, rank: int, settings: dict[str, Any]) -> None:
    """The life of a worker: it does each job that comes, until the driver is gone."""
    threading.Thread(target=end_with_the_driver, daemon=True).start()
    take_device(rank)
    for name, value in settings.items():
        jax.config.update(name, value)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            work(job, report=lambda steps, accuracy: say(pipe, (steps, accuracy)))
            message = None
        except Exception as error:
            message = error
            message.add_note(f"in a worker process:\n{traceback.format_exc()}")
        say(pipe, message)


def take_device(rank: int) -> None:
    """This process's own GPU, or else its core."""
    if graphics := gpus():
        os.environ["CUDA_VISIBLE_DEVICES"] = graphics[rank % len(graphics)]
    elif hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[rank % len(allowed)]})


def say(pipe: Connection, what: Note | Exception | None) -> None:
    """Tell the driver; end at once if it is gone, so that no orphan writes."""
    try:
        pipe.send(what)
    except OSError:
        os._exit(1)
    except Exception:  # an error that cannot travel
        pipe.send(RuntimeError("".join(traceback.format_exception(what))))  # type: ignore[arg-type]
