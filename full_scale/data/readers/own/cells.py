"""What a cell of a table holds: a number, a missing one, a list of numbers written as text, or something else."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

MISSING = ("", "na", "nan", "n/a", "null", "none", "?", "-nan", "#n/a", "<na>")
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_LIST = re.compile(rf"\s*[\[(]?\s*{_NUMBER}(?:(?:\s*[,;]\s*|\s+){_NUMBER})+\s*,?\s*[\])]?\s*")
_EACH = re.compile(_NUMBER)


def number(value: object, comma: bool = False) -> float | None:
    """A number, nan where it is missing, None where it is something else."""
    if value is None:
        return np.nan
    if isinstance(value, (bool, int, float)):
        return as_float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.lower() in MISSING:
        return np.nan
    return as_float(text.replace(",", ".") if comma else text)


def as_float(value: Any) -> float | None:
    """The number that Python reads, None where it reads none."""
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def are_numbers(values: Sequence[object], comma: bool = False) -> bool:
    """Whether at least half of the cells that hold something are numbers; where none does, they are missing ones."""
    if any(isinstance(value, (list, dict)) for value in values):
        return False
    stated = [value for value in values if value is not None and str(value).strip().lower() not in MISSING]
    read = [number(value, comma) is not None for value in stated]
    return 2 * sum(read) >= len(read)


def numbers_listed(texts: Sequence[str]) -> list[list[int]] | list[list[float]] | None:
    """The lists that every text spells, as pandas and NumPy write them: [3, 4], [3 4], 3 4, 3;4; else None."""
    if not texts or not all(_LIST.fullmatch(text) for text in texts):
        return None
    rows = [_EACH.findall(text) for text in texts]
    whole = all(each.lstrip("+-").isdigit() for row in rows for each in row)
    return [[int(each) if whole else float(each) for each in row] for row in rows]
