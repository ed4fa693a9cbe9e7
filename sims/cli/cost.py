"""What a command will take on this machine, before it is spent: stored seconds times this machine's slowness.

The slowness is measured in under a second: a loop of Python and small products of matrices, beside whatever
else the machine is doing now. Stored seconds are of the reference machine.
"""

import time

from sims.sweeps.devices import cores

REFERENCE_SECONDS = 0.14
"""The timed work on the machine on which the stored times were measured: two cores with AVX2, else idle."""
_REFERENCE_CORES = 2
WORTH_SAYING = 60.0
"""Seconds above which a command says what it will take."""


def timed_work() -> float:
    """Seconds of a fixed piece of work: a loop of Python, and products of matrices of a small layer."""
    import numpy as np

    started = time.perf_counter()
    total = 0
    for number in range(1_500_000):
        total += number & 7
    weights = np.full((48, 48), 1 / 48, np.float32)
    for _ in range(6_000):
        weights = np.tanh(weights @ weights)
    return time.perf_counter() - started


def here(seconds: float, *, side_by_side: int = _REFERENCE_CORES) -> float:
    """What takes `seconds` on the reference machine, on this one; `side_by_side` parts can run at once."""
    slowness = timed_work() / REFERENCE_SECONDS
    return seconds * slowness * min(_REFERENCE_CORES, side_by_side) / min(cores(), side_by_side)


def duration(seconds: float) -> str:
    """About how long, in words: two figures at most."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
