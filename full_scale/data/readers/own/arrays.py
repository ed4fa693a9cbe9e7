"""Named arrays, from an npz, a pair of npy files or memory, as examples with labels."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from full_scale.data.findings import Finding
from full_scale.data.labelled import Labelled
from full_scale.data.readers.files import unusable
from full_scale.data.readers.own.axes import steps_first
from full_scale.data.readers.own.columns import DEFAULT, GROUPS, LABELS, MASK, Columns, chosen
from full_scale.data.readers.own.joined import Raw, joined
from full_scale.data.readers.own.label_names import group_names_of, label_names
from full_scale.data.readers.own.sequences import lengths_of_mask

Arrays = Mapping[str, Any]
EXAMPLES = (
    "x",
    "data",
    "inputs",
    "input",
    "features",
    "sequences",
    "tokens",
    "text",
    "texts",
    "input_ids",
    "samples",
)
NAMES = ("classes", "class_names", "target_names", "label_names")
LENGTHS = ("lengths", "length", "lens", "seq_len", "seq_lens", "sequence_lengths")
ENDINGS = {
    "train": ("train", "tr"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "te"),
}


def parts_of_arrays(path: Path, arrays: Arrays, columns: Columns = DEFAULT) -> dict[str, Labelled]:
    """{"all"}, or the parts whose names end in _train, _validation (_valid, _val, _dev) and _test."""
    named = {part: _named(path, arrays, part, columns) for part in (*ENDINGS, "all")}
    names_by_part = {part: names for part, names in named.items() if part != "all" and names["x"]}
    if "train" not in names_by_part:
        names_by_part = {"all": named["all"]}
    raws = {part: _raw(path, arrays, names, columns) for part, names in names_by_part.items()}
    first = next(iter(raws))
    raws[first] = raws[first]._replace(findings=raws[first].findings + _unused(arrays, names_by_part))
    read = joined(path, str(names_by_part[first]["x"]), raws, columns.fill)
    names = class_names(arrays, read[first].classes)
    return {part: dataclasses.replace(each, classes=names) for part, each in read.items()}


def class_names(arrays: Arrays, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The names that an array `classes` gives to the labels 0, 1, ..."""
    for name in NAMES:
        if name in arrays and classes == tuple(map(str, range(len(classes)))):
            stated = arrays[name]
            if stated.dtype.kind in "US" and stated.shape == (len(classes),):
                return tuple(each.decode("utf-8", "replace") if isinstance(each, bytes) else each
                             for each in stated.tolist())  # fmt: skip
    return classes


def _raw(path: Path, arrays: Arrays, names: dict[str, str | None], columns: Columns) -> Raw:
    """One part's arrays, whose numbers agree."""
    _require(path, arrays, names)
    x = arrays[str(names["x"])]
    stated, notices = label_names(path, str(names["y"]), arrays[str(names["y"])], columns.keep_unlabelled)
    if x.ndim > 1 and len(x) != len(stated) and len(stated) in x.shape[1:]:
        received = f"{names['x']} {x.shape} and {len(stated)} labels"
        raise unusable(path, "one row per label", received, f"put sequences first: transpose {names['x']}")
    x = steps_first(path, str(names["x"]), x, columns.axes)
    lengths = lengths_of(path, arrays[names["lengths"]], x) if names["lengths"] else None
    if lengths is None and names["mask"]:
        mask = arrays[names["mask"]]
        if mask.shape != x.shape[:2]:
            received = f"{names['mask']} {mask.shape} beside {names['x']} {x.shape}"
            raise unusable(
                path, "an attention_mask with a number per token", received, "leave it out, or mend it"
            )
        lengths = lengths_of_mask(path, mask)
    groups = group_names(path, arrays[names["group"]], len(stated)) if names["group"] else None
    return Raw(x, stated, lengths, groups, notices)


def _named(path: Path, arrays: Arrays, part: str, columns: Columns) -> dict[str, str | None]:
    """The names of x, y, lengths and group of one part."""
    usual = {"x": EXAMPLES, "y": LABELS, "lengths": LENGTHS, "mask": (MASK,), "group": GROUPS}
    wanted = {"x": columns.text, "y": columns.label, "lengths": None, "mask": None, "group": columns.group}
    names = {}
    for role, known in usual.items():
        requested = wanted[role]
        spelt = [
            each for name in ((requested,) if requested else known) for each in spellings(str(name), part)
        ]
        names[role] = next(filter(None, (chosen(list(arrays), each, ()) for each in spelt)), None)
        there = not requested or any(requested.lower() in name.lower() for name in arrays)
        if role == "group" and not there:
            raise unusable(path, f"the array {requested}", ", ".join(arrays), "check --group")
    return names


def spellings(name: str, part: str) -> list[str]:
    """How the array `name` of a part may be called: x_train, train_x, xtrain."""
    if part == "all":
        return [name]
    pairs = ((f"{name}_{end}", f"{end}_{name}", f"{name}{end}") for end in ENDINGS[part])
    return [each for pair in pairs for each in pair]


def _require(path: Path, arrays: Arrays, names: dict[str, str | None]) -> None:
    """Raise UserError where x or y is missing, with the arrays there are and how to name them."""
    missing = next((role for role in ("x", "y") if not names[role]), None)
    if missing is None:
        return
    remedy = "store it by numpy.savez(file, x=x, y=y), or name it with --text and --label"
    if names["x"] and names["x"].lower() not in EXAMPLES:
        received, remedy = (
            f"{names['x']} alone",
            f"store the labels of {names['x']} beside it, or leave it out",
        )
        raise unusable(path, "labels for the sequences of every part", received, remedy)
    left = {name: arrays[name] for name in arrays if name not in names.values()}
    wide = [name for name, array in left.items() if array.ndim > 1]
    flat = [name for name, array in left.items() if array.ndim == 1]
    if wide and flat and not (names["x"] or names["y"]):
        remedy = f"store it by numpy.savez(file, x=x, y=y), or say --text {wide[0]} --label {flat[0]}"
    received = ", ".join(f"{name} {arrays[name].shape}" for name in arrays) or "no array"
    raise unusable(path, f"the array {missing}", received, remedy)


def _unused(arrays: Arrays, names_by_part: dict[str, dict[str, str | None]]) -> tuple[Finding, ...]:
    """The arrays that nothing was read from are said."""
    used = {name for names in names_by_part.values() for name in names.values()}
    left = [name for name in arrays if name not in used and name not in NAMES]
    if not left:
        return ()
    roles = (("--label", LABELS), ("--text", EXAMPLES))
    meant = [f"{flag} {name}" for flag, usual in roles for name in left if name.lower() in usual]
    words, remedy = (
        f"the arrays {', '.join(left[:8])} were not read",
        f"say {meant[0]} if that one is meant" if meant else "",
    )
    return (Finding("arrays-unused", "warn" if meant else "pass", words, remedy),)


def group_names(path: Path, groups: np.ndarray, count: int) -> list[str]:
    """The group of every sequence, as a string."""
    groups = groups.reshape(-1) if groups.size == count else groups
    if groups.shape != (count,) or groups.dtype.kind not in "biufUS":
        received = f"{groups.dtype} {groups.shape}"
        raise unusable(
            path, f"group ({count},) of numbers or strings", received, "state one group per sequence"
        )
    return group_names_of(path, groups.tolist(), lambda row: f"row {row + 1}")


def lengths_of(path: Path, lengths: np.ndarray, x: np.ndarray) -> Int[np.ndarray, " n"]:
    """True lengths, which must lie within x."""
    lengths = lengths.reshape(-1) if lengths.size == len(lengths) else lengths
    if lengths.dtype.kind == "f" and np.isfinite(lengths).all() and (lengths == np.rint(lengths)).all():
        lengths = lengths.astype(np.int64)
    width: Any = x.shape[1] if x.ndim > 1 else 0
    right = lengths.shape == (len(x),) and lengths.dtype.kind in "iu"
    if not right or lengths.min() < 1 or lengths.max() > width:
        received = f"{lengths.dtype} {lengths.shape}"
        if right:
            received += f" from {lengths.min()} to {lengths.max()}"
        raise unusable(path, f"lengths (n,) from 1 to {width}", received, "count positions of x")
    return lengths.astype(np.int32)
