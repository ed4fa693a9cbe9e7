"""CIFAR-10 in the forms it is shipped in.

- binary version, data_batch_{1..5}.bin and test_batch.bin: records of a label byte and 3072 bytes, 1024 red,
  1024 green, 1024 blue, row by row.
- python version, data_batch_{1..5} and test_batch: pickled dicts with `data` (n, 3072) in the same order and
  `labels`; they are read as data, never unpickled.
- PNG sheets, data_batch_{1..5}.png and test_batch.png: RGB, 1024 columns, one image per row; the labels in
  train_lables.json and test_lables.json (so spelt).
- npz: x_train, y_train, x_test, y_test; x is (n, 1024) or (n, 32, 32) in grey, or (n, 32, 32, 3).

All but the npz may lie in a folder or inside one tar or zip archive.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from full_scale.data.labelled import Labelled
from full_scale.data.readers.archives import base, members
from full_scale.data.readers.files import AGAIN, damage, decoded, unusable
from full_scale.data.readers.images import grey, png_pixels
from full_scale.data.readers.labelled import checked_labels, same_count, stacked
from full_scale.data.readers.npz import NpzArrays
from full_scale.data.readers.pickled import plain_pickle

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
SIDE, PIXELS = 32, 1024
BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
STEMS = [*BATCHES["train"], *BATCHES["test"]]
SHEET_LABELS = {"train": "train_lables.json", "test": "test_lables.json"}
REMEDY = "give the folder or archive of the binary, python or PNG version, or an .npz"

Colour = UInt8[np.ndarray, "n 32 32 3"]
Batch = tuple[np.ndarray, list | np.ndarray | None]


def read_cifar(path: Path, colour: bool = False) -> dict[str, Labelled]:
    """{"train", "test"}: images (n, 32, 32) in grey, (n, 32, 32, 3) with `colour`, uint8."""
    path = Path(path)
    if path.suffix == ".npz":
        return _npz(path, colour)
    batches: dict[str, Batch] = {}
    texts: dict[str, list] = {}
    for name, data in members(path, _wanted):
        stem = base(name).partition(".")[0]
        if stem in batches or base(name) in texts:
            raise unusable(path, f"{base(name)} once", "more than one", "keep one version of CIFAR-10 there")
        if name.endswith(".json"):
            texts[base(name)] = _label_list(path / name, data)
        else:
            images, labels = _batch(path / name, data)
            batches[stem] = images if colour else grey(images), labels
    return {part: _part(path, part, batches, texts) for part in BATCHES}


def _wanted(name: str) -> bool:
    stem, _, ending = base(name).partition(".")
    return (stem in STEMS and ending in ("", "bin", "png")) or base(name) in SHEET_LABELS.values()


def _batch(path: Path, data: bytes) -> tuple[Colour, list | np.ndarray | None]:
    if path.suffix == ".png":
        return _sheet(path, data), None
    return (_binary if path.suffix == ".bin" else _pickle)(path, data)


def _binary(path: Path, data: bytes) -> tuple[Colour, np.ndarray]:
    size = 1 + 3 * PIXELS
    if not data or len(data) % size:
        raise unusable(path, f"a whole number of records of {size} bytes", f"{len(data):,} bytes", AGAIN)
    records = np.frombuffer(data, np.uint8).reshape(-1, size)
    return _planes(records[:, 1:]), records[:, 0].astype(np.int32)


def _pickle(path: Path, data: bytes) -> tuple[Colour, list | np.ndarray]:
    with damage(path, "the python version's dict of `data` and `labels`"):
        batch = plain_pickle(data)
    pixels: Any = batch.get("data")
    labels: Any = batch.get("labels")
    right = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 2
    if not right or pixels.shape[1] != 3 * PIXELS or not isinstance(labels, (list, np.ndarray)):
        received = f"{type(pixels).__name__} {getattr(pixels, 'shape', '')}, {type(labels).__name__}"
        raise unusable(path, "data (n, 3072) of uint8 and a list of labels", received, AGAIN)
    return _planes(pixels), labels


def _planes(rows: UInt8[np.ndarray, "n 3072"]) -> Colour:
    return np.ascontiguousarray(rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def _sheet(path: Path, data: bytes) -> Colour:
    pixels = png_pixels(path, data, "RGB")
    if pixels.shape[1] != PIXELS:
        raise unusable(path, f"a sheet {PIXELS} pixels wide", f"{pixels.shape[1]}", AGAIN)
    return pixels.reshape(-1, SIDE, SIDE, 3)


def _label_list(path: Path, data: bytes) -> list:
    with damage(path, "a JSON list of labels"):
        labels = json.loads(decoded(path, data))
    return labels if isinstance(labels, list) else []


def _part(path: Path, part: str, batches: dict[str, Batch], texts: dict[str, list]) -> Labelled:
    stems = BATCHES[part]
    missing = [stem for stem in stems if stem not in batches]
    if missing:
        raise unusable(path, f"CIFAR-10's {missing[0]} (.bin, .png or pickled)", "no such file", REMEDY)
    images = stacked(path, [batches[stem][0] for stem in stems])
    if any(batches[stem][1] is None for stem in stems):
        labels = checked_labels(path / SHEET_LABELS[part], texts.get(SHEET_LABELS[part]), len(CLASSES))
    else:
        checked = [checked_labels(path / stem, batches[stem][1], len(CLASSES)) for stem in stems]
        labels = np.concatenate(checked)
    same_count(path, images, labels)
    return Labelled(images, labels, CLASSES)


def _npz(path: Path, colour: bool) -> dict[str, Labelled]:
    arrays = NpzArrays(path)
    return {part: _npz_part(path, *arrays.require(f"x_{part}", f"y_{part}"), colour) for part in BATCHES}


def _npz_part(path: Path, images: np.ndarray, labels: np.ndarray, colour: bool) -> Labelled:
    shape = (-1, SIDE, SIDE, 3) if images.shape[1:] == (SIDE, SIDE, 3) else (-1, SIDE, SIDE)
    expected = "(n, 32, 32, 3)" if colour else "(n, 1024), (n, 32, 32) or (n, 32, 32, 3)"
    grey_shape = images.shape[1:] in ((PIXELS,), (SIDE, SIDE)) and not colour
    if images.dtype != np.uint8 or not (grey_shape or len(shape) == 4):
        raise unusable(path, f"uint8 images {expected}", f"{images.dtype} {images.shape}", REMEDY)
    images = images.reshape(shape)
    labels = checked_labels(path, labels.reshape(-1) if labels.ndim == 2 else labels, len(CLASSES))
    same_count(path, images, labels)
    return Labelled(grey(images) if len(shape) == 4 and not colour else images, labels, CLASSES)
