"""What every task is: a frozen config that builds its data, the same data every time."""

import abc
import dataclasses
from functools import lru_cache
from typing import ClassVar

from full_scale.data.dataset import Dataset


@dataclasses.dataclass(frozen=True)
class Task(abc.ABC):
    """A sequence-classification task; its subclasses' fields are its settings."""

    name: ClassVar[str]
    shape: ClassVar[str]
    """Canonical length, classes and sizes, in words."""
    licence: ClassVar[str]
    """Source and licence, in words."""

    @abc.abstractmethod
    def load(self) -> Dataset:
        """Build the data. Raises UserError when a file that it needs is missing or wrong."""


@lru_cache(maxsize=4)
def load(task: Task) -> Dataset:
    """The task's data, built once per process."""
    return task.load()
