"""MNIST as comma separated values, plain or gzip: 784 pixels, then the label, no header (mnist_5k.csv.gz)."""

from pathlib import Path

import numpy as np

from full_scale.data.labelled import Labelled
from full_scale.data.readers.archives import base, members
from full_scale.data.readers.files import AGAIN, content, damage, decoded, gunzipped, unusable
from full_scale.data.readers.idx import MNIST_CLASSES
from full_scale.data.readers.labelled import checked_labels

SIDE = 28
FILES = ("mnist_5k.csv.gz", "mnist_5k.csv")
REMEDY = "give mnist_5k.csv.gz, or a folder or wheel that contains it"


def read_mnist_csv(path: Path) -> dict[str, Labelled]:
    """{"all"}: images (n, 28, 28) uint8; `path` is the csv, or a folder, wheel or archive with it."""
    path = Path(path)
    if path.name.endswith((".csv", ".csv.gz")):
        return {"all": _images(path, content(path))}
    for name, data in members(path, lambda name: base(name) in FILES):
        return {"all": _images(path / name, data)}
    raise unusable(path, FILES[0], "no such file there", REMEDY)


def _images(path: Path, data: bytes) -> Labelled:
    lines = decoded(path, gunzipped(path, data)).split()
    rows = np.empty((len(lines), SIDE * SIDE + 1), np.uint8)
    for index, line in enumerate(lines):
        rows[index] = _row(path, index + 1, line)
    if not lines:
        raise unusable(path, "rows of 784 pixels and a label", "none", AGAIN)
    labels = checked_labels(path, rows[:, -1].astype(np.int32), len(MNIST_CLASSES))
    return Labelled(rows[:, :-1].reshape(-1, SIDE, SIDE), labels, MNIST_CLASSES)


def _row(path: Path, number: int, line: str) -> list[int]:
    values = line.split(",")
    if len(values) != SIDE * SIDE + 1:
        raise unusable(path, f"{SIDE * SIDE + 1} values in line {number}", str(len(values)), AGAIN)
    with damage(path, f"whole numbers 0..255 in line {number}"):
        numbers = [int(value) for value in values]
        if min(numbers) < 0 or max(numbers) > 255:
            raise ValueError(f"{min(numbers)}..{max(numbers)}")
        return numbers
