"""Task `digits`: scikit-learn's 8x8 handwritten digits as 64 pixel values. Real labels, a control.

Attention adds little here (0.96 is reached with attention frozen uniform), so self-pretraining is
expected to tie with labels alone.   [C19]
"""

import dataclasses
from typing import ClassVar

import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.tasks.task import Task

_BRIGHTEST = 16.0


@dataclasses.dataclass(frozen=True)
class Digits(Task):
    """The digits task's data."""

    split_seed: int = 0
    """Draws the split."""
    name: ClassVar[str] = "digits"
    shape: ClassVar[str] = "length 64, 10 classes, 1,257 + 180 + 360"
    licence: ClassVar[str] = "optdigits in scikit-learn, BSD-3"

    def load(self) -> Dataset:
        """1,797 images in rows, split 70/10/20 with equal class shares; standardised on the training set."""
        pixels, labels = load_digits(return_X_y=True)
        rest, test, rest_labels, test_labels = train_test_split(
            pixels / _BRIGHTEST, labels, test_size=0.2, stratify=labels, random_state=self.split_seed
        )
        train, validation, train_labels, validation_labels = train_test_split(
            rest, rest_labels, test_size=0.125, stratify=rest_labels, random_state=self.split_seed
        )
        mean, deviation = train.mean(), train.std()

        def split(values: np.ndarray, names: np.ndarray) -> Split:
            return Split(((values - mean) / deviation).astype(np.float32), names.astype(np.int32))

        return Dataset(
            self.name,
            train=split(train, train_labels),
            validation=split(validation, validation_labels),
            test=split(test, test_labels),
            inputs=Inputs(length=64, classes=10, grid=(8, 8)),
            source=f"scikit-learn {sklearn.__version__} load_digits; split 70/10/20 by class",
        )
