"""Task `own`: sequences of your own, as an npz, a csv or a folder of texts by class.

npz: x (n, length) whole numbers from 0 (symbols) or floats, or (n, length, channel) floats; y (n,); lengths
(n,) if they differ; or the same per part, x_train, y_train, x_test, ... csv: a header, the column `label`,
and a column `text` or one column of numbers per position. Folder: CLASS/*.txt, or train/CLASS/*.txt and so
on. Parts that are missing are drawn by class: a tenth each for validation and test. Texts are read as
bytes; real values are standardised per channel on the training part.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np

from full_scale.dataset import PARTS, Dataset, Inputs, Split
from full_scale.tasks.file_task import FileTask
from full_scale.tasks.prepared import Parts
from full_scale.tasks.series import standardised, trimmed
from full_scale.tasks.splits import by_class_share, taken
from full_scale.tasks.vocabulary import BYTES, byte_vocabulary, padded
from sims.limits import at_least

HELD_OUT = 0.1


@dataclasses.dataclass(frozen=True)
class Own(FileTask):
    """Sequences of your own."""

    length: int = 1024
    """Bytes that are read of each text; arrays keep their length."""
    name: ClassVar[str] = "own"
    expects: ClassVar[str] = (
        "your sequences as an npz (x, y), a csv (label, and text or numbers) or a folder of CLASS/*.txt"
    )
    licence: ClassVar[str] = "your own"
    shape: ClassVar[str] = "yours"

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(2, length=self.length)

    @classmethod
    def read(cls, path: Path) -> Parts:
        """An npz, a csv or a folder."""
        from full_scale.readers.own import read_own

        return read_own(path)

    def build(self, parts: Parts, source: str) -> Dataset:
        """Symbols, bytes or values, by what the examples are."""
        parts = self.completed(parts)
        classes = len(parts["train"].classes)
        examples = parts["train"].examples
        if not isinstance(examples, np.ndarray):
            splits, inputs = self.texts(parts), Inputs(self.length, classes, symbols=BYTES)
        elif np.issubdtype(examples.dtype, np.integer):
            symbols = 1 + max(int(np.max(part.examples)) for part in parts.values())
            inputs = Inputs(examples.shape[1], classes, symbols=symbols)
            splits = {name: Split(part.examples, part.labels, part.lengths) for name, part in parts.items()}
        else:
            splits = standardised({name: trimmed(part) for name, part in parts.items()})
            shape = splits["train"].tokens.shape
            inputs = Inputs(shape[1], classes, channels=shape[2] if len(shape) == 3 else 1)
        return Dataset(self.name, **splits, inputs=inputs, source=source)

    def texts(self, parts: Parts) -> dict[str, Split]:
        """Texts as bytes."""
        codes, splits = byte_vocabulary(), {}
        for name, part in parts.items():
            tokens, lengths = padded(
                [codes.coded(text, self.length, False) for text in part.examples], self.length
            )
            splits[name] = Split(tokens, part.labels, lengths)
        return splits

    def completed(self, parts: Parts) -> Parts:
        """Train, validation and test, drawn from what there is."""
        missing = [part for part in PARTS[1:] if part not in parts]
        pool = parts["all"] if "all" in parts else parts["train"]
        counts = {part: round(HELD_OUT * len(pool)) if part in missing else 0 for part in PARTS[1:]}
        rows = by_class_share(pool.labels, counts["validation"], counts["test"], self.split_seed, self.name)
        drawn = {part: taken(pool, rows[part]) for part in ("train", *missing)}
        return {part: drawn.get(part) or parts[part] for part in PARTS}
