"""Labelled examples as every reader returns them, in the file's order."""

import dataclasses

import numpy as np
from jaxtyping import Int

from full_scale.data.findings import Finding

UNLABELLED = -1
"""The code of an example whose label is not known."""


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Examples in the file's order. Readers return them by part: "train", "validation", "test" or "all"."""

    examples: np.ndarray | list
    """An array whose first axis is the example, or a list: texts, pairs of texts, unequal arrays."""
    labels: Int[np.ndarray, " n"]
    """int32 codes 0..classes-1, or UNLABELLED."""
    classes: tuple[str, ...] = ()
    """The name of each code; the parts of one source share them. Empty where the format has no names."""
    lengths: Int[np.ndarray, " n"] | None = None
    """int32 true lengths where the source states them."""
    skipped: int = 0
    """Empty files that were left out."""
    groups: Int[np.ndarray, " n"] | None = None
    """int32 number of the subject or recording that each example belongs to, where the source states it."""
    findings: tuple[Finding, ...] = ()
    """What was noticed in reading and should be said."""

    def __len__(self) -> int:
        return len(self.labels)
