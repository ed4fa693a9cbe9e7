"""Stages: a result is computed once, and again where its config, seed, code, versions or device are others.

Beside the results lie `checkpoints`, where a killed run finds what it had, and wall times in `timings.json`.
"""

import dataclasses
import functools
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sims import store
from sims.keys import stage_key
from sims.provenance import REPOSITORY
from sims.store import Result, UserError

ROOMS = ("theory", "sims", "full_scale")
CODE = ("sources", "versions", "device")


@dataclasses.dataclass(frozen=True)
class Session:
    """One run of a command: where its results go, and what their records say of their making."""

    out: Path
    """Folder of the results and what lies beside them."""
    command: str
    """The command line."""
    seed: int
    """Every random number follows from it."""

    @property
    def results(self) -> Path:
        """Where the stored results lie."""
        return self.out / "results"


def kept(session: Session, name: str, config: object, compute: Callable[[Path], tuple[dict, dict]]) -> Result:
    """The stored result if it is whole and of this config, code and versions; else compute and store it.

    `compute` gets a path for what a killed run wants to find again."""
    record = store.provenance(config, command=session.command, seed=session.seed) | {"sources": sources()}
    code = {part: record[part] for part in CODE}
    if store.finished(session.results, name, str(record["config_hash"])):
        result = store.load(session.results, name)
        if code.items() <= result.record.items() and result.values.get("complete", True):
            return result
    started, version = time.perf_counter(), hashlib.sha256(json.dumps(code).encode()).hexdigest()[:12]
    values, arrays = compute(session.out / "checkpoints" / version / name)
    store.save(session.results, Result(name, values, arrays, record))
    note_seconds(session.out / "timings.json", name, time.perf_counter() - started)
    return store.load(session.results, name)


def note_seconds(clock: Path, name: str, seconds: float) -> None:
    """A stage's wall time, in the file that holds those of all."""
    timings = json.loads(clock.read_text()) if clock.exists() else {}
    timings[name] = round(seconds, 1)
    store.write_atomic(clock, (json.dumps(timings, indent=1) + "\n").encode())


@functools.cache
def sources() -> str:
    """Hash of the code that computes: a result of other code is not taken for this code's."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def simulated(session: Session, name: str, core: Any, config: object, report: Callable | None) -> Result:
    """A simulation's stage: its random key follows from its name."""
    key = stage_key(name, session.seed)
    return kept(session, name, config, lambda _: core.run(config, key=key, report=report))


def stored(folder: Path) -> dict[str, Result]:
    """All stored results, or a UserError that says how to make some."""
    results = store.load_all(folder)
    if not results:
        raise UserError(
            f"expected results in {folder}, found none; run `sptlab reproduce` first, or name --out"
        )
    return results
