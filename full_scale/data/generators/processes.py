"""A function's results for many tasks, from processes that talk over pipes.

They share no semaphores, as the workers of a process pool do, which outlive a driver that is stopped.
"""

import contextlib
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from sims.runs.errors import UserError
from sims.sweeps.local import deaf_to_interrupts, end_with_the_driver

DIED = (
    "a process that generates ended early, as one does that the system stops for lack of memory: "
    "the same command goes on where it stopped; try fewer --processes"
)


def in_processes(
    function: Callable[..., Any], tasks: list[tuple], processes: int
) -> Iterator[tuple[int, Any]]:
    """(index of the task, result of the function for it) in the order in which they come.

    The first error in a process stops all and is raised here; UserError where a process ends without a word.
    """
    waiting, running = deque(enumerate(tasks)), dict[Connection, int]()
    workers = [_started(function) for _ in range(min(processes, len(tasks)))]
    try:
        for pipe, _ in workers:
            _give(pipe, waiting, running)
        while running:
            ready = wait(list(running))
            for pipe in [pipe for pipe in running if pipe in ready]:
                index, result = running.pop(pipe), _received(pipe)
                _give(pipe, waiting, running)
                yield index, result
    finally:
        for pipe, process in workers:
            process.kill()
            process.join()
            pipe.close()


def _started(function: Callable[..., Any]) -> tuple[Connection, BaseProcess]:
    """A fresh process, and this end of the pipe to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, function), daemon=True)
    with _one_thread_each(), deaf_to_interrupts():
        process.start()
    theirs.close()
    return ours, process


def _give(pipe: Connection, waiting: deque[tuple[int, tuple]], running: dict[Connection, int]) -> None:
    """Send the next task, if there is one; a process that has died shows it when it is heard."""
    if waiting:
        running[pipe], task = waiting.popleft()
        with contextlib.suppress(OSError):
            pipe.send(task)


def _received(pipe: Connection) -> Any:
    """What a process computed. Raises the error that it met, or UserError when it has died."""
    try:
        result = pipe.recv()
    except (EOFError, OSError):
        raise UserError(DIED) from None
    if isinstance(result, Exception):
        raise result
    return result


def _serve(pipe: Connection, function: Callable[..., Any]) -> None:
    """The life of a process: tasks in, results or errors out, until the driver is gone."""
    threading.Thread(target=end_with_the_driver, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            result = function(*task)
        except Exception as error:
            result = error
        pipe.send(result)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that start meanwhile keep their linear algebra to one thread."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
