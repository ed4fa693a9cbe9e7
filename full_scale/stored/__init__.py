"""The results that the repository ships, and for every result that can be stored the command that makes it.

Studies take longer than `sptlab reproduce`, so that their results come with the code, each with its record.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from full_scale.cli.making import COMMANDS, STORED
from sims.runs.store import Result, UserError, load, load_all


def with_shipped(results: Mapping[str, Result], out: Path | None = None) -> dict[str, Result]:
    """The results, a validation study of one's own in `out`, and what is shipped where nothing newer is."""
    own = {}
    if out is not None and (out / "validation" / "validation.json").exists():
        own = {"validation": load(out / "validation", "validation")}
    shipped = load_all(STORED) if STORED.is_dir() else {}
    return {**shipped, **own, **results}


def need(results: Mapping[str, Result], name: str, *, by: str) -> Result:
    """The result called `name`; when it is missing, UserError: one line that names the command to run."""
    if name in results:
        return results[name]
    available = ", ".join(sorted(results)) or "none"
    command = COMMANDS.get(name, "sptlab reproduce")
    raise UserError(f"{by} needs the stored result {name}: found {available}; make it with: {command}")


def missing(results: Mapping[str, Result], names: Iterable[str]) -> list[str]:
    """Those of the names that have no stored result, in the order given."""
    return [name for name in names if name not in results]


__all__ = ["COMMANDS", "STORED", "missing", "need", "with_shipped"]
