"""Labels of any usual form as names of classes; what is no class is said with its remedy."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from full_scale.data.findings import Finding
from full_scale.data.readers.files import unusable
from full_scale.data.readers.own.label_notices import UNSTATED, spelling

BIN = "a regression target: bin it, for example numpy.digitize(y, numpy.quantile(y, [1/3, 2/3]))"
_PLAIN = (str, bytes, bool, int, float, np.generic)
_STATE = "state it or remove the row; or let only pretraining read such rows: --unlabelled pretrain"
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}\.0*|[+-]?[0-9]\.0*[eE]\+?0+")
Names = tuple[list[str], tuple[Finding, ...]]


def label_names(path: Path, name: str, labels: Shaped[np.ndarray, "..."], unlabelled: bool = False) -> Names:
    """One name per row: integers, booleans, strings, whole floats, a single column or one-hot rows.

    With `unlabelled` the name of a missing label is empty; without, it is an error.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and labels.shape[1] > 1:
        return _one_hot(path, name, labels)
    if labels.ndim != 1 or labels.dtype.kind not in "biufUSO":
        remedy = "store one whole number or string per sequence"
        raise unusable(path, f"{name} (n,) of classes", f"{labels.dtype} {labels.shape}", remedy)
    if labels.dtype.kind == "f":
        labels = _whole(path, name, labels, unlabelled)
    plain = ["" if unlabelled and label is None else label for label in labels.tolist()]
    names = [_name(path, name, row, label) for row, label in enumerate(plain)]
    if unlabelled:
        names = missing_emptied(names)
    else:
        require_stated(path, names, lambda row: f"row {row + 1} of {name}")
    return names, spelling(names)


def _name(path: Path, name: str, row: int, label: object) -> str:
    if label is None or not isinstance(label, _PLAIN):
        received = f"{type(label).__name__} in row {row + 1}"
        raise unusable(path, f"a whole number or string per row of {name}", received, "name every class")
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace").strip()
    if isinstance(label, float):
        if label != label:
            return ""
        if not label.is_integer():
            raise unusable(path, f"classes in {name}", f"the fraction {label:g} in row {row + 1}", BIN)
    return str(int(label)) if isinstance(label, (bool, float)) else str(label).strip()


def _whole(
    path: Path, name: str, labels: Shaped[np.ndarray, " n"], unlabelled: bool
) -> Shaped[np.ndarray, " n"]:
    """0.0 and 1.0 as 0 and 1, nan as it is where a label may be missing; fractions are no classes."""
    missing = np.isnan(labels) if unlabelled else np.zeros(len(labels), bool)
    stated = labels[~missing]
    lost = ~np.isfinite(labels) & ~missing
    if lost.any():
        received = f"{int(lost.sum())} missing, the first in row {int(lost.argmax()) + 1}"
        remedy = "drop the rows without a label, or add --unlabelled pretrain"
        raise unusable(path, f"a label in every row of {name}", received, remedy)
    if (stated != np.rint(stated)).any():
        received = f"{len(np.unique(stated))} different fractions"
        raise unusable(path, f"classes in {name}", received, BIN)
    return labels if missing.any() else labels.astype(np.int64)


def _one_hot(path: Path, name: str, rows: Shaped[np.ndarray, "n classes"]) -> Names:
    ones = (rows == 1).sum(axis=1)
    if ((rows != 0) & (rows != 1)).any():
        received = f"{rows.dtype} {rows.shape}"
        remedy = "take the most probable class by y.argmax(axis=1), or store one label per sequence"
        raise unusable(path, f"{name} (n,) of classes, or one-hot rows", received, remedy)
    if (ones != 1).any():
        row = int((ones != 1).argmax())
        remedy = "several labels at once are not read: make one y of each column"
        raise unusable(path, f"one class per row of {name}", f"{int(ones[row])} in row {row + 1}", remedy)
    words = f"{name} is one-hot: column k was read as class k"
    return [str(at) for at in rows.argmax(axis=1)], (Finding("labels-one-hot", "pass", words),)


def whole_names(names: list[str]) -> list[str]:
    """1.0 and 1e0 as 1: what pandas makes of a column of whole numbers with a gap is the same class."""
    return [str(int(float(name))) if _WHOLE.fullmatch(name) else name for name in names]


def group_names_of(path: Path, values: list, where) -> list[str]:
    """The group of every row as a name. Raises UserError where one is missing."""
    names = whole_names(["" if value is None else str(value).strip() for value in values])
    names = missing_emptied(names)
    require_stated(path, names, where, "state every row's group, or remove the row", "group")
    return names


def missing_emptied(names: list[str]) -> list[str]:
    """Empty in place of every word that says that a label is missing."""
    return ["" if name.strip().lower() in UNSTATED else name for name in names]


def require_stated(path: Path, names: list[str], where, remedy: str = _STATE, what: str = "label") -> None:
    """Raise UserError at an empty label, or group: it would become one of its own."""
    empty = [row for row, name in enumerate(names) if name.strip().lower() in UNSTATED[:1]]
    if empty:
        received = f"{len(empty)} empty, the first in {where(empty[0])}"
        raise unusable(path, f"a {what} in every row", received, remedy)


def require_classes(path: Path, name: str, names: list[str]) -> None:
    """Raise UserError where the names are the fractions of a regression target, as text."""
    try:
        values = np.array([float(each.replace(",", ".")) for each in names if each])
    except ValueError:
        return
    if len(set(names)) > 2 and (values != np.rint(values)).any():
        raise unusable(path, f"classes in {name}", f"{len(set(names))} different numbers with fractions", BIN)
