"""Pathfinder images as Long Range Arena releases them.

`<set>/metadata/<batch>.npy` holds a row per image: subpath, file, index, label, and settings; in the
LRA release it is plain text divided by blanks, from the generator a true array of strings. Images are
`<set>/<subpath>/<file>`. Batches are ordered by number; empty image files are left out and counted.
"""

from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import UInt8

from full_scale.data.labelled import Labelled
from full_scale.data.readers.files import AGAIN, content, damage, decoded, unusable
from full_scale.data.readers.images import png_pixels
from full_scale.data.readers.npz import MAGIC, array_from

CLASSES = ("apart", "joined")
HARD = "curv_contour_length_14"
_SETS = ("curv_baseline", "curv_contour_length_9", HARD)
REMEDY = f"give the folder pathfinder32 of the LRA release, or its {HARD}, with imgs and metadata"


def read_pathfinder(path: Path, level: str = HARD, most: int | None = None) -> dict[str, Labelled]:
    """{"all"}: images (n, side, side) uint8 in the release's order; `most` stops after so many."""
    folder = Path(path) if (Path(path) / "metadata").is_dir() else Path(path) / level
    images: list[np.ndarray] = []
    labels, skipped = [], 0
    for file, row in _rows(folder):
        if most is not None and len(images) == most:
            break
        image, label = _image(folder, file, row), _label(file, row)
        if image is None:
            skipped += 1
            continue
        if images and image.shape != images[0].shape:
            raise unusable(folder / row[0] / row[1], f"shape {images[0].shape}", image.shape, AGAIN)
        images.append(image)
        labels.append(label)
    if not images:
        raise unusable(folder, "images", "none", REMEDY)
    return {"all": Labelled(np.stack(images), np.array(labels, np.int32), CLASSES, skipped=skipped)}


def _rows(folder: Path):
    """(metadata file, fields) of each image, batches by number."""
    files = list((folder / "metadata").glob("*.npy"))
    if not files:
        raise unusable(folder / "metadata", "files <number>.npy", "none", REMEDY)
    strange = [file.name for file in files if not (file.stem.isascii() and file.stem.isdigit())]
    if strange:
        raise unusable(
            folder / "metadata", "files <number>.npy", strange[0], "remove files that do not belong"
        )
    for file in sorted(files, key=lambda file: int(file.stem)):
        for row in _metadata(file):
            yield file, row


def _metadata(file: Path) -> list[list[str]]:
    data = content(file)
    if not data.startswith(MAGIC):
        return [line.split() for line in decoded(file, data).splitlines() if line.strip()]
    array = array_from(file, data)
    if array.dtype.kind not in "US" or array.ndim != 2:
        raise unusable(file, "an array of strings (n, fields)", f"{array.dtype} {array.shape}", AGAIN)
    with damage(file, "strings of ASCII characters"):
        return [[str(field) for field in row] for row in array.astype(str)]


def _label(file: Path, row: list[str]) -> int:
    if len(row) < 4 or row[3] not in ("0", "1"):
        raise unusable(file, "rows: folder, file, index, label 0 or 1, ...", " ".join(row)[:80], AGAIN)
    return int(row[3])


def _image(folder: Path, file: Path, row: list[str]) -> UInt8[np.ndarray, "row column"] | None:
    """The image of a metadata row; None when its file is empty."""
    _label(file, row)
    name = PurePosixPath(row[0]) / row[1]
    if name.is_absolute() or ".." in name.parts or "\\" in str(name):
        raise unusable(file, "image paths below the folder", str(name), "do not use this copy")
    data = content(folder / name)
    return png_pixels(folder / name, data, "L") if data else None
