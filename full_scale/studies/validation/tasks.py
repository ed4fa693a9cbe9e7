"""What the diagnosis is validated on: tasks where neighbours decide, real labels, and negative controls."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar

import jax
import numpy as np

from full_scale.data.dataset import PARTS, Dataset, Inputs, Split
from full_scale.devices.precision import single_precision
from full_scale.tasks.digits import Digits
from full_scale.tasks.drawn import (
    AdjacentPair,
    Drawn,
    FixedPermutation,
    Flat,
    PatchAssociation,
    RunDensity,
    ShuffleRuns,
    draws,
)
from full_scale.tasks.image import Image
from full_scale.tasks.listops import ListOps
from full_scale.tasks.local_permute import LocalPermute
from full_scale.tasks.mnist import FashionMnist, Mnist
from full_scale.tasks.order import DocsOrder, Order
from full_scale.tasks.task import Task
from full_scale.tasks.ucr import Ucr
from sims import tasks as laws

_WINDOWS = 3_000  # of text, each shown in both orders
_IMAGES = 8_000
_SMALL_IMAGE_SIDE = 8  # rows and columns of pooled images; of 28, a divisor: 7


@dataclasses.dataclass(frozen=True)
class DrawnValues(Drawn):
    """Sequences of numbers of a law, as they are."""

    def load(self) -> Dataset:
        """Draws for each part, from keys of its own."""
        sizes = dict(zip(PARTS, (self.train_size, self.held_out_size, self.held_out_size), strict=True))
        with single_precision():
            keys = jax.random.split(jax.random.key(self.data_seed), len(PARTS))
            drawn = {p: draws(self.drawn_from, sizes[p], key=k) for p, k in zip(PARTS, keys, strict=True)}
        mean, deviation = drawn["train"][0].mean(), drawn["train"][0].std()
        splits = {
            part: Split(((x - mean) / deviation).astype(np.float32), y.astype(np.int32))
            for part, (x, y) in drawn.items()
        }
        inputs = Inputs(self.drawn_from.length, classes=2)
        return Dataset(self.name, **splits, inputs=inputs, source=f"drawn from {self.drawn_from}")


@dataclasses.dataclass(frozen=True)
class ContrastPair(DrawnValues):
    """Gaussian sequences whose neighbours covary more in one class."""

    law: Annotated[laws.ContrastPair, Flat] = dataclasses.field(default_factory=laws.ContrastPair)
    name: ClassVar[str] = "contrast-pair"


@dataclasses.dataclass(frozen=True)
class MirrorImage(DrawnValues):
    """Sequences, or mirror images: equal bags and equal covariances."""

    law: Annotated[laws.MirrorImage, Flat] = dataclasses.field(default_factory=laws.MirrorImage)
    name: ClassVar[str] = "mirror-image"


@dataclasses.dataclass(frozen=True)
class MovedDigits(Digits):
    """The digits with all pixels in one random order: what is left of a grid when proximity is lost."""

    permutation_seed: int = 0
    """Draws the order, the same for all images."""
    name: ClassVar[str] = "moved-digits"

    def load(self) -> Dataset:
        """The digits, pixels moved."""
        dataset = super().load()
        order = np.random.default_rng(self.permutation_seed).permutation(dataset.length)
        moved = {
            p: dataclasses.replace(getattr(dataset, p), tokens=getattr(dataset, p).tokens[:, order])
            for p in PARTS
        }
        inputs = dataclasses.replace(dataset.inputs, grid=None)
        return dataclasses.replace(dataset, name=self.name, inputs=inputs, **moved)


@dataclasses.dataclass(frozen=True)
class Backwards(Order):
    """Windows of text, and the same windows read from right to left: equal bags, equal unordered pairs."""

    name: ClassVar[str] = "backwards"

    def load(self) -> Dataset:
        """Label 1 forwards, label 0 backwards."""
        dataset = super().load()
        turned = {part: both_ways(getattr(dataset, part)) for part in PARTS}
        return dataclasses.replace(dataset, name=self.name, **turned)


def both_ways(split: Split) -> Split:
    """The sequences with label 1, then each of them backwards with label 0."""
    real = split.tokens[split.labels == 1]
    labels = np.repeat(np.array([1, 0], np.int32), len(real))
    return Split(np.concatenate([real, real[:, ::-1]]), labels)


@dataclasses.dataclass(frozen=True)
class Files:
    """Where the tasks with files find theirs; None: prepared in data/ or in an installed package."""

    imdb: Path | None = None
    """IMDB reviews, as the task `text` reads them."""
    image: Path | None = None
    """CIFAR-10, as the task `image` reads it."""
    mnist: Path | None = None
    """MNIST, as the task `mnist` reads it."""
    fashion: Path | None = None
    """Fashion-MNIST, as the task `fashion-mnist` reads it."""
    listops: Path | None = None
    """ListOps, as the task `listops` reads it."""
    ucr: tuple[Path, ...] = ()
    """Problems of the UCR archive: folders or *_TRAIN.ts."""


def tasks(files: Files) -> dict[str, Task]:
    """Every task by its name in the study; those of files may turn out to be missing."""
    small = {"train_most": _IMAGES, "held_out_most": 2_000}
    known: dict[str, Task] = {
        "docs-order": DocsOrder(),
        "docs-local-permute-2": LocalPermute(radius=2, most=_WINDOWS),
        "docs-local-permute-4": LocalPermute(radius=4, most=_WINDOWS),
        "docs-local-permute-16": LocalPermute(radius=16, most=_WINDOWS),
        "shuffle-runs": ShuffleRuns(),
        "run-density": RunDensity(),
        "fixed-permutation": FixedPermutation(),
        "patch-association": PatchAssociation(),
        "adjacent-pair": AdjacentPair(),
        "contrast-pair": ContrastPair(),
        "contrast-pair-weak": ContrastPair(law=laws.ContrastPair(kappa=0.1)),
        "contrast-pair-none": ContrastPair(law=laws.ContrastPair(kappa=0.0)),
        "mirror-image": MirrorImage(),
        "digits": Digits(),
        "moved-digits": MovedDigits(),
        "imdb-order": Order(source="imdb", data=files.imdb, most=_WINDOWS),
        "docs-backwards": Backwards(most=_WINDOWS),
        "imdb-backwards": Backwards(source="imdb", data=files.imdb, most=_WINDOWS),
        "image-8x8": Image(data=files.image, side=_SMALL_IMAGE_SIDE, **small),
        "mnist-7x7": Mnist(data=files.mnist, side=7, **small),
        "fashion-7x7": FashionMnist(data=files.fashion, side=7, **small),
        "listops-small": ListOps(
            data=files.listops, variant="small", train_most=_IMAGES, held_out_most=2_000
        ),
    }
    return known | {f"ucr-{path.stem.removesuffix('_TRAIN')}": Ucr(data=path) for path in files.ucr}


LOOKED_AT = (
    "mirror-image",
)  # its miss in the first study changed the diagnosis: it chose, and tests nothing
FRESH = (  # trained for the first time after the changed diagnosis had predicted them
    "docs-backwards",
    "imdb-backwards",
    "docs-local-permute-2",
    "contrast-pair-weak",
    "contrast-pair-none",
    "run-density",
    "mnist-7x7",
)
SMOKE = ("digits", "adjacent-pair", "contrast-pair", "shuffle-runs")
Chosen = Callable[[str], bool]
