"""A sweep's file: which settings and seeds its trials have. TOML, checked before anything runs.

seeds = 3                    # each trial with seeds 0, 1, 2; or a list of seeds
[grid]                       # every combination of
length = [16, 32]
correlation = [0.5, 0.8]
[[trials]]                   # and these, as often as there are seeds unless they name one
length = 128
seed = 7
"""

import dataclasses
import itertools
import math
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, get_type_hints

from sims.cli.names import nearest
from sims.runs.store import UserError
from sims.sweeps.setting import converted, example

_MOST_TRIALS = 100_000
PARTS = ("seeds", "grid", "trials")


def configurations(path: Path, base: Any, seed: int) -> list[tuple[Any, int]]:
    """The configs and seeds that the file describes, in its order, the seed varying fastest.

    Parameters
    ----------
    path
        The file.
    base
        Config of the experiment: what the file leaves open.
    seed
        The seed where the file has none, and the first one where it has a count.

    Raises
    ------
    UserError
        In one line, when the file cannot be read or describes what the experiment does not have.
    """
    content = read(path)
    try:
        _require_known(content, PARTS, "part", base)
        seeds = _seeds_of(content.get("seeds", 1), seed)
        settings = [(fields, seeds) for fields in combinations(content, base, len(seeds))]
        settings += [explicit(table, base, seeds) for table in tables(content.get("trials", []))]
        return list(dict.fromkeys((_configured(base, fields), s) for fields, each in settings for s in each))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def read(path: Path) -> dict[str, Any]:
    """The file as tomllib gives it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"expected a sweep in {path}, found: {error.strerror}; see sims/sweeps/README.md"
        ) from error
    except ValueError as error:  # also what is not UTF-8
        raise UserError(f"expected TOML in {path}, found: {error}; see sims/sweeps/README.md") from error


def _seeds_of(value: Any, first: int) -> tuple[int, ...]:
    """A count, from `first` on, or the seeds themselves."""
    if type(value) is int and value > 0:
        _require_few(value)
        return tuple(range(first, first + value))
    if isinstance(value, list) and value and all(type(seed) is int for seed in value):
        return tuple(value)
    raise UserError(f"seeds must be a count of at least 1 or a list of whole numbers: got {value!r}; try 3")


def combinations(content: dict[str, Any], base: Any, seeds: int) -> Iterable[dict[str, Any]]:
    """Every combination of the grid's values; the base alone when the file has seeds only."""
    grid = content.get("grid", {})
    if not isinstance(grid, dict):
        raise UserError(f"grid must be a table: got {grid!r}; write [grid] and a line for each setting")
    if not grid:
        return [] if content.get("trials") else [{}]
    kinds = _kinds_of(base)
    _require_known(grid, kinds, "setting", base)
    for name, values in grid.items():
        if not isinstance(values, list) or not values:
            example_value = example(getattr(base, name))
            raise UserError(
                f"grid.{name} must be a list of values: got {values!r}; try {name} = [{example_value}]"
            )
    _require_few(seeds * math.prod(map(len, grid.values())))
    checked = {
        name: [converted(value, kinds[name], f"grid.{name}", getattr(base, name)) for value in values]
        for name, values in grid.items()
    }
    return [dict(zip(checked, values, strict=True)) for values in itertools.product(*checked.values())]


def explicit(
    table: dict[str, Any], base: Any, seeds: tuple[int, ...]
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The settings of one [[trials]] table, and its seeds."""
    kinds = _kinds_of(base)
    _require_known(table, [*kinds, "seed"], "setting", base)
    fields = {
        name: converted(value, kinds[name], f"trials.{name}", getattr(base, name))
        for name, value in table.items()
        if name != "seed"
    }
    return fields, (converted(table["seed"], int, "trials.seed", 0),) if "seed" in table else seeds


def tables(value: Any) -> list[dict[str, Any]]:
    """The [[trials]]."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        raise UserError(f"trials must be tables: got {value!r}; write [[trials]] above each trial's settings")
    _require_few(len(value))
    return value


def _configured(base: Any, fields: dict[str, Any]) -> Any:
    """The base with these settings; a refusal of the experiment says for which."""
    try:
        return dataclasses.replace(base, **fields)
    except UserError as error:
        settings = ", ".join(f"{name} = {example(value)}" for name, value in fields.items())
        raise UserError(f"{error} (in the trial {settings})") from error


def _kinds_of(base: Any) -> dict[str, Any]:
    """The type of each setting."""
    hints = get_type_hints(type(base))
    return {field.name: hints[field.name] for field in dataclasses.fields(base) if field.init}


def _require_few(trials: int) -> None:
    """Refuse what could not be listed."""
    if trials > _MOST_TRIALS:
        raise UserError(f"expected at most {_MOST_TRIALS:,} trials, got {trials:,}; split the sweep")


def _require_known(names: Iterable[str], known: Collection[str], kind: str, base: Any) -> None:
    """Refuse an unknown name, with the nearest one, or the place it belongs to."""
    for name in names:
        if name in known:
            continue
        meant = nearest(name, known)
        if kind == "part" and name in _kinds_of(base):
            meant = f"; {name} is a setting: write it below [grid]"
        raise UserError(f"unknown {kind} {name}{meant} (expected one of {', '.join(known)})")
