"""The tasks by name: a frozen config each, and `load` builds its data."""

import dataclasses
from functools import lru_cache

from full_scale.dataset import Dataset
from full_scale.digits import digits
from full_scale.docs_order import DocsOrderConfig, docs_order


@dataclasses.dataclass(frozen=True)
class DigitsConfig:
    """The digits task's data."""

    split_seed: int = 0
    """Draws the split."""


Task = DocsOrderConfig | DigitsConfig


@lru_cache(maxsize=4)
def load(task: Task) -> Dataset:
    """The task's data, built once per process."""
    return docs_order(task) if isinstance(task, DocsOrderConfig) else digits(task.split_seed)
