"""Several processes that train as one, on one machine or many: JAX finds the others through a coordinator.

Every process computes the same; the first alone keeps results, metrics and checkpoints, and tells the
others what it found, so that no common disk is needed. Each process needs the data.
"""

import atexit
import contextlib
import dataclasses
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from jax.experimental.multihost_utils import broadcast_one_to_all
from jaxtyping import PyTree

from sims.runs.store import UserError, write_atomic

SECONDS = 60  # to find each other
LOST = re.compile("gloo|nccl|unavailable|heartbeat|coordination service", re.IGNORECASE)
AGAIN = "start all processes again with the same command: they go on from the last checkpoint"


@dataclasses.dataclass(frozen=True)
class Hosts:
    """The processes and this one's place among them; all None is one process."""

    coordinator: str | None = None
    """HOST:PORT of the first process, or auto: Slurm, Open MPI or Kubernetes tell."""
    processes: int | None = None
    """How many processes train together."""
    process_id: int | None = None
    """This one's number, from 0."""
    seconds: int = SECONDS
    """That they wait for each other."""

    def __post_init__(self) -> None:
        numbered = self.processes is not None and self.process_id is not None
        if self.coordinator is None:
            if self.processes is not None or self.process_id is not None:
                raise UserError("expected --coordinator HOST:PORT beside --processes and --process-id")
        elif self.coordinator != "auto":
            if not re.fullmatch(r"[^:\s]+:\d{1,5}", self.coordinator):
                raise UserError(f"expected --coordinator HOST:PORT or auto: got {self.coordinator}")
            if not numbered or not 0 <= self.process_id < self.processes:  # type: ignore[operator]
                raise UserError(
                    "expected --processes N and --process-id from 0 to N-1 beside --coordinator: "
                    f"got {self.processes} and {self.process_id}"
                )


@contextlib.contextmanager
def joined(hosts: Hosts) -> Iterator[None]:
    """Be one of the processes within. Raises UserError when they do not find each other, or one is lost."""
    if hosts.coordinator is None:
        yield
        return
    jax.config.update("jax_enable_preemption_service", False)  # it would swallow SIGTERM
    begin(hosts)
    try:
        yield
    except BaseException as error:
        _at_exit_wait_for_nobody(error)
        if isinstance(error, (jax.errors.JaxRuntimeError, ValueError)) and LOST.search(str(error)):
            raise UserError(lost(jax.process_count(), jax.process_index(), str(error))) from error
        raise
    jax.distributed.shutdown()


def lost(processes: int, own: int, reason: str) -> str:
    """What to tell of a process that has gone; of two it is the other one."""
    which = f"process {1 - own}" if processes == 2 else "one of the others (its own last lines say why)"
    return f"expected {processes} processes, lost {which}: {reason.splitlines()[0][:200]}; {AGAIN}"


def _at_exit_wait_for_nobody(error: BaseException) -> None:
    """End as soon as the error has been told, with the status it has in `sptlab`.

    JAX would wait at exit until all processes are done, for minutes where one is gone or the others wait for
    this one, and then abort with its own log.
    """
    status = 2 if isinstance(error, Exception) else 130

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    atexit.register(leave)


def begin(hosts: Hosts) -> None:
    """Wait until every process has found the others."""
    kind: dict = dict(initialization_timeout=hosts.seconds)
    if hosts.coordinator != "auto":
        _await_coordinator(hosts)
        kind |= dict(coordinator_address=hosts.coordinator, num_processes=hosts.processes)
        kind |= dict(process_id=hosts.process_id)
    try:
        jax.distributed.initialize(**kind)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"expected {hosts.processes or 'several'} processes that find each other through "
            f"{hosts.coordinator} within {hosts.seconds} s, found: {str(error).splitlines()[0][:200]}; "
            "start them all with the same --coordinator and --processes"
        ) from error


def _await_coordinator(hosts: Hosts) -> None:
    """Wait until the first process listens; JAX itself would end this process without an exception."""
    host, port = str(hosts.coordinator).rsplit(":", 1)
    until = time.monotonic() + hosts.seconds
    while hosts.process_id:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > until:
                raise UserError(
                    f"expected the first process at {hosts.coordinator} within {hosts.seconds} s, found: "
                    f"{error.strerror or error}; start it (--process-id 0) or correct --coordinator"
                ) from error
            time.sleep(0.2)


def is_multiprocess() -> bool:
    """Whether there are others; without, JAX is left untouched, which would take a GPU by looking."""
    return jax.distributed.is_initialized() and jax.process_count() > 1


def is_main_process() -> bool:
    """Whether this process is the one that writes."""
    return not is_multiprocess() or jax.process_index() == 0


def broadcast_flag(flag: bool) -> bool:
    """What the first process says."""
    return bool(broadcast(np.array(flag)))


def broadcast(tree: PyTree) -> PyTree:
    """The first process's arrays, in all; shapes and types must be everywhere the same."""
    if not is_multiprocess():
        return tree
    leaves, structure = jax.tree.flatten(tree)
    sizes = [leaf.nbytes for leaf in leaves]
    data = np.frombuffer(b"".join(np.ascontiguousarray(leaf).tobytes() for leaf in leaves), np.uint8)
    parts = np.split(np.asarray(broadcast_one_to_all(data)), np.cumsum(sizes)[:-1])
    whole = [
        np.frombuffer(part.tobytes(), leaf.dtype).reshape(leaf.shape).copy()
        for part, leaf in zip(parts, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, whole)


def share(folder: Path, names: list[str]) -> None:
    """Give every process the first one's files of these names."""
    if not is_multiprocess():
        return
    for name in names:
        path = folder / name
        content = np.frombuffer(path.read_bytes() if is_main_process() and path.is_file() else b"", np.uint8)
        size = int(broadcast(np.array(len(content) if content.size else -1)))
        if size >= 0:
            whole = broadcast(content if is_main_process() else np.zeros(size, np.uint8))
            if not is_main_process():
                write_atomic(path, whole.tobytes())
