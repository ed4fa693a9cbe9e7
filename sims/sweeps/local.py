"""Trials in processes of this machine, over pipes: nothing listens, and nothing but Python is needed.

A worker that dies takes its trial with it only; the trial is tried again in a new process.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

from sims.runs.validity import Identity
from sims.sweeps.devices import cores, gpus
from sims.sweeps.trial import ATTEMPTS, DIED, Failure, Outcome, Setup, Trial, same_machine, work

HEARTBEAT = 0.5
Finished = list[tuple[Trial, Outcome | Failure]]


class Worker:
    """A process that computes one trial at a time, started when it is first needed and after each death."""

    def __init__(self, rank: int, setup: Setup):
        self.rank, self.setup = rank, setup
        self.process: multiprocessing.process.BaseProcess | None = None

    def begin(self, trial: Trial) -> None:
        """Compute this trial; a process that has died meanwhile shows it in `result`."""
        self.trial = trial
        if not self.process:
            self.start()
        with contextlib.suppress(OSError):
            self.pipe.send(trial)

    def start(self) -> None:
        """A fresh process at the other end of a fresh pipe."""
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.setup, self.rank), daemon=True)
        with deaf_to_interrupts():
            self.process.start()
        theirs.close()

    def result(self) -> Outcome | Failure | None:
        """What came of the trial; None when the process died. Raises what makes every worker useless."""
        try:
            outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.end()
            return None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def end(self) -> None:
        """Stop the process now, whatever it does."""
        if self.process:
            self.process.kill()
            self.process.join()
            self.pipe.close()
        self.process = None


def outcomes(trials: list[Trial], *, identity: Identity, workers: int | None = None) -> Iterator[Finished]:
    """What has finished, each time something has, and an empty list at every heartbeat in between."""
    devices = gpus()
    count = min(workers or len(devices) or cores(), len(trials))
    setup = Setup(identity, same_machine(), devices, count)
    idle, busy = [Worker(rank, setup) for rank in range(count)], dict[Connection, Worker]()
    waiting, deaths = deque(trials), Counter[str]()
    try:
        while waiting or busy:
            while idle and waiting:
                worker = idle.pop()
                worker.begin(waiting.popleft())
                busy[worker.pipe] = worker
            ready = [busy.pop(pipe) for pipe in wait(list(busy), HEARTBEAT)]  # type: ignore[call-overload]
            idle += ready
            yield list(collected(ready, waiting, deaths))
    finally:
        for worker in (*idle, *busy.values()):
            worker.end()


def collected(
    ready: list[Worker], waiting: deque[Trial], deaths: Counter[str]
) -> Iterator[tuple[Trial, Outcome | Failure]]:
    """The outcomes of these workers; a trial whose worker died waits again, up to `ATTEMPTS` times."""
    for worker in ready:
        outcome = worker.result()
        if outcome is not None:
            yield worker.trial, outcome
            continue
        deaths[worker.trial.key] += 1
        if deaths[worker.trial.key] < ATTEMPTS:
            waiting.append(worker.trial)
        else:
            yield worker.trial, Failure(DIED)


def serve(pipe: Connection, setup: Setup, rank: int) -> None:
    """The life of a worker: trials in, outcomes out, until the driver is gone."""
    threading.Thread(target=end_with_the_driver, daemon=True).start()
    while True:
        try:
            trial = pipe.recv()
        except EOFError:
            return
        try:
            outcome: object = work(trial, setup, rank)
        except Exception as error:
            outcome = error
        pipe.send(outcome)


def end_with_the_driver() -> None:
    """End at once when the driver is gone, so that nothing is left running after it is killed."""
    driver = multiprocessing.parent_process()
    if driver:
        driver.join()
        os._exit(1)


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes started within ignore Ctrl-C, which the terminal sends to all: the driver ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
