"""Task `docs-order`: is this window of letters in its real order, or permuted inside the window?

Every window appears twice, once in its real order (label 1) and once permuted (label 0), so each bag of
letters carries each label once: whatever reads only the bag is right exactly half of the time.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from full_scale.dataset import PARTS, Dataset, Inputs, Split
from full_scale.tasks.task import Task
from sims.prose import SYMBOLS, Documents, cpython_topics, read_documents, windows, without_repeats
from sims.store import UserError

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
FEWEST_WINDOWS = 20  # in the smaller parts: 40 sequences, a standard error of 8 points
FEWEST_DOCUMENTS = 10  # below this, each document is cut into the three parts instead


@dataclasses.dataclass(frozen=True)
class DocsOrder(Task):
    """The task's data."""

    text: tuple[Path, ...] = ()
    """Your own UTF-8 text files; none means the prose that CPython ships."""
    length: int = 64
    """Symbols per window."""
    split_seed: int = 0
    """Draws the split by document and the permutations; kept apart from the training seeds."""
    name: ClassVar[str] = "docs-order"

    def __post_init__(self) -> None:
        if self.length < 4:
            raise UserError(f"length must be at least 4: got length={self.length}; try length=64")

    def load(self) -> Dataset:
        """Windows in their real order and permuted."""
        return docs_order(self)


def by_document(documents: Documents, generator: np.random.Generator) -> dict[str, list[str]]:
    """Whole documents to parts, in a random order, each to the part that lacks most of its share."""
    total = sum(map(len, documents.values()))
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    room = {part: SHARES[part] * total for part in PARTS}
    for index in generator.permutation(len(documents)):
        text = list(documents.values())[index]
        part = max(room, key=lambda name: room[name])
        parts[part].append(text)
        room[part] -= len(text)
    return parts


def by_position(documents: Documents) -> dict[str, list[str]]:
    """Each document cut into train, validation and test, in this order."""
    ends = np.cumsum([0.0, *(SHARES[part] for part in PARTS)])
    return {
        part: [text[int(ends[i] * len(text)) : int(ends[i + 1] * len(text))] for text in documents.values()]
        for i, part in enumerate(PARTS)
    }


def pair(real: Int[np.ndarray, "n length"], generator: np.random.Generator) -> Split:
    """Each window in real order (label 1), then each permuted inside the window (label 0)."""
    permuted = generator.permuted(real, axis=1)
    labels = np.repeat(np.array([1, 0], np.int32), len(real))
    return Split(np.concatenate([real, permuted]), labels)


def docs_order(config: DocsOrder = DocsOrder()) -> Dataset:
    """Build the task from CPython's topics or from the user's files.

    Raises
    ------
    UserError
        If a file cannot be read, or the text is too short for the three parts.
    """
    documents, source = read_documents(config.text) if config.text else cpython_topics()
    unique = without_repeats(documents)
    generator = np.random.default_rng(config.split_seed)
    enough = len(unique) >= FEWEST_DOCUMENTS
    texts = by_document(unique, generator) if enough else by_position(unique)
    splits = {}
    for part in PARTS:
        real = np.concatenate([windows(text, config.length) for text in texts[part]])
        if len(real) < FEWEST_WINDOWS:
            needed = int(FEWEST_WINDOWS * config.length / min(SHARES.values()))
            received = sum(map(len, unique.values()))
            raise UserError(
                f"expected at least {needed} letters of distinct text for windows of {config.length}: "
                f"got {received}, {len(real)} windows for {part}; give more --text or a smaller --length"
            )
        splits[part] = pair(real, generator)
    how = "split by document" if enough else "each document cut 80/10/10"
    inputs = Inputs(config.length, classes=2, symbols=SYMBOLS)
    return Dataset(config.name, **splits, inputs=inputs, source=f"{source}; {how}")
