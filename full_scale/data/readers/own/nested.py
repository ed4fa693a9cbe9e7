"""Lists of numbers, of tokens or of steps with channels, padded to one array."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Int

from full_scale.data.findings import Finding
from full_scale.data.readers.files import unusable

CELLS_MOST = 1 << 30
"""Padding may not need more numbers than this."""
Line = Callable[[int], str]
Padded = tuple[np.ndarray, Int[np.ndarray, " n"] | None, tuple[Finding, ...]]


def padded_lists(path: Path, name: str, rows: list, line: Line) -> Padded:
    """(n, longest) of whole numbers or floats, (n, longest, channel); lengths where they differ."""
    for row, each in enumerate(rows):
        if not isinstance(each, (list, tuple)) or not each:
            received = f"{_kind(each)} in {line(row)}"
            raise unusable(path, f"a list of numbers in every row of {name!r}", received, "remove the row")
    words = [type(each[0]) for each in rows]
    if all(kind is str for kind in words):
        return _tokens(path, name, rows, line)
    if all(kind in (list, tuple) for kind in words):
        return _channels(path, name, rows, line)
    arrays = [_numbers(path, name, each, line(row)) for row, each in enumerate(rows)]
    return _padded(path, name, arrays)


def _kind(value: object) -> str:
    return "an empty one" if value in ([], "", None) else type(value).__name__


def _numbers(path: Path, name: str, values: list, where: str) -> np.ndarray:
    wrong = next(
        (each for each in values if each is not None and not isinstance(each, (bool, int, float))), None
    )
    if wrong is not None:
        raise unusable(
            path, f"only numbers in {where} of {name!r}", repr(wrong)[:40], "keep one kind of list"
        )
    whole = all(isinstance(each, (bool, int)) for each in values)
    try:
        return np.array(values, np.int64 if whole else np.float64)
    except (OverflowError, ValueError, TypeError) as error:
        raise unusable(
            path, f"numbers of 64 bits in {where}", "larger ones", "store smaller numbers"
        ) from error


def _padded(path: Path, name: str, arrays: list[np.ndarray]) -> Padded:
    longest = max(len(each) for each in arrays)
    cells = len(arrays) * longest * int(np.prod(arrays[0].shape[1:]))
    if cells > CELLS_MOST:
        raise unusable(
            path, f"at most {CELLS_MOST:,} numbers", f"{cells:,} when padded", "cut the longest rows"
        )
    whole = all(each.dtype.kind == "i" for each in arrays)
    x = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), np.int64 if whole else np.float64)
    for row, each in zip(x, arrays, strict=True):
        row[: len(each)] = each
    lengths = np.array([len(each) for each in arrays], np.int32)
    return x, None if (lengths == longest).all() else lengths, ()


def _channels(path: Path, name: str, rows: list, line: Line) -> Padded:
    width, arrays = len(rows[0][0]), []
    for row, steps in enumerate(rows):
        if any(not isinstance(step, (list, tuple)) or len(step) != width or not width for step in steps):
            expected = f"{width} numbers in every step of {name!r}"
            raise unusable(
                path, expected, f"another count in {line(row)}", "give every step the same channels"
            )
        flat = _numbers(path, name, [value for step in steps for value in step], line(row))
        arrays.append(flat.reshape(len(steps), width).astype(np.float64))
    return _padded(path, name, arrays)


def _tokens(path: Path, name: str, rows: list, line: Line) -> Padded:
    """Strings as symbols, numbered in alphabetical order."""
    for row, each in enumerate(rows):
        if any(not isinstance(token, str) for token in each):
            raise unusable(
                path, f"only strings in {line(row)} of {name!r}", "a mixture", "keep one kind of list"
            )
    code = {token: at for at, token in enumerate(sorted({token for each in rows for token in each}))}
    x, lengths, _ = _padded(path, name, [np.array([code[token] for token in each]) for each in rows])
    words = f"the {len(code)} different tokens of {name} were numbered in alphabetical order"
    return x, lengths, (Finding("tokens-numbered", "pass", words),)
