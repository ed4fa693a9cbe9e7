"""An experiment for the tests of sweeps: seconds long, and each trial has its fate written in its config."""

import dataclasses
import os
import signal
import time
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from sims.runs.config_validation import at_least

JOURNAL = "SPTLAB_TEST_JOURNAL"


@dataclasses.dataclass(frozen=True)
class Config:
    """A sum of random numbers."""

    size: int = 8
    scale: float = 1.0
    lags: tuple[int, ...] = (1, 2)
    fate: Literal["finishes", "kills its worker once", "kills its worker", "is wrong"] = "finishes"
    seconds: float = 0.4

    def __post_init__(self) -> None:
        at_least(2, size=self.size)


def run(config: Config, *, key, report=None):
    """Values and arrays; every start and end is written to the journal."""
    journal = Path(os.environ[JOURNAL])
    name = f"{config.size}-{int(jax.random.key_data(key)[-1])}-{config.fate.replace(' ', '_')}"
    again = name in journal.read_text() if journal.exists() else False
    write(journal, f"{os.getpid()} begins {name}\n")
    if config.fate == "kills its worker" or (config.fate == "kills its worker once" and not again):
        os.kill(os.getpid(), signal.SIGKILL)
    if config.fate == "is wrong":
        raise ZeroDivisionError("a size of\n0")
    time.sleep(config.seconds)
    numbers = config.scale * jax.random.normal(key, (config.size, 300))
    values = {"size": config.size, "moment": {"second": float(jnp.sum(numbers @ numbers.T)), "method": "sum"}}
    write(journal, f"{os.getpid()} ends {name}\n")
    return values, {"numbers": np.asarray(numbers)}


def write(journal: Path, line: str) -> None:
    with open(journal, "a") as sink:
        sink.write(line)
