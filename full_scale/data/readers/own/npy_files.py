"""Arrays in .npy files beside each other: X.npy with y.npy, or X_train.npy with y_train.npy and so on."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from full_scale.data.readers.files import unusable
from full_scale.data.readers.npz import npy_array
from full_scale.data.readers.own.arrays import EXAMPLES, LENGTHS, spellings
from full_scale.data.readers.own.columns import GROUPS, LABELS

PARTS = ("all", "train", "validation", "test")


class NpyArrays(Mapping[str, np.ndarray]):
    """The arrays of a folder's .npy files, named without what their names have in common."""

    def __init__(self, path: Path):
        self.path = Path(path)
        folder = self.path if self.path.is_dir() else self.path.parent
        prefix = "" if self.path.is_dir() else _prefix_of(self.path)
        stems = [file.stem for file in sorted(folder.glob("*.npy")) if not file.name.startswith(".")]
        self.files = {
            stem[len(prefix) :]: folder / f"{stem}.npy" for stem in stems if stem.startswith(prefix)
        }
        if len(self.files) < 2:
            remedy = "store X.npy with y.npy beside it, or both by numpy.savez(file, x=x, y=y)"
            raise unusable(self.path, "two arrays, x and y", ", ".join(self.files) or "none", remedy)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.files:
            raise KeyError(name)
        return npy_array(self.files[name], objects=True)

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def _prefix_of(path: Path) -> str:
    """What stands before the role in a name: "mine_" of mine_X.npy, "" of y_train.npy."""
    stem = path.stem.lower()
    roles = [each for name in (*EXAMPLES, *LABELS, *LENGTHS, *GROUPS) for part in PARTS
             for each in spellings(name, part)]  # fmt: skip
    ends = [
        role for role in roles if stem == role or (stem.endswith(role) and not stem[-len(role) - 1].isalnum())
    ]
    if not ends:
        remedy = "name them X.npy and y.npy, or store both by numpy.savez(file, x=x, y=y)"
        raise unusable(path, "a pair of files X.npy and y.npy", path.name, remedy)
    return path.stem[: len(stem) - max(map(len, ends))]
