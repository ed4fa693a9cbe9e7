"""Task `own`: sequences of your own, in any form that `full_scale.data.readers.own` reads.

Parts that are missing are drawn by class: a tenth each for validation and test. Sequences of one group (a
subject, a recording) and equal sequences stay in one part. Texts are read as bytes; real values are
standardised per channel on the training part.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from full_scale.data.dataset import PARTS, Dataset, Inputs, Split
from full_scale.data.equal_rows import codes, equal_across, equal_within, rows_in_order
from full_scale.data.findings import Finding
from full_scale.data.labelled import UNLABELLED, Labelled
from full_scale.data.prepared import Parts
from full_scale.data.readers.own.columns import Axes, Columns, Fill, Unlabelled
from full_scale.data.series import standardised, trimmed
from full_scale.data.splits import Rows, by_class_share, by_unit_share, taken
from full_scale.data.vocabulary import BYTES, byte_vocabulary, padded
from full_scale.tasks.file_task import FileTask

HELD_OUT = 0.1


@dataclasses.dataclass(frozen=True)
class Own(FileTask):
    """Sequences of your own."""

    length: int = 1024
    """At most so many bytes of each text are read; arrays keep their length."""
    label: str | None = None
    """Column or array of the labels; by default label, y, target or class."""
    text: str | None = None
    """Column or array of the texts or sequences; by default text, x, sequence, or all columns of numbers."""
    group: str | None = None
    """Column or array of what stays in one part: a subject, a recording."""
    encoding: str = "utf-8"
    """How bytes of text files become characters: latin-1, cp1252, utf-16."""
    fill: Fill = "no"
    """How missing numbers are filled: by a line through their neighbours, the mean, or 0."""
    axes: Axes = "auto"
    """Order of a float array's axes: steps is (n, steps, channels), channels is (n, channels, steps)."""
    unlabelled: Unlabelled = "refuse"
    """What becomes of rows whose label is missing: an error, or only pretraining reads them."""
    name: ClassVar[str] = "own"
    expects: ClassVar[str] = (
        "your sequences as an npz (x, y), a csv or jsonl (label, and text or numbers) or a folder CLASS/*.txt"
    )
    licence: ClassVar[str] = "your own"
    shape: ClassVar[str] = "yours"

    def __post_init__(self) -> None:
        super().__post_init__()
        from sims.runs.config_validation import at_least

        at_least(2, length=self.length)
        _ = self.columns  # refuses a wrong encoding at once

    @property
    def columns(self) -> Columns:
        """What was said about columns, encoding and missing values."""
        names = [field.name for field in dataclasses.fields(Columns)]
        return Columns(**{name: getattr(self, name) for name in names})

    def read(self, path: Path) -> Parts:
        """A file, a folder or an archive."""
        from full_scale.data.readers.own import read_own

        return read_own(path, self.columns)

    def build(self, parts: Parts, source: str) -> Dataset:
        """Symbols, bytes or values, by what the examples are."""
        parts, rest = separated(parts)
        findings = tuple(dict.fromkeys(finding for part in parts.values() for finding in part.findings))
        findings += rows_in_order(parts["all"]) if "all" in parts else ()
        parts, more = self.completed(parts)
        if rest is not None:
            words = f"{len(rest):,} sequences have no label: only pretraining reads them"
            more += (Finding("unlabelled", "pass", words),)
        every = parts if rest is None else parts | {"unlabelled": rest}
        classes, examples = len(parts["train"].classes), parts["train"].examples
        if isinstance(examples, list) and isinstance(examples[0], str):
            splits, length = self.texts(every)
            more += self.cut(parts)
            inputs = Inputs(length, classes, symbols=BYTES)
        elif isinstance(examples, np.ndarray) and np.issubdtype(examples.dtype, np.integer):
            symbols = 1 + max(int(np.max(part.examples)) for part in every.values())
            inputs = Inputs(examples.shape[1], classes, symbols=symbols)
            splits = {name: Split(part.examples, part.labels, part.lengths) for name, part in every.items()}
        else:
            splits = standardised({name: trimmed(part) for name, part in every.items()})
            shape = splits["train"].tokens.shape
            inputs = Inputs(shape[1], classes, channels=shape[2] if len(shape) == 3 else 1)
        names = parts["train"].classes
        return Dataset(
            self.name, **splits, inputs=inputs, source=source, findings=findings + more, class_names=names
        )

    def texts(self, parts: Parts) -> tuple[dict[str, Split], int]:
        """Texts as bytes, padded to the longest; its length."""
        bytes_, splits = byte_vocabulary(), {}
        coded = {
            name: [bytes_.coded(text, self.length, False) for text in part.examples]
            for name, part in parts.items()
        }
        longest = max((len(row) for rows in coded.values() for row in rows), default=0)
        for name, rows in coded.items():
            splits[name] = Split(*_swapped(padded(rows, longest), parts[name].labels))
        return splits, longest

    def cut(self, parts: Parts) -> tuple[Finding, ...]:
        """Texts that are longer than what is read of them."""
        sizes = [len(text.encode()) for part in parts.values() for text in part.examples]
        longer = sum(size > self.length for size in sizes)
        if not longer:
            return ()
        words = (
            f"{longer:,} of {len(sizes):,} texts are longer than {self.length:,} bytes: the rest is not read"
        )
        return (Finding("texts-cut", "warn" if 2 * longer > len(sizes) else "pass", words),)

    def completed(self, parts: Parts) -> tuple[Parts, tuple[Finding, ...]]:
        """Train, validation and test, drawn from what there is, and what equal rows and groups say."""
        missing = [part for part in PARTS[1:] if part not in parts]
        pool = parts["all"] if "all" in parts else parts["train"]
        counts = {part: round(HELD_OUT * len(pool)) if part in missing else 0 for part in PARTS[1:]}
        rows, findings = self.drawn(pool, counts) if missing else ({}, ())
        drawn = {part: taken(pool, rows[part]) for part in ("train", *missing)} if missing else {}
        made: Parts = {part: drawn.get(part) or parts[part] for part in PARTS}
        given = [part for part in parts if part in PARTS]
        if len(given) > 1:
            findings += equal_across({part: parts[part] for part in given})
        return made, findings

    def drawn(self, pool: Labelled, counts: dict[str, int]) -> tuple[Rows, tuple[Finding, ...]]:
        """Rows of the missing parts; groups and equal rows stay together."""
        equal = codes(pool)
        units, findings = equal, equal_within(pool, equal)
        if pool.groups is not None:
            units = together(pool.groups, equal)
            groups = len(np.unique(pool.groups))
            words = f"{len(pool):,} sequences of {groups:,} groups: every group was put whole into one part"
            findings += (Finding("groups", "pass", words),)
        sizes = counts["validation"], counts["test"]
        if len(np.unique(units)) == len(pool) and all(sizes):
            return by_class_share(pool.labels, *sizes, self.split_seed, self.name), findings
        return by_unit_share(pool.labels, units, *sizes, self.split_seed, self.name), findings


def separated(parts: Parts) -> tuple[Parts, Labelled | None]:
    """The examples with a label by part, and those without one of all parts together, if there are any."""
    lost = {name: np.flatnonzero(part.labels == UNLABELLED) for name, part in parts.items()}
    if not any(map(len, lost.values())):
        return parts, None
    labelled = {name: taken(part, np.flatnonzero(part.labels != UNLABELLED)) for name, part in parts.items()}
    rests = [taken(parts[name], rows) for name, rows in lost.items() if len(rows)]
    examples = [each.examples for each in rests]
    arrays = all(isinstance(each, np.ndarray) for each in examples)
    joined = np.concatenate(examples) if arrays else [one for each in examples for one in each]
    lengths = None if rests[0].lengths is None else np.concatenate([each.lengths for each in rests])
    labels = np.concatenate([each.labels for each in rests])
    return labelled, Labelled(joined, labels, rests[0].classes, lengths)


def _swapped(tokens_and_lengths: tuple[np.ndarray, np.ndarray], labels: np.ndarray) -> tuple:
    tokens, lengths = tokens_and_lengths
    return tokens, labels, lengths


def together(one: Int[np.ndarray, " n"], other: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Components of rows that share a number in either list."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    first, second = np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]
    offset = int(first.max()) + 1
    size = offset + int(second.max()) + 1
    edges = coo_matrix((np.ones(len(first)), (first, second + offset)), shape=(size, size))
    return connected_components(edges, directed=False)[1][first].astype(np.int32)
