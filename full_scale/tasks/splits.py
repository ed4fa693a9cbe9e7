"""Rows to parts: by class share, in the order of the file, or at most so many."""

import dataclasses

import numpy as np
from jaxtyping import Int

from full_scale.dataset import PARTS, Dataset, Part, Split
from full_scale.readers.labelled import Labelled
from sims.store import UserError

Rows = dict[Part, Int[np.ndarray, " row"]]
FEWEST = 2  # sequences in a part: fewer tell nothing


def by_class_share(
    labels: Int[np.ndarray, " n"], validation: int, test: int, split_seed: int, name: str
) -> Rows:
    """Random rows to parts of these sizes, each class with about the same share in all of them.

    Each class in a random order gets the ranks (r + 1/2) / n_class; the rows with the lowest go to test.
    A part of size 0 comes from elsewhere.
    """
    generator = np.random.default_rng(split_seed)
    shuffled = generator.permutation(len(labels))
    counts = np.bincount(labels)
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    ranks = np.concatenate([(np.arange(count) + 0.5) / count for count in counts if count])
    ranked = order[np.lexsort((generator.random(len(order)), ranks))]
    rows: Rows = {
        "train": np.sort(ranked[validation + test :]),
        "validation": np.sort(ranked[test : validation + test]),
        "test": np.sort(ranked[:test]),
    }
    require_sizes(rows if test else {part: rows[part] for part in PARTS[:2]}, name)
    return rows


def in_order(count: int, validation: int, test: int, name: str) -> Rows:
    """The first rows to train, the next to validation, the last to test."""
    train = count - validation - test
    rows: Rows = {
        "train": np.arange(max(train, 0)),
        "validation": np.arange(max(train, 0), count - test),
        "test": np.arange(count - test, count),
    }
    require_sizes(rows, name)
    return rows


def require_sizes(rows: Rows, name: str) -> None:
    """Raise UserError unless every part has some sequences."""
    for part in rows:
        if len(rows[part]) < FEWEST:
            sizes = ", ".join(f"{len(rows[each])} {each}" for each in rows)
            raise UserError(
                f"{name}: expected at least {FEWEST} sequences in every part: got {sizes}; give more data"
            )


def capped(dataset: Dataset, train: int | None, held_out: int | None, split_seed: int) -> Dataset:
    """At most so many random sequences of the training part and of each other part.

    Smaller selections lie within larger ones.
    """
    limits: dict[Part, int | None] = {"train": train, "validation": held_out, "test": held_out}
    parts: dict[str, Split] = {}
    for part in PARTS:
        split, most = getattr(dataset, part), limits[part]
        if most is not None and most < len(split):
            drawn = np.random.default_rng((split_seed, PARTS.index(part))).permutation(len(split))
            parts[part] = selected(split, np.sort(drawn[:most]))
    return dataclasses.replace(dataset, **parts) if parts else dataset


def selected(split: Split, rows: Int[np.ndarray, " row"]) -> Split:
    """Some rows of a split."""
    lengths = None if split.lengths is None else split.lengths[rows]
    return Split(split.tokens[rows], split.labels[rows], lengths)


def taken(part: Labelled, rows: np.ndarray) -> Labelled:
    """Some examples of a part."""
    examples = part.examples
    some = examples[rows] if isinstance(examples, np.ndarray) else [examples[row] for row in rows]
    lengths = None if part.lengths is None else part.lengths[rows]
    return Labelled(some, part.labels[rows], part.classes, lengths)
