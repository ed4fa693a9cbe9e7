"""Run a sweep: what is stored is not computed again, each trial is stored as it finishes, here.

Only the driver writes, so that workers on other machines need no common disk. It may be killed at any
moment: a trial is stored whole or not at all, and the same command computes the rest.
"""

import contextlib
import csv
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sims.runs import store
from sims.runs.provenance import commit, plain
from sims.runs.store import Result, StoreError
from sims.runs.validity import Identity
from sims.sweeps import table
from sims.sweeps.trial import Failure, Outcome, Trial, program_of

Engine = Callable[..., Iterator[list[tuple[Trial, Outcome | Failure]]]]
Report = Callable[[int, int], None]
_SECONDS_BETWEEN_TABLES = 30.0
_TIMINGS = "timings.csv"


@dataclasses.dataclass(frozen=True)
class SweepFolders:
    """Where a sweep lies: its trials, which sweeps of one experiment share, and its table."""

    trials: Path
    table: Path


@dataclasses.dataclass(frozen=True)
class Summary:
    """How a sweep ended."""

    trials: int
    stored_before: int
    failed: dict[str, str]
    """Reasons by the key of the trial."""


def run(
    trials: list[Trial], engine: Engine, folders: SweepFolders, *, command: str, report: Report
) -> Summary:
    """Compute what is not stored yet and write the table; `report` gets (trials finished, to compute)."""
    mine = program_of(trials[0].run.__module__)
    outcomes: dict[str, Result | Failure] = dict(stored(trials, folders.trials, mine))
    missing = [trial for trial in trials if trial.key not in outcomes]
    before, written = len(outcomes), time.monotonic()
    if missing:
        report(0, len(missing))
        record = {"command": command, "commit": commit(), **mine}
        with contextlib.closing(engine(missing, identity=mine)) as batches:  # type: ignore[type-var]
            for batch in batches:
                for trial, outcome in batch:
                    outcomes[trial.key] = _stored_outcome(trial, outcome, folders.trials, record)
                if time.monotonic() - written > _SECONDS_BETWEEN_TABLES:
                    write(trials, outcomes, folders)
                    written = time.monotonic()
                report(len(outcomes) - before, len(missing))
    write(trials, outcomes, folders)
    failed = {key: outcome.reason for key, outcome in outcomes.items() if isinstance(outcome, Failure)}
    return Summary(len(trials), before, failed)


def stored(trials: list[Trial], folder: Path, mine: Identity) -> Iterator[tuple[str, Result]]:
    """The trials that are there and still good; on which of a cluster's devices is not asked."""
    for trial in trials:
        if result := store.finished(folder, trial.key, {"config_hash": trial.config_hash, **mine}):
            yield trial.key, _slim(result)


def _stored_outcome(
    trial: Trial, outcome: Outcome | Failure, folder: Path, record: Identity
) -> Result | Failure:
    """Store a finished trial, its time first: a trial that is stored has its time."""
    if isinstance(outcome, Failure):
        return outcome
    note_seconds(folder, trial.key, outcome.seconds)
    own = {"config": plain(trial.config), "config_hash": trial.config_hash, "seed": trial.seed}
    result = Result(trial.key, outcome.values, outcome.arrays, {**record, **own, "device": outcome.device})
    store.save(folder, result)
    return _slim(result)


def _slim(result: Result) -> Result:
    """The result without its arrays, which a table does not show and memory need not hold."""
    return dataclasses.replace(result, values=plain(result.values), arrays={})


def write(trials: list[Trial], outcomes: dict[str, Result | Failure], folders: SweepFolders) -> None:
    """The table, and how long each trial took beside it: times differ from run to run."""
    rows = [table.row(trial, outcomes[trial.key]) for trial in trials if trial.key in outcomes]
    store.write_atomic(folders.table / "sweep.csv", table.text(rows).encode())
    seconds = _noted_seconds(folders.trials)
    lines = [f"{row['key']},{seconds[str(row['key'])]}\n" for row in rows if row["key"] in seconds]
    store.write_atomic(folders.table / _TIMINGS, "".join(["key,seconds\n", *lines]).encode())


def note_seconds(folder: Path, key: str, seconds: float) -> None:
    """Add a line, on a new line: one that a kill or a full disk has cut short spoils no other."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / _TIMINGS, "a", encoding="utf-8") as sink:
            sink.write(f"\n{key},{seconds:.3f}")
    except OSError as error:
        raise StoreError(
            f"cannot write {folder / _TIMINGS}: {error.strerror}; free the space or choose another --out"
        ) from error


def _noted_seconds(folder: Path) -> dict[str, str]:
    """The last time noted for each trial."""
    path = folder / _TIMINGS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return dict(line for line in csv.reader(lines) if len(line) == 2)
