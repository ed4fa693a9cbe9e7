"""Labels as files have them: codes of names, checked numbers, one label per example."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from full_scale.data.readers.files import unusable


def label_codes(path: Path, names: list[str]) -> tuple[Int[np.ndarray, " n"], tuple[str, ...]]:
    """Codes of label names by their order: numerical when all are integers, else alphabetical."""
    distinct = set(names)
    if not distinct:
        raise unusable(path, "at least one example", "none", "check that the file is complete")
    try:
        classes = sorted(distinct, key=lambda name: (int(name), name))
    except ValueError:
        classes = sorted(distinct)
    code = {name: index for index, name in enumerate(classes)}
    return np.array([code[name] for name in names], np.int32), tuple(classes)


def checked_labels(path: Path, labels: Any, classes: int) -> Int[np.ndarray, " n"]:
    """A list or array of integers 0..classes-1 as int32 codes; anything else is a UserError."""
    right = isinstance(labels, np.ndarray) and labels.dtype.kind in "iu"
    right = right or (isinstance(labels, list) and all(type(label) is int for label in labels))
    remedy = "this is not the file the data set ships: get it again"
    if not right or np.ndim(labels) != 1 or len(labels) == 0:
        raise unusable(path, "a list of whole-number labels", _kind(labels), remedy)
    if min(labels) < 0 or max(labels) >= classes:
        raise unusable(path, f"labels from 0 to {classes - 1}", f"{min(labels)}..{max(labels)}", remedy)
    return np.asarray(labels, np.int32)


def _kind(value: object) -> str:
    size = f" of {len(value)}" if isinstance(value, (list, dict, np.ndarray)) else ""
    return type(value).__name__ + size


def stacked(path: Path, parts: list[np.ndarray]) -> np.ndarray:
    """The arrays one after another; their shapes beyond the first axis must agree."""
    shapes = sorted({part.shape[1:] for part in parts})
    if len(shapes) != 1:
        raise unusable(path, "examples of one shape", f"{shapes[:3]}", "keep one kind of file in the folder")
    return np.concatenate(parts)


def same_count(path: Path, examples: np.ndarray | list, labels: np.ndarray) -> None:
    """Every example has one label, and there is at least one."""
    if len(examples) != len(labels) or len(labels) == 0:
        received = f"{len(examples)} examples and {len(labels)} labels"
        raise unusable(path, "one label per example", received, "check that the file is complete")
