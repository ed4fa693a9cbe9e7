"""Task `ucr`: one classification problem of the UCR and UEA archives of time series, as .ts files.

Source: Dau et al. 2019 and Bagnall et al. 2018; licence and size differ by problem. The archive's own
training and test parts; a fifth of the training series, by class, validates. Values are standardised per
channel on the training part; shorter series are padded with 0.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

from full_scale.data.dataset import Dataset, Inputs
from full_scale.data.prepared import Parts
from full_scale.data.series import standardised
from full_scale.data.splits import by_class_share, taken
from full_scale.tasks.file_task import FileTask

VALIDATION = 0.2


@dataclasses.dataclass(frozen=True)
class Ucr(FileTask):
    """A problem of the UCR and UEA archives."""

    name: ClassVar[str] = "ucr"
    expects: ClassVar[str] = (
        "a folder with one problem's *_TRAIN.ts and *_TEST.ts, as in aeon 1.6.0 or sktime 1.2.0 (Python "
        "packages)"
    )
    licence: ClassVar[str] = "UCR and UEA archives, cite Dau et al. 2019 and Bagnall et al. 2018"
    shape: ClassVar[str] = "length, classes and sizes of the problem"

    @classmethod
    def read(cls, path: Path) -> Parts:
        """The problem's two files."""
        from full_scale.data.readers.ucr import read_ucr

        return read_ucr(path)

    def build(self, parts: Parts, source: str) -> Dataset:
        """Padded series of values."""
        train, test = parts["train"], parts["test"]
        rows = by_class_share(train.labels, round(VALIDATION * len(train)), 0, self.split_seed, self.name)
        series = {
            "train": taken(train, rows["train"]),
            "validation": taken(train, rows["validation"]),
            "test": test,
        }
        splits = standardised(series)
        tokens = splits["train"].tokens
        channels = tokens.shape[2] if tokens.ndim == 3 else 1
        inputs = Inputs(tokens.shape[1], classes=len(train.classes), channels=channels)
        return Dataset(self.name, **splits, inputs=inputs, source=source)
