"""Prepared data: one NAME.npz of plain arrays per task, and NAME.json, its manifest of hashes.

What a reader returns (`Labelled` by part) is packed into arrays and unpacked to the same again. Strings and
arrays of unequal length lie one after another, with the places where they end.
"""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from full_scale.data.dataset import PARTS
from full_scale.data.labelled import Labelled
from sims.runs import store
from sims.runs.provenance import versions
from sims.runs.typed import Stored

Parts = dict[str, Labelled]
Arrays = dict[str, np.ndarray]


def _packed(parts: Parts) -> Arrays:
    """Plain arrays PART_FIELD of what a reader returned."""
    arrays: Arrays = {}
    for part, labelled in parts.items():
        arrays |= {f"{part}_{field}": array for field, array in _packed_part(labelled).items()}
    return arrays


def _packed_part(labelled: Labelled) -> Arrays:
    """One part's arrays; `kind` says what its examples are."""
    arrays: Arrays = {"labels": labelled.labels, "classes": np.array(labelled.classes, np.str_)}
    arrays["skipped"] = np.array([labelled.skipped])
    if labelled.lengths is not None:
        arrays["lengths"] = labelled.lengths
    if labelled.groups is not None:
        arrays["groups"] = labelled.groups
    examples = labelled.examples
    if isinstance(examples, np.ndarray):
        return arrays | {"kind": np.array(["array"]), "values": examples}
    first = examples[0]
    if isinstance(first, np.ndarray):
        ends = np.cumsum([len(each) for each in examples])
        return arrays | {"kind": np.array(["arrays"]), "values": np.concatenate(examples), "ends": ends}
    paired = not isinstance(first, str)
    encoded = [text.encode() for each in examples for text in (each if paired else (each,))]
    kind = np.array(["pairs" if paired else "texts"])
    values = np.frombuffer(b"".join(encoded), np.uint8)
    return arrays | {"kind": kind, "values": values, "ends": np.cumsum([len(each) for each in encoded])}


def unpacked(arrays: Arrays) -> Parts:
    """What `_packed` was given."""
    return {part: _unpacked_part(arrays, part) for part in (*PARTS, "all") if f"{part}_labels" in arrays}


def _unpacked_part(arrays: Arrays, part: str) -> Labelled:
    """The examples and labels of one part."""
    kind, values = str(arrays[f"{part}_kind"][0]), arrays[f"{part}_values"]
    lengths = arrays.get(f"{part}_lengths")
    classes = tuple(str(name) for name in arrays[f"{part}_classes"])
    examples: Any = values
    if kind != "array":
        ends = arrays[f"{part}_ends"]
        starts = np.concatenate([[0], ends[:-1]])
        examples = [values[start:end] for start, end in zip(starts, ends, strict=True)]
    if kind in ("texts", "pairs"):
        examples = [each.tobytes().decode() for each in examples]
    if kind == "pairs":
        examples = list(zip(examples[::2], examples[1::2], strict=True))
    labels, skipped = arrays[f"{part}_labels"].astype(np.int32), int(arrays[f"{part}_skipped"][0])
    return Labelled(examples, labels, classes, lengths, skipped, arrays.get(f"{part}_groups"))


@dataclasses.dataclass(frozen=True)
class Manifest(Stored):
    """What lies beside a prepared file."""

    source: str
    sizes: dict[str, int]
    """Sequences by part."""
    sha256: dict[str, str]
    """By array."""


def write(folder: Path, name: str, parts: Parts, source: str) -> Path:
    """Store NAME.npz and, last, its manifest NAME.json; whole or not at all. Returns the npz."""
    arrays = _packed(parts)
    hashes = {key: digest(array) for key, array in arrays.items()}
    sizes = {part: len(labelled) for part, labelled in parts.items()}
    values = store.plain(Manifest(source, sizes, hashes))
    store.save(folder, store.Result(name, values, arrays, {"versions": versions()}))  # type: ignore[arg-type]
    return Path(folder) / f"{name}.npz"


def digest(array: np.ndarray) -> str:
    """Hash of an array's type, shape and content."""
    hasher = hashlib.sha256(repr((array.dtype.str, array.shape)).encode())
    hasher.update(np.ascontiguousarray(array).tobytes())
    return hasher.hexdigest()


def is_prepared(path: Path) -> bool:
    """Whether a manifest lies beside the file."""
    return path.suffix == ".npz" and path.with_suffix(".json").is_file()


def read(path: Path) -> tuple[Parts, str]:
    """The parts of a prepared file, and their source in words. Raises StoreError when it is damaged."""
    result = store.load(path.parent, path.stem)
    return unpacked(result.arrays), Manifest.from_json(result.values).source


def verify(path: Path) -> list[tuple[str, bool]]:
    """(fact, does it hold) for the file and for every array in it."""
    try:
        result = store.load(path.parent, path.stem)
    except store.StoreError as error:
        return [(str(error), False)]
    hashes = Manifest.from_json(result.values).sha256
    digests = {name: digest(array) for name, array in result.arrays.items()}
    facts = [(f"{path.name}: hash as in its manifest", True)]
    return facts + [
        (f"{name}: sha256 {hashes[name][:16]}", digests.get(name) == hashes[name]) for name in sorted(hashes)
    ]
