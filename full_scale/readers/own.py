"""The user's own data: an npz of arrays, a csv, or a folder of texts.

- npz: x (n, length) of whole numbers from 0 or floats, or (n, length, channel) of floats; y (n,) of whole
  numbers or strings; lengths (n,) if they differ. Or in parts: x_train, y_train, lengths_train, and so on
  for _validation and _test.
- csv: a header; the column `label`; either a column of texts or one column of numbers per position.
- folder: <class>/*.txt in UTF-8, or the same below train, validation and test.
"""

import re
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int

from full_scale.readers.archives import members
from full_scale.readers.files import content, decoded, unusable
from full_scale.readers.labelled import Labelled, label_codes, same_count
from full_scale.readers.npz import NpzArrays
from full_scale.readers.tables import csv_rows

PARTS = ("train", "validation", "test")
INTEGERS = "store whole numbers from 0 as an integer array, or real values as float32"


def read_own(path: Path, label: str = "label", text: str | None = None) -> dict[str, Labelled]:
    """By the form of `path`: .npz, .csv, or a folder (or archive) of texts by class."""
    path = Path(path)
    if path.suffix == ".npz":
        return read_own_npz(path)
    return read_own_csv(path, label, text) if path.suffix == ".csv" else read_text_folder(path)


def read_own_npz(path: Path) -> dict[str, Labelled]:
    """{"all"} of x and y, or the parts of x_train, x_validation, x_test; classes in common."""
    arrays = NpzArrays(Path(path))
    endings = {part: f"_{part}" for part in PARTS if f"x_{part}" in arrays} or {"all": ""}
    names = {part: _names(Path(path), *arrays.require(f"y{ending}")) for part, ending in endings.items()}
    _, classes = label_codes(Path(path), [name for part in names.values() for name in part])
    code = {name: index for index, name in enumerate(classes)}
    parts = {}
    for part, ending in endings.items():
        examples = _examples(Path(path), f"x{ending}", *arrays.require(f"x{ending}"))
        labels = np.array([code[name] for name in names[part]], np.int32)
        same_count(Path(path), examples, labels)
        lengths = _lengths(Path(path), arrays.get(f"lengths{ending}"), examples)
        parts[part] = Labelled(examples, labels, classes, lengths)
    return parts


def _names(path: Path, labels: np.ndarray) -> list[str]:
    if labels.ndim != 1 or labels.dtype.kind not in "iuUb":
        received = f"{labels.dtype} {labels.shape}"
        raise unusable(path, "y (n,) of whole numbers or strings", received, "store y by y.astype(int)")
    return [str(int(label)) if labels.dtype.kind == "b" else str(label) for label in labels]


def _examples(path: Path, name: str, examples: np.ndarray) -> np.ndarray:
    kind = examples.dtype.kind
    if kind not in "biuf" or examples.ndim not in ((2, 3) if kind == "f" else (2,)) or 0 in examples.shape:
        expected = f"{name} (n, length) of numbers or (n, length, channel) of floats"
        raise unusable(path, expected, f"{examples.dtype} {examples.shape}", INTEGERS)
    if kind == "f":
        return _finite(path, name, examples)
    least, most = int(examples.min()), int(examples.max())
    if least < 0 or most > np.iinfo(np.int32).max:
        raise unusable(path, f"whole numbers from 0 in {name}", f"{least}..{most}", INTEGERS)
    small = examples.dtype.itemsize <= 2 and kind != "i" and kind != "b"
    return examples if small else examples.astype(np.int32)


def _finite(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise unusable(path, f"finite float32 values in {name}", f"{count} that are not", "fill or drop them")
    return values


def _lengths(path: Path, lengths: np.ndarray | None, examples: np.ndarray) -> Int[np.ndarray, " n"] | None:
    if lengths is None:
        return None
    right = lengths.shape == (len(examples),) and lengths.dtype.kind in "iu"
    if not right or lengths.min() < 1 or lengths.max() > examples.shape[1]:
        received = f"{lengths.dtype} {lengths.shape}"
        raise unusable(path, f"lengths (n,) from 1 to {examples.shape[1]}", received, "count positions of x")
    return lengths.astype(np.int32)


def read_own_csv(path: Path, label: str = "label", text: str | None = None) -> dict[str, Labelled]:
    """{"all"}: texts of the column `text` (by default one so named), else the other columns as float32."""
    path = Path(path)
    rows = csv_rows(path, decoded(path, content(path)))
    header = next(rows)[1]
    text = "text" if text is None and "text" in header else text
    for column in (label, text):
        if column is not None and header.count(column) != 1:
            raise unusable(path, f"one column {column!r}", ", ".join(header), "name the column by its header")
    at = header.index(label)
    if text is not None:
        found = [(row[header.index(text)], row[at]) for _, row in rows]
        examples: list | np.ndarray = [field for field, _ in found]
        if "" in examples:
            raise unusable(path, f"a text in every row of {text!r}", "an empty one", "remove the row")
        names = [name for _, name in found]
    else:
        examples, names = _numbers(path, rows, at, len(header))
    labels, classes = label_codes(path, names)
    return {"all": Labelled(examples, labels, classes)}


def _numbers(path: Path, rows, at: int, width: int) -> tuple[np.ndarray, list[str]]:
    values, names = [], []
    for line, row in rows:
        try:
            values.append([float(field) for index, field in enumerate(row) if index != at])
        except ValueError as error:
            remedy = "name the column of texts, or keep only numbers and the label"
            raise unusable(path, f"numbers in line {line}", str(error), remedy) from error
        names.append(row[at])
    if not values or width < 2:
        raise unusable(
            path, "rows of numbers and a label", f"{len(values)} rows of {width} columns", "add data"
        )
    return _finite(path, "the columns", np.array(values)), names


def read_text_folder(path: Path) -> dict[str, Labelled]:
    """{"all"} of <class>/*.txt, or the parts of {train,validation,test}/<class>/*.txt, by name."""
    path = Path(path)
    found = {name: decoded(path / name, data) for name, data in members(path, _is_text)}
    if not found:
        raise unusable(path, "texts as <class>/*.txt", "none", "make a folder of .txt files for every class")
    places = {name: PurePosixPath(name).parts[:-1] for name in sorted(found)}
    split = all(len(place) > 1 and place[-2] in PARTS for place in places.values())
    codes, classes = label_codes(path, [place[-1] for place in places.values()])
    code = dict(zip(places, codes, strict=True))
    parts = {}
    for part in PARTS if split else ("all",):
        names = [name for name, place in places.items() if not split or place[-2] == part]
        if names:
            labels = np.array([code[name] for name in names], np.int32)
            parts[part] = Labelled([found[name] for name in names], labels, classes)
    return parts


def _is_text(name: str) -> bool:
    return re.fullmatch(r"(\./)?[^/]+(/[^/]+){1,3}\.txt", name) is not None
