"""Parts as they came from files, read in one way: common classes, symbols and groups for all of them."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from full_scale.data.findings import Finding
from full_scale.data.labelled import UNLABELLED, Labelled
from full_scale.data.readers.files import unusable
from full_scale.data.readers.labelled import label_codes
from full_scale.data.readers.own.columns import Fill
from full_scale.data.readers.own.sequences import Sequences, sequences

_HALF = re.compile("[\ud800-\udfff]")


class Raw(NamedTuple):
    """One part before symbols, classes and groups are numbered."""

    x: np.ndarray | list
    """An array, a list of texts, or a list of float32 series."""
    names: list[str]
    """The class of each example; empty where none is known."""
    lengths: Int[np.ndarray, " n"] | None = None
    groups: list[str] | None = None
    findings: tuple[Finding, ...] = ()


def joined(path: Path, name: str, raws: dict[str, Raw], fill: Fill = "no") -> dict[str, Labelled]:
    """The parts with numbers for symbols, classes and groups that mean the same in all of them."""
    for part, raw in raws.items():
        if len(raw.x) != len(raw.names) or not raw.names:
            received = f"{len(raw.x)} examples and {len(raw.names)} labels" + _of(part)
            raise unusable(path, "one label per example", received, "check that the file is complete")
    _require_characters(path, raws)
    labels, classes = _codes(path, [each for raw in raws.values() for each in raw.names])
    read, ends = _read_together(path, name, list(raws.values()), fill), _ends(raws)
    groups = _groups(path, raws)
    parts = {}
    for start, end, (part, raw) in zip([0, *ends[:-1]], ends, raws.items(), strict=True):
        lengths = None if read.lengths is None else read.lengths[start:end]
        some = None if groups is None else groups[start:end]
        findings = raw.findings + (read.findings if start == 0 else ())
        parts[part] = Labelled(
            read.examples[start:end], labels[start:end], classes, lengths, 0, some, findings
        )
    return parts


def _codes(path: Path, names: list[str]) -> tuple[Int[np.ndarray, " n"], tuple[str, ...]]:
    """Codes of the names; UNLABELLED where a name is empty."""
    codes = np.full(len(names), UNLABELLED, np.int32)
    stated = np.array([bool(name) for name in names])
    codes[stated], classes = label_codes(path, [name for name in names if name])
    return codes, tuple("".join(mark if mark.isprintable() else " " for mark in name) for name in classes)


def _require_characters(path: Path, raws: dict[str, Raw]) -> None:
    """Raise UserError at half of a character (a lone surrogate), which JSON can spell and no text can hold."""
    for raw in raws.values():
        texts = raw.x if isinstance(raw.x, list) else []
        for row, words in enumerate(zip(texts or [""] * len(raw.names), raw.names, strict=False)):
            if any(isinstance(each, str) and not each.isascii() and _HALF.search(each) for each in words):
                expected = f"whole characters in example {row + 1}"
                raise unusable(path, expected, "half of one (a lone surrogate)", "mend or remove that row")


def _of(part: str) -> str:
    return "" if part == "all" else f" in {part}"


def _ends(raws: dict[str, Raw]) -> list[int]:
    return [int(end) for end in np.cumsum([len(raw.names) for raw in raws.values()])]


def _groups(path: Path, raws: dict[str, Raw]) -> Int[np.ndarray, " n"] | None:
    stated = [raw.groups for raw in raws.values()]
    if any(each is None for each in stated):
        return None
    return label_codes(path, [name for each in stated for name in each or ()])[0]


def _read_together(path: Path, name: str, raws: list[Raw], fill: Fill) -> Sequences:
    if all(isinstance(raw.x, list) for raw in raws):
        return Sequences([each for raw in raws for each in raw.x])
    arrays = [np.asarray(raw.x) for raw in raws]
    kinds = {(x.ndim, x.shape[2:], x.dtype.kind in "US") for x in arrays}
    if len(kinds) != 1:
        shapes = " and ".join(f"{x.dtype} {x.shape}" for x in arrays[:3])
        raise unusable(path, "parts of one form", shapes, "store x of every part alike")
    if arrays[0].dtype.kind in "iu" and any(x.dtype.kind == "f" and (x % 1 != 0).any() for x in arrays[1:]):
        raise unusable(
            path, "parts of one form", "symbols for training, fractions in another part", "store them alike"
        )
    if arrays[0].ndim < 2 or len(arrays) == 1:
        return sequences(path, name, np.concatenate(arrays), raws[0].lengths, fill)
    longest = max(x.shape[1] for x in arrays)
    if any(raw.lengths is not None for raw in raws) or any(x.shape[1] != longest for x in arrays):
        full = [raw.lengths if raw.lengths is not None else np.full(len(raw.x), x.shape[1], np.int32)
                for raw, x in zip(raws, arrays, strict=True)]  # fmt: skip
        wide = [np.pad(x, [(0, 0), (0, longest - x.shape[1]), *[(0, 0)] * (x.ndim - 2)]) for x in arrays]
        return sequences(path, name, np.concatenate(wide), np.concatenate(full), fill)
    return sequences(path, name, np.concatenate(arrays), None, fill)
