"""Time series of the UCR and UEA archives: `.ts` files.

Lines of "@tag value" (`#` and `%` start comments) up to "@data"; then one case per line: channels
divided by ":", values by ",", and the class label last. "?" is a missing value. Series of one file may
differ in length, channels of one series may not. Time stamps and regression targets are not read.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from full_scale.data.findings import Finding
from full_scale.data.labelled import Labelled
from full_scale.data.readers.files import AGAIN, unusable
from full_scale.data.readers.tables import lines

REMEDY = "give a classification problem's .ts file, or the folder with <name>_TRAIN.ts and <name>_TEST.ts"
MISSING = ("?", "nan")


def read_ucr(path: Path, encoding: str = "utf-8") -> dict[str, Labelled]:
    """{"train", "test"} of one problem: its folder or its *_TRAIN.ts; both files state the same classes."""
    parts = {part: read_ts(_file(Path(path), part), encoding) for part in ("train", "test")}
    if parts["train"].classes != parts["test"].classes:
        received = f"{parts['train'].classes[:5]} and {parts['test'].classes[:5]}"
        raise unusable(
            Path(path), "the same classes in both files", received, "state them alike, in one order"
        )
    return parts


def _file(path: Path, part: str) -> Path:
    """The part's file in the folder (named like the folder, if there are more), or beside the file."""
    ending = f"_{part.upper()}.ts"
    if path.name.endswith("_TRAIN.ts"):
        return path.with_name(path.name.removesuffix("_TRAIN.ts") + ending)
    files = sorted(path.glob(f"*{ending}"))
    files = [file for file in files if file.name == path.resolve().name + ending] or files
    if len(files) != 1:
        raise unusable(path, f"one file *{ending}", f"{len(files)}", REMEDY)
    return files[0]


def read_ts(path: Path, encoding: str = "utf-8") -> Labelled:
    """Series as a list of float32 arrays (length, channel), classes in the header's order.

    Values that are missing at the end, in all channels, make a series shorter; others are filled by linear
    interpolation in time, at the start by the nearest value. Both are said.
    """
    path = Path(path)
    rows = ((number, line.strip()) for number, line in lines(path, encoding))
    rows = ((number, line) for number, line in rows if line and line[0] not in "#%")
    classes = _classes(path, rows)
    series, labels, shorter, filled = [], [], 0, 0
    for number, line in rows:
        *channels, label = (each.strip() for each in line.split(":"))
        if label not in classes or not channels:
            raise unusable(path, f"channels and a known label in line {number}", repr(label[:40]), AGAIN)
        values = _values(path, number, channels)
        length = values.shape[1] - int((~np.isnan(values).all(axis=0))[::-1].argmax())
        values, shorter = values[:, :length], shorter + (length < values.shape[1])
        filled += int(np.isnan(values).sum())
        series.append(np.stack([_filled(channel) for channel in values], axis=1))
        labels.append(classes.index(label))
        if series[-1].shape[1] != series[0].shape[1]:
            expected = f"{series[0].shape[1]} channels in line {number}"
            raise unusable(path, expected, len(channels), "give every case the same channels")
    if not series:
        raise unusable(path, "cases after @data", "none", AGAIN)
    return Labelled(series, np.array(labels, np.int32), classes, findings=_missing_findings(shorter, filled))


def _missing_findings(shorter: int, filled: int) -> tuple[Finding, ...]:
    """How many series were cut at missing ends, and how many values were filled."""
    findings: tuple[Finding, ...] = ()
    if shorter:
        words = f"{shorter:,} series end in missing values: read as shorter"
        findings += (Finding("missing-ends", "pass", words),)
    if filled:
        words = f"{filled:,} missing values were filled by a line through their neighbours"
        findings += (Finding("missing-filled", "warn", words, "see whether that is fair"),)
    return findings


def _classes(path: Path, rows) -> tuple[str, ...]:
    """Reads the header up to @data; the class names that it states."""
    classes: tuple[str, ...] = ()
    for number, line in rows:
        tag, *values = line.split()
        tag = tag.lower()
        if tag == "@data":
            break
        if not tag.startswith("@"):
            raise unusable(path, f"a tag in line {number}", repr(line[:40]), REMEDY)
        if tag == "@timestamps" and values[:1] != ["false"]:
            remedy = "time stamps are not read: write the values alone, with @timeStamps false"
            raise unusable(path, "@timeStamps false", line[:40], remedy)
        if tag == "@classlabel":
            classes = tuple(values[1:])
    if len(classes) < 2 or len(set(classes)) != len(classes):
        remedy = "it has no classes: a regression target must be binned" if not classes else REMEDY
        raise unusable(path, "@classLabel true and two or more names before @data", classes[:5], remedy)
    return classes


def _values(path: Path, number: int, channels: list[str]) -> Float[np.ndarray, "channel length"]:
    rows = [channel.split(",") for channel in channels]
    if len({len(row) for row in rows}) != 1:
        remedy = "channels of different lengths are not read: cut or pad them to one"
        lengths = [len(row) for row in rows][:5]
        raise unusable(path, f"channels of one length in line {number}", lengths, remedy)
    try:
        values = np.array([[_value(text) for text in row] for row in rows], np.float32)
    except ValueError as error:
        raise unusable(path, f"numbers in line {number}", str(error), AGAIN) from error
    if np.isinf(values).any() or np.isnan(values).all(axis=1).any():
        raise unusable(path, f"finite values in every channel of line {number}", "none or infinite", AGAIN)
    return values


def _value(text: str) -> float:
    return np.nan if text.strip().lower() in MISSING else float(text)


def _filled(channel: Float[np.ndarray, " length"]) -> Float[np.ndarray, " length"]:
    known = ~np.isnan(channel)
    if known.all():
        return channel
    time = np.arange(len(channel))
    return np.interp(time, time[known], channel[known]).astype(np.float32)
