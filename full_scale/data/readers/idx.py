"""The idx format of MNIST and Fashion-MNIST, plain or gzip.

Big-endian: two zero bytes, the type (0x08: uint8), the number of axes, each axis' length as 32 bits,
then the values in row order. `train-` files are the train part, `t10k-` files the test part.
"""

import math
import re
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from full_scale.data.labelled import Labelled
from full_scale.data.readers.archives import base, members
from full_scale.data.readers.files import AGAIN, gunzipped, unfolded, unusable
from full_scale.data.readers.labelled import checked_labels, same_count

FILE = re.compile(r"(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
MNIST_CLASSES = tuple(str(digit) for digit in range(10))
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
REMEDY = "give the folder or archive with train-/t10k- images-idx3-ubyte and labels-idx1-ubyte, plain or .gz"


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """The array of one idx file."""
    return _idx_array(Path(path), unfolded(Path(path)))


def _idx_array(path: Path, data: bytes) -> UInt8[np.ndarray, "..."]:
    """The array of an idx file's bytes; exactly as many values as the header says must follow it."""
    if len(data) < 4 or data[:3] != b"\0\0\x08" or not 1 <= data[3] <= 4:
        raise unusable(
            path, "an idx file of uint8 (00 00 08 axes)", f"first bytes {data[:4].hex(' ')}", AGAIN
        )
    start = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, start, 4))
    if len(data) < start or math.prod(shape) != len(data) - start or not math.prod(shape):
        raise unusable(path, f"{math.prod(shape):,} values of shape {shape}", f"{len(data) - start:,}", AGAIN)
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_mnist(path: Path, classes: tuple[str, ...] = MNIST_CLASSES) -> dict[str, Labelled]:
    """{"train", "test"}: images (n, rows, columns) uint8, of a folder or an archive with the four files."""
    path = Path(path)
    arrays: dict[tuple[str, str], np.ndarray] = {}
    for name, data in members(path, lambda name: FILE.fullmatch(base(name)) is not None):
        part, what, _ = FILE.findall(base(name))[0]
        array = _idx_array(path / name, gunzipped(path / name, data))
        if (part, what) in arrays and not np.array_equal(arrays[part, what], array):
            raise unusable(path, f"one {part}-{what} file", "two that differ", "keep one data set per folder")
        arrays[part, what] = array
    return {
        part: _part(path, part_of, arrays, classes)
        for part, part_of in (("train", "train"), ("test", "t10k"))
    }


def _part(path: Path, prefix: str, arrays: dict, classes: tuple[str, ...]) -> Labelled:
    for what in ("images", "labels"):
        if (prefix, what) not in arrays:
            raise unusable(path, f"a file {prefix}-{what}-idx*-ubyte", "none", REMEDY)
    images = arrays[prefix, "images"]
    if images.ndim != 3:
        raise unusable(path, f"{prefix} images (n, rows, columns)", f"shape {images.shape}", AGAIN)
    labels = checked_labels(path, arrays[prefix, "labels"], len(classes))
    same_count(path, images, labels)
    return Labelled(images, labels, classes)
