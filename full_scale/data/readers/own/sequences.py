"""Sequences of any usual form: symbols or values, their lengths, and what was done to read them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Shaped

from full_scale.data.findings import Finding
from full_scale.data.readers.files import unusable
from full_scale.data.readers.own.columns import Fill

LARGEST_ALPHABET = 65_536
_LARGEST = 1e15  # of a value: the squares of larger ones leave float32
_PAD = "pad x to one length and store the lengths: numpy.savez(file, x=x, y=y, lengths=lengths)"
_TAILS = 0.5  # share of rows that must end alike before the end is called padding
_SIDE = 8  # pixels from which squares may be images
_INSIDE = 0.01  # share of that symbol elsewhere that padding may have


def row_words(row: int) -> str:
    """Where a row is, in words."""
    return f"row {row + 1}"


class Sequences(NamedTuple):
    """What Labelled needs of x."""

    examples: np.ndarray | list
    lengths: Int[np.ndarray, " n"] | None = None
    findings: tuple[Finding, ...] = ()


def sequences(
    path: Path, name: str, x: np.ndarray, lengths: Int[np.ndarray, " n"] | None = None, fill: Fill = "no"
) -> Sequences:
    """x (n, length) of whole numbers, real values or one text per row; (n, length, channel) of values."""
    x = _of_objects(path, name, x) if x.dtype.kind == "O" else x
    if x.ndim == 1 and x.dtype.kind in "US":
        text = (lambda each: each.decode("utf-8", "replace")) if x.dtype.kind == "S" else str
        return Sequences([text(each) for each in x.tolist()])
    if x.dtype.kind in "US":
        remedy = f"number them: numpy.unique({name}, return_inverse=True)[1].reshape({name}.shape)"
        raise unusable(path, f"numbers in {name}", f"strings {x.shape}", remedy)
    _require_shape(path, name, x)
    findings = _images(name, x)
    if x.ndim == 3 and (x.dtype.kind in "biu" or _is_one_hot(x)):
        x, more = _whole_channels(name, x)
        findings += more
    if x.dtype.kind == "f":
        return _values(path, name, x, lengths, fill, findings)
    return _symbols(path, name, x, lengths, findings)


def _of_objects(path: Path, name: str, x: np.ndarray) -> np.ndarray:
    """Texts or numbers that are stored as objects."""
    kinds = {type(each) for each in x.reshape(-1).tolist()}
    if kinds == {str} and x.ndim == 1:
        return x.astype(str)
    if kinds and kinds <= {int, float, bool} and x.ndim > 1:
        return x.astype(np.float64 if float in kinds else np.int64)
    raise unusable(path, f"{name} of one shape", "an array of objects", _PAD)


def _require_shape(path: Path, name: str, x: np.ndarray) -> None:
    expected = f"{name} (n, length) of numbers or (n, length, channel) of floats"
    received = f"{x.dtype} {x.shape}"
    if x.dtype.kind not in "biuf":
        raise unusable(path, expected, received, "store real numbers, a complex one as two channels")
    if x.ndim == 4:
        remedy = f"flatten images or grids to sequences: {name}.reshape(len({name}), -1, channels)"
        raise unusable(path, expected, received, remedy)
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise unusable(path, expected, received, "store one row per sequence")


def _images(name: str, x: np.ndarray) -> tuple[Finding, ...]:
    """Squares of numbers from 0 on, which may be pixels."""
    if x.ndim != 3 or x.shape[1] != x.shape[2] or x.shape[1] < _SIDE or np.nanmin(x) < 0 or _is_one_hot(x):
        return ()
    words = f"{name} {x.shape} looks like images: a row of pixels was read as a step of {x.shape[2]} channels"
    return (Finding("images", "warn", words, f"for a token per pixel {name}.reshape(len({name}), -1)"),)


def _is_one_hot(x: Shaped[np.ndarray, "n length channel"]) -> bool:
    """Whether every step is 1 in one channel and 0 in the others."""
    return x.shape[2] > 1 and bool(((x == 0) | (x == 1)).all()) and bool((x.sum(axis=2) == 1).all())


def _whole_channels(name: str, x: Shaped[np.ndarray, "n length channel"]):
    """Whole numbers with channels: one channel is none, one-hot is a symbol, anything else a value."""
    if x.shape[2] == 1:
        return x[..., 0], ()
    if _is_one_hot(x):
        words = f"{name} is one-hot: channel k was read as symbol k"
        return x.argmax(axis=2), (Finding("symbols-one-hot", "pass", words),)
    words = f"{name} holds whole numbers in {x.shape[2]} channels: read as values"
    return x.astype(np.float32), (Finding("whole-numbers-as-values", "pass", words),)


def _symbols(path: Path, name: str, x: np.ndarray, lengths, findings: tuple[Finding, ...]) -> Sequences:
    """Numbered from 0, behind a sequence's length 0; a negative number that only fills ends is padding."""
    if lengths is None and int(x.min()) < 0:
        lengths, more = _negative_padding(name, x)
        findings += more
    real = np.ones(x.shape, bool) if lengths is None else np.arange(x.shape[1]) < lengths[:, None]
    used = x[real]
    least, most = int(used.min()), int(used.max())
    if least < 0 or most >= LARGEST_ALPHABET:
        symbols, codes = np.unique(used, return_inverse=True)
        if len(symbols) > LARGEST_ALPHABET:
            received = f"{len(symbols):,} different ones from {least} to {most}"
            expected = f"at most {LARGEST_ALPHABET:,} different symbols in {name}"
            raise unusable(path, expected, received, "store real values as float32")
        x = np.zeros(x.shape, np.int32)
        x[real] = codes.reshape(-1)
        words = f"the {len(symbols)} numbers that occur in {name}, {least} to {most}, were numbered 0 to "
        findings += (Finding("symbols-numbered", "pass", f"{words}{len(symbols) - 1} in their order"),)
    small = x.dtype.itemsize <= 2 and x.dtype.kind == "u"
    x = np.where(real, x, 0).astype(x.dtype if small else np.int32)
    if lengths is None:
        _require_lengths(path, name, x)
    return Sequences(x, lengths, findings + _large_alphabet(name, x))


def _negative_padding(name: str, x: np.ndarray):
    """Lengths where one negative number fills nothing but ends; None where negative numbers are symbols."""
    least = int(x.min())
    lengths, tidy = _tails(x == least)
    if not tidy or (x < 0).sum() != (x == least).sum():
        return None, ()
    words = f"{least} fills the ends of {int((lengths < x.shape[1]).sum())} rows of {name}: read as padding"
    return lengths, (Finding("padding-read", "pass", words),)


def _tails(empty: Bool[np.ndarray, "n length"]) -> tuple[Int[np.ndarray, " n"], bool]:
    """Positions before each row's empty end, and whether rows are empty nowhere else and nowhere wholly."""
    ends = (~empty[:, ::-1]).argmax(axis=1)
    lengths = np.where(empty.all(axis=1), 0, empty.shape[1] - ends).astype(np.int32)
    tidy = bool((lengths > 0).all()) and int(empty.sum()) == int((empty.shape[1] - lengths).sum())
    return lengths, tidy


def lengths_of_mask(path: Path, mask: Shaped[np.ndarray, "n length"]) -> Int[np.ndarray, " n"]:
    """Lengths that an attention mask states: 1 for tokens, then 0 for padding."""
    lengths, tidy = _tails(np.asarray(mask) == 0)
    if not tidy or not np.isin(mask, (0, 1)).all():
        received = "a row without a 1, or a 0 before a 1"
        raise unusable(path, "an attention_mask of 1s, then 0s", received, "pad at the end, or leave it out")
    return lengths


def _values(path: Path, name: str, x: np.ndarray, lengths, fill: Fill, findings) -> Sequences:
    """Finite float32 values; missing ends make a sequence shorter, missing values elsewhere are filled."""
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    if lengths is None and np.isnan(x).any() and tails_only(np.isnan(x)):
        lengths, _ = _tails(np.isnan(x).reshape(*x.shape[:2], -1).all(axis=2))
        words = f"{int((lengths < x.shape[1]).sum())} rows of {name} end in missing values: read as shorter"
        findings += (Finding("missing-ends", "pass", words),)
    if lengths is not None:
        x[np.arange(x.shape[1]) >= lengths[:, None]] = 0
    missing = ~np.isfinite(x)
    if missing.any():
        x, more = filled(path, name, x, missing, fill)
        findings += more
    if np.abs(x).max() > _LARGEST:
        received = f"{np.abs(x).max():.1e}"
        raise unusable(
            path, f"values of at most {_LARGEST:.0e} in {name}", received, "divide them by a scale"
        )
    if lengths is None:
        _require_lengths(path, name, x)
    return Sequences(x, lengths, findings + _stored_as_floats(name, x) + stand_in(name, x))


def filled(
    path: Path,
    name: str,
    x: np.ndarray,
    missing: np.ndarray,
    fill: Fill,
    where: Callable[[int], str] = row_words,
) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """Missing and infinite values by a line through their neighbours in time, the mean, or 0; if asked."""
    count, row = int(missing.sum()), int(missing.reshape(len(x), -1).any(axis=1).argmax())
    words = f"{count} missing or infinite, the first in {where(row)}"
    if fill == "no":
        remedy = "fill them with --fill linear, mean or zero, or drop the rows"
        raise unusable(path, f"finite float32 values in {name}", words, remedy)
    known = np.where(missing, np.nan, x)
    made = np.where(missing, 0 if fill == "zero" else _mean(known), x).astype(np.float32)
    if fill == "linear":
        _interpolate(made, missing)
    how = {"zero": "0", "mean": "the mean", "linear": "a line through their neighbours"}[fill]
    empty = int(missing.reshape(len(x), -1).all(axis=1).sum())
    sentence = (
        f"{name}: {words}; filled by {how}"
        + f"; {empty:,} of {len(x):,} rows hold nothing at all" * bool(empty)
    )
    return made, (Finding("missing-filled", "warn", sentence, "see whether that is fair"),)


def tails_only(missing: np.ndarray) -> bool:
    """Whether values are missing nowhere but at the ends of rows, in all channels at once."""
    steps = missing.reshape(*missing.shape[:2], -1)
    return bool((steps.all(axis=2) == steps.any(axis=2)).all()) and _tails(steps.all(axis=2))[1]


def _mean(known: np.ndarray) -> np.ndarray:
    """The mean of what is known, per channel."""
    axes = (0, 1)
    count = np.isfinite(known).sum(axis=axes, keepdims=True)
    return np.nansum(known, axis=axes, keepdims=True) / np.maximum(count, 1)


def _interpolate(x: np.ndarray, missing: np.ndarray) -> None:
    """In place, every channel of every row that knows something."""
    time = np.arange(x.shape[1])
    for row in np.flatnonzero(missing.reshape(len(x), -1).any(axis=1)):
        for channel in [()] if x.ndim == 2 else [(at,) for at in range(x.shape[2])]:
            lost = missing[(row, slice(None), *channel)]
            if lost.any() and not lost.all():
                values = x[(row, slice(None), *channel)]
                x[(row, slice(None), *channel)] = np.interp(time, time[~lost], values[~lost])


def _require_lengths(path: Path, name: str, x: np.ndarray) -> None:
    """Raise UserError where most rows end, or begin, in one and the same value that is rare elsewhere."""
    for where, rows in (("end", x[:, ::-1]), ("begin", x)):
        fills = _padding(rows.reshape(*rows.shape[:2], -1))
        if fills is None:
            continue
        value, share = fills
        remedy = f"store lengths, for example lengths = ({name} != {value:g}).sum(axis=1)"
        if x.ndim == 3:
            remedy = f"store lengths, for example lengths = ({name} != {value:g}).any(axis=2).sum(axis=1)"
        if where == "begin":
            remedy = "move the padding to the end and " + remedy
        expected = f"lengths, since {100 * share:.0f}% of the rows of {name} {where} in a run of {value:g}"
        remedy += "; if these are data, store lengths that are all full"
        raise unusable(path, expected, "none", remedy)


def _padding(rows: Shaped[np.ndarray, "n length channel"]) -> tuple[float, float] | None:
    """The value that fills the starts of most rows, with their share; None where that is no padding."""
    first = rows[:, 0]
    if len(rows) < 8 or rows.shape[1] < 4 or (first != first[:, :1]).any(axis=1).mean() > 1 - _TAILS:
        return None
    values, counts = np.unique(first[:, 0], return_counts=True)
    value = values[counts.argmax()]
    same = (rows == value).all(axis=2)
    runs = np.where(same.all(axis=1), rows.shape[1], (~same).argmax(axis=1))
    long = runs >= 2
    elsewhere = int(same.sum() - runs.sum()) / max(int(same.size - runs.sum()), 1)
    varied = len(np.unique(runs)) > 2
    return (
        (float(value), float(long.mean()))
        if long.mean() > _TAILS and varied and elsewhere < _INSIDE
        else None
    )


def _large_alphabet(name: str, x: np.ndarray) -> tuple[Finding, ...]:
    """Whole numbers that look like measured values: many of them, each rare."""
    distinct = len(np.unique(x[:2_000]))
    if distinct <= 512 or x[:2_000].size > 20 * distinct:
        return ()
    words = f"{name} holds {distinct:,} different whole numbers, read as symbols without an order"
    return (Finding("many-symbols", "warn", words, "store measured values as float32"),)


def _stored_as_floats(name: str, x: np.ndarray) -> tuple[Finding, ...]:
    """Whole numbers in a float array: perhaps symbols."""
    some = x[:2_000]
    distinct = np.unique(some)
    if x.ndim != 2 or len(distinct) > 256 or distinct[0] < 0 or (distinct != np.rint(distinct)).any():
        return ()
    words = (
        f"{name} holds only the whole numbers {distinct[0]:g} to {distinct[-1]:g} as floats: read as values"
    )
    return (
        Finding("symbols-as-floats", "warn", words, "store symbols as an integer array, in an npz or jsonl"),
    )


def stand_in(name: str, x: np.ndarray) -> tuple[Finding, ...]:
    """One value, repeated and far beyond all others, such as -999: what some write for a missing one."""
    values, counts = np.unique(x[:2_000], return_counts=True)
    if len(values) < 10:
        return ()
    for value, count, others in ((values[0], counts[0], values[1:]), (values[-1], counts[-1], values[:-1])):
        if count >= 3 and abs(value - others).min() > 2 * (others[-1] - others[0]):
            words = (
                f"{value:g} stands {count:,} times in {name}, far beyond all other values: read as a value"
            )
            remedy = "if it means missing, store nan in its place and say how to fill it (--fill)"
            return (Finding("missing-stand-in", "warn", words, remedy),)
    return ()
