"""A sweep as one table: a row per trial in the file's order, the same bytes whichever engine computed it.

Columns: the settings, the seed, every number or word of the result (nested ones as `toy.snr.mean`),
then key, commit, device and, where there is no result, why. Arrays and lists stay in the trial's files.
"""

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Iterator

from sims.runs.provenance import plain
from sims.runs.store import Result
from sims.sweeps.trial import Failure, Trial

LAST = ("key", "commit", "device", "error")
Row = dict[str, object]


def row(trial: Trial, outcome: Result | Failure) -> Row:
    """The row of one trial in the sweep's table."""
    settings = {
        field.name: cell(getattr(trial.config, field.name)) for field in dataclasses.fields(trial.config)
    }  # type: ignore[arg-type]
    settings["seed"] = trial.seed
    last: Row = {"key": trial.key, "commit": None, "device": None, "error": None}
    if isinstance(outcome, Failure):
        return {**settings, **last, "error": outcome.reason}
    last |= {"commit": commit(outcome.record["commit"]), "device": outcome.record["device"]}
    results = {free(name, {**settings, **last}): value for name, value in sorted(scalars(outcome.values))}
    return {**settings, **results, **last}


def text(rows: Iterable[Row]) -> str:
    """The table as CSV; a column that a row lacks is empty there."""
    rows = list(rows)
    columns = dict.fromkeys(name for each in rows for name in each if name not in LAST)
    sink = io.StringIO()
    writer = csv.DictWriter(sink, [*columns, *LAST], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue()


def scalars(values: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Numbers, words and truth values by dotted name."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from scalars(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            yield prefix + name, value


def free(name: str, taken: Row) -> str:
    """The result's name, marked where a setting has the same."""
    return f"result.{name}" if name in taken else name


def cell(value: object) -> object:
    """A setting as a table holds it: lists as JSON, a file by its name."""
    value = plain(value)
    if isinstance(value, dict) and value.keys() == {"name", "sha256"}:
        return value["name"]
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def commit(code_state: object) -> str | None:
    """The revision, marked when the code had changes beyond it."""
    revision, dirty = code_state["revision"], code_state["dirty"]  # type: ignore[index]
    return f"{revision}+changes" if revision and dirty else revision
