"""One trial, computed inside a worker: the same bits in any process, on any engine, beside any other trial.

A trial on a CPU has one thread: on more, sums are taken in another order and round otherwise.
"""

import dataclasses
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from sims.runs import store
from sims.runs.keys import stage_key
from sims.runs.provenance import device
from sims.runs.store import UserError
from sims.runs.validity import Identity, difference, program

ATTEMPTS = 3
DIED = f"its worker died in each of {ATTEMPTS} attempts (killed, or out of memory)"
_KEPT_SETTINGS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@dataclasses.dataclass(frozen=True)
class Trial:
    """One config and seed of an experiment; `name` is the experiment's, its random key follows from it."""

    name: str
    run: Callable[..., tuple[object, dict[str, np.ndarray]]]
    config: object
    seed: int

    @property
    def config_hash(self) -> str:
        """Hash of all that decides the trial's result, code and versions apart."""
        return store.config_hash(self.config, self.seed)

    @property
    def key(self) -> str:
        """Name under which the trial is stored."""
        return self.config_hash[:16]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a finished trial gives."""

    values: dict[str, object]
    arrays: dict[str, np.ndarray]
    device: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why there is no result, in one line."""

    reason: str


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a worker must be before it computes: of the driver's code and versions, on its own GPU."""

    identity: Identity
    settings: dict[str, object] = dataclasses.field(default_factory=dict)
    """JAX's settings, by name."""
    gpus: tuple[str, ...] = ()
    """The GPUs of this machine, one for each worker; empty leaves the choice as it is."""
    workers: int = 1
    """How many there are on this machine; where they outnumber its GPUs, each takes memory as it needs it."""

    def __call__(self, module: str, rank: int) -> None:
        """Make this process such a worker. Raises UserError where its code is not the driver's."""
        os.environ["NPROC"] = "1"  # XLA's threads, read when the first array is made
        threadpool_limits(1)
        if self.gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = self.gpus[rank % len(self.gpus)]
            if self.workers > len(self.gpus):
                os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        for name, value in self.settings.items():
            jax.config.update(name, value)
        own_identity = program_of(module)
        if own_identity != self.identity:
            raise UserError(
                "expected workers with the driver's code and versions, found one with "
                f"{difference(self.identity, own_identity)}; install the same there"
            )


def program_of(module: str) -> Identity:
    """The code and versions that decide a trial of this experiment's module, this worker's included."""
    return program(module, __name__)


def same_machine() -> dict[str, object]:
    """Settings for workers on this machine: float64, and the compiled programs that are kept."""
    return everywhere() | {name: getattr(jax.config, name) for name in _KEPT_SETTINGS}


def everywhere() -> dict[str, object]:
    """Settings for workers on any machine."""
    return {"jax_enable_x64": True}


def work(trial: Trial, setup: Setup, rank: int) -> Outcome | Failure:
    """Compute a trial; its own error is its outcome, so that the others go on."""
    setup(trial.run.__module__, rank)
    started = time.perf_counter()
    try:
        values, arrays = trial.run(trial.config, key=stage_key(trial.name, trial.seed))
    except UserError as error:
        return Failure(str(error))
    except Exception as error:
        return Failure(described(error))
    seconds = time.perf_counter() - started
    named = {name: np.asarray(array) for name, array in arrays.items()}
    return Outcome(store.plain(values), named, device(), seconds)  # type: ignore[arg-type]


def described(error: Exception) -> str:
    """The error and the line it comes from, as one line."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:300]} ({Path(frame.filename).name}:{frame.lineno})"
