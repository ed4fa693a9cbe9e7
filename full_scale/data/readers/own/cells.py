"""What a cell of a table holds: a number, a missing one, a list of numbers written as text, or something else."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from full_scale.data.readers.files import unusable

MISSING = ("", "na", "nan", "n/a", "null", "none", "?", "-nan", "#n/a", "<na>")
_NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
_MARK = r"(?:\s*+[,;]\s*+|\s++)"
_LIST = re.compile(rf"\s*+[\[(]?\s*+{_NUMBER}(?:{_MARK}{_NUMBER})++\s*+,?\s*+[\])]?\s*+")
_EACH = re.compile(_NUMBER)
_ONE = re.compile(rf"\s*+(?:{_NUMBER}|\[\s*+(?:{_NUMBER})?\s*+,?\s*+\])\s*+")
_DIGITS = 4_000  # of a whole number: Python reads no longer ones
_OF_CUT = set("0123456789+-.eE,; \r\n\t[]")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"", re.DOTALL)
_QUOTED_LIST = re.compile(
    rf"\s*+\[\s*+(?:{_QUOTED.pattern})(?:{_MARK}(?:{_QUOTED.pattern}))*+\s*+,?\s*+\]\s*+", re.DOTALL
)
"""Possessive quantifiers, so that no text takes longer than its length."""


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


def lists_spelt(path: Path, name: str, texts: Sequence[str], line: Callable[[int], str]) -> list[list] | None:
    """The lists that the texts spell, as pandas, NumPy and JSON write them; None where these are texts.

    Numbers: [3, 4], [3 4], 3 4, 3;4; symbols: ['a', 'b'], ["a" "b"]; steps with channels: [[1, 2], [3, 4]].
    Raises UserError where lists are cut by "..." as NumPy prints long arrays, and where most texts are lists.
    """
    lists = sum(bool(_LIST.fullmatch(text)) for text in texts)
    if not lists and not any(text.lstrip().startswith("[") for text in texts):
        return None
    cut = next((row for row, text in enumerate(texts) if _is_cut(text)), None)
    if cut is not None and 2 * (lists + sum(map(_is_cut, texts))) > len(texts):
        remedy = "NumPy prints long arrays so, and the rest is lost: store lists, or arrays in an npz"
        raise unusable(path, f"whole lists in {name!r}", f"one cut by '...' in {line(cut)}", remedy)
    if 2 * lists >= len(texts) and all(_LIST.fullmatch(text) or _ONE.fullmatch(text) for text in texts):
        return _numbers_listed(texts)
    rows = [_listed(text) for text in texts]
    lost = [row for row, each in enumerate(rows) if each is None]
    if 2 * len(lost) > len(rows):
        return None
    if lost:
        received = f"{texts[lost[0]][:40]!r} in {line(lost[0])}"
        raise unusable(path, f"a list in every row of {name!r}", received, "mend or remove that row")
    return [each for each in rows if each is not None]


def _is_cut(text: str) -> bool:
    """Whether a text is [0 1 2 ... 7 8 9]."""
    bare = text.strip()
    return (
        bare[:1] == "[" and bare[-1:] == "]" and "..." in bare and set(bare) <= _OF_CUT and bare[1:2] != "."
    )


def _numbers_listed(texts: Sequence[str]) -> list[list]:
    rows = [_EACH.findall(text) for text in texts]
    whole = all(each.lstrip("+-").isdigit() and len(each) < _DIGITS for row in rows for each in row)
    return [[int(each) if whole else float(each) for each in row] for row in rows]


def _listed(text: str) -> list | None:
    """The list that one text spells; None where it spells none."""
    if not text.lstrip().startswith("["):
        return None
    if _LIST.fullmatch(text) or _ONE.fullmatch(text):
        return _numbers_listed([text])[0]
    if _QUOTED_LIST.fullmatch(text):
        return [each[1:-1] for each in _QUOTED.findall(text)]
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, list) else None
