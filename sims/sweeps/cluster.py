"""Trials on Dask distributed: a scheduler that runs elsewhere, or one started here on loopback only.

Dask runs a trial again when its worker dies. It also counts the death against trials that only waited
on that worker; hence a trial that Dask gives up is tried once more by itself before it counts as failed.
"""

import contextlib
import logging
import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

from sims.runs.store import UserError
from sims.runs.validity import Identity
from sims.sweeps.devices import cores, gpus
from sims.sweeps.local import HEARTBEAT, Finished, deaf_to_interrupts
from sims.sweeps.trial import ATTEMPTS, DIED, Failure, Outcome, Setup, Trial, everywhere, same_machine, work

_LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 20
_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # workers started anew hear no Ctrl-C
INSTALL = "pip install 'sptlab[cluster]', or from a checkout pip install -e '.[cluster]'"


def outcomes(
    trials: list[Trial],
    *,
    identity: Identity,
    scheduler: str | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Finished]:
    """What has finished, each time something has, and an empty list at every heartbeat in between.

    Parameters
    ----------
    scheduler
        Address of one that runs; without it, one and its workers are started here and end with the sweep.
    workers
        How many to start here; by default one per GPU, or else one per core.
    say
        Gets one line when the scheduler that runs has no workers yet.
    """
    _require_dask()
    if scheduler:
        with connected(scheduler) as client:
            yield from until_workers_join(
                client, lambda: say(f"no worker at {scheduler} yet, waiting for one")
            )
            yield from computed(client, trials, Setup(identity, everywhere()))
        return
    devices = gpus()
    count = min(workers or len(devices) or cores(), len(trials))
    setup = Setup(identity, same_machine(), devices, count)
    with local_cluster(count, one_gpu_each=bool(devices)) as client:
        yield from computed(client, trials, setup)


def _require_dask() -> None:
    """Raise `UserError` where the extra is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise UserError(f"expected Dask for --engine dask, found: {error}; {INSTALL}") from error


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of a scheduler that runs; certificates for tls:// come from Dask's own configuration."""
    import distributed

    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # `lost` says it in one line
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # no answer, or certificates amiss
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"expected a Dask scheduler at {scheduler}, found: {reason}; "
            "give the address it printed when it started (see sims/sweeps/README.md)"
        ) from error
    with client:
        yield client


@contextlib.contextmanager
def local_cluster(workers: int, *, one_gpu_each: bool) -> Iterator[Any]:
    """A client of as many workers on this machine, reachable from this machine only."""
    import dask
    import distributed

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # orbax adds a handler
    settings = {
        "distributed.scheduler.allowed-failures": ATTEMPTS - 1,
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.worker.preload": [_DEAF],
    }
    with dask.config.set(settings), deaf_to_interrupts():
        cluster = distributed.LocalCluster(
            host=_LOOPBACK,
            dashboard_address=None,
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # else Dask kills a worker whose memory it finds too large
            silence_logs=logging.CRITICAL,
            resources={"GPU": 1} if one_gpu_each else None,
        )
    with cluster, distributed.Client(cluster) as client:
        yield client


def computed(client: Any, trials: list[Trial], setup: Setup) -> Iterator[Finished]:
    """All trials at once, then those that Dask gave up, one at a time."""
    suspects: list[Trial] = []
    yield from together(client, trials, setup, suspects, "")
    for trial in suspects:
        given_up: list[Trial] = []
        yield from together(client, [trial], setup, given_up, "-alone")
        yield [(each, Failure(DIED)) for each in given_up]


def together(
    client: Any, trials: list[Trial], setup: Setup, given_up: list[Trial], suffix: str
) -> Iterator[Finished]:
    """The outcomes of these trials as they come; those whose workers died too often go to `given_up`."""
    from distributed.scheduler import KilledWorker

    resources = {"GPU": 1} if offers_gpus(client) else None
    done: queue.SimpleQueue = queue.SimpleQueue()
    futures = {}
    for trial in trials:
        key = f"{trial.name}-{trial.config_hash}{suffix}"
        future = client.submit(work_here, trial, setup, key=key, pure=False, resources=resources)
        futures[key] = future, trial
        future.add_done_callback(done.put)
    while futures:
        if client.status not in ("running", "connecting"):
            raise lost()
        try:
            future, trial = futures.pop(done.get(timeout=HEARTBEAT).key)
        except queue.Empty:
            yield []
            continue
        try:
            yield [(trial, result(future))]
        except KilledWorker:
            given_up.append(trial)


def until_workers_join(client: Any, say: Callable[[], None]) -> Iterator[Finished]:
    """Heartbeats until there is a worker; a queue of a cluster may take its time."""
    if not _workers_of(client):
        say()
    while not _workers_of(client):
        time.sleep(HEARTBEAT)
        yield []


def _workers_of(client: Any) -> list[dict[str, Any]]:
    """What the scheduler knows of its workers. Raises UserError when it has gone."""
    if client.status not in ("running", "connecting"):
        raise lost()
    return list(client.scheduler_info()["workers"].values())


def offers_gpus(client: Any) -> bool:
    """Whether workers were started with --resources GPU=1: then a trial takes one such worker to itself."""
    return any("GPU" in worker.get("resources", {}) for worker in _workers_of(client))


def result(future: Any) -> Outcome | Failure:
    """What the worker gave. Raises KilledWorker, or UserError for what would befall every trial."""
    from distributed.scheduler import KilledWorker

    if future.cancelled() or future.status == "lost":
        raise lost()
    try:
        return future.result()
    except (UserError, KilledWorker):
        raise
    except Exception as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise UserError(
            f"expected scheduler and workers that can run sptlab, found: {reason}; install the same there"
        ) from error


def lost() -> UserError:
    """The scheduler has gone."""
    return UserError("lost the Dask scheduler; what has finished is stored, the same command goes on")


def work_here(trial: Trial, setup: Setup) -> Outcome | Failure:
    """Compute a trial in the Dask worker that this runs in."""
    from distributed import get_worker

    name = get_worker().name
    return work(trial, setup, name if isinstance(name, int) else 0)
