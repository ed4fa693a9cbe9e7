"""Stages: a result is computed once, and again where it is no longer good (`sims.runs.validity`).

Beside the results lie `checkpoints`, where a killed run finds what it had, and wall times in `timings.json`.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sims.runs import store
from sims.runs.keys import stage_key
from sims.runs.store import Result, UserError
from sims.runs.validity import Code

Compute = Callable[[Path], tuple[object, dict]]
"""The values of a result, a `Stored` or what JSON holds, and its arrays."""


@dataclasses.dataclass(frozen=True)
class Session:
    """One run of a command: where its results go, and what their records say of their making."""

    out: Path
    """Folder of the results and what lies beside them."""
    command: str
    """The command line that computes, for the record."""
    seed: int
    """Random seed."""

    @property
    def results(self) -> Path:
        """Where the stored results lie."""
        return self.out / "results"


def cached(
    session: Session, name: str, config: object, compute: Compute, *, code: tuple[Code, ...]
) -> Result:
    """The stored result if it is still good; else compute and store it.

    `compute` gets a path for what a killed run wants to find again, `code` holds the functions that it calls.
    """

    def timed() -> tuple[object, dict]:
        started = time.perf_counter()
        made = compute(session.out / "checkpoints" / name)
        note_seconds(session.out, name, time.perf_counter() - started)
        return made

    return store.stage(
        session.results, name, config, timed, command=session.command, seed=session.seed, code=code
    )


def note_seconds(out: Path, name: str, seconds: float) -> None:
    """A stage's wall time, in the file that holds those of all."""
    clock = out / "timings.json"
    timings = json.loads(clock.read_text()) if clock.exists() else {}
    timings[name] = round(seconds, 1)
    store.write_atomic(clock, (json.dumps(timings, indent=1) + "\n").encode())


def simulated(session: Session, name: str, core: Any, config: object, report: Callable | None) -> Result:
    """A simulation's stage: its random key follows from its name."""
    key = stage_key(name, session.seed)

    def compute(_: Path) -> tuple[object, dict]:
        begin(report)
        return core.run(config, key=key, report=report)

    return cached(session, name, config, compute, code=(core.run,))


def begin(report: Callable | None) -> None:
    """Report that computing begins: nothing is stored that would spare it."""
    if report:
        report(0, 1)


def stored(folder: Path) -> dict[str, Result]:
    """All stored results, or a UserError that says how to make some."""
    results = store.load_all(folder)
    if not results:
        raise UserError(
            f"expected results in {folder}, found none; run `sptlab reproduce` first, or name --out"
        )
    return results
