"""Rows to parts: by class share, in the order of the file, or at most so many; parts taken together."""

import dataclasses

import numpy as np
from jaxtyping import Int

from full_scale.data.dataset import PARTS, Dataset, Part, Split
from full_scale.data.labelled import Labelled
from sims.runs.store import UserError

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


def by_unit_share(
    labels: Int[np.ndarray, " n"],
    units: Int[np.ndarray, " n"],
    validation: int,
    test: int,
    split_seed: int,
    name: str,
) -> Rows:
    """As `by_class_share`, but rows of one unit (a group, or equal rows) stay in one part.

    Of every class, units in a random order go to test until it has its share, then to validation; one unit at
    least where a class has three or more. A unit counts for the class of most of its rows; where a part is left
    empty so, units are drawn whatever their class.
    """
    distinct, unit = np.unique(units, return_inverse=True)
    requested = {"train": 1, "validation": validation, "test": test}
    needed = sum(count > 0 for count in requested.values())
    if len(distinct) < needed:
        raise UserError(
            f"{name}: expected at least {needed} different sequences or groups, as equal ones stay in one part: "
            f"got {len(distinct)} among {len(labels)}; check how x was stored"
        )
    counts = test, validation
    part_of = _unit_parts(labels, unit, counts, np.random.default_rng(split_seed))
    if any(count and not (part_of == code).any() for code, count in zip((2, 1), counts, strict=True)):
        part_of = _unit_parts(np.zeros_like(labels), unit, counts, np.random.default_rng(split_seed))
    rows: Rows = {part: np.flatnonzero(part_of[unit] == at) for at, part in enumerate(PARTS)}
    require_sizes({part: rows[part] for part in PARTS if requested[part]}, name)
    return rows


def _unit_parts(
    labels: Int[np.ndarray, " n"],
    unit: Int[np.ndarray, " n"],
    counts: tuple[int, int],
    generator: np.random.Generator,
) -> Int[np.ndarray, " unit"]:
    """The part of every unit: 0 train, 1 validation, 2 test; `counts` are the rows of test and validation."""
    held = np.zeros((int(unit.max()) + 1, int(labels.max()) + 1), np.int64)
    np.add.at(held, (unit, labels), 1)
    sizes, major = held.sum(axis=1), held.argmax(axis=1)
    part_of = np.zeros(len(sizes), np.int64)
    for label in np.unique(major):
        own = generator.permutation(np.flatnonzero(major == label))
        share, enough = sizes[own].sum() / len(labels), len(own) >= 3
        for code, requested in zip((2, 1), counts, strict=True):
            middle = np.cumsum(sizes[own]) - sizes[own] / 2
            some = max(int((middle <= requested * share).sum()), int(enough and requested > 0))
            part_of[own[:some]], own = code, own[some:]
    return part_of


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
    if dataset.unlabelled is not None and train is not None and train < len(dataset.unlabelled):
        drawn = np.random.default_rng((split_seed, len(PARTS))).permutation(len(dataset.unlabelled))
        parts["unlabelled"] = selected(dataset.unlabelled, np.sort(drawn[:train]))
    return dataclasses.replace(dataset, **parts) if parts else dataset


def held_out(dataset: Dataset) -> Split:
    """Validation and test together, in this order."""
    return _together(dataset.validation, dataset.test)


def for_pretraining(dataset: Dataset) -> Split:
    """What pretraining reads: the training part, and behind it what has no label."""
    return dataset.train if dataset.unlabelled is None else _together(dataset.train, dataset.unlabelled)


def with_fewer_labels(dataset: Dataset, share: float) -> Dataset:
    """So much of every class keeps its label, one sequence at least; smaller shares lie within larger ones."""
    labels = dataset.train.labels
    order = np.random.default_rng(0).permutation(len(labels))
    ranks = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        own = order[labels[order] == label]
        ranks[own] = np.arange(len(own))
    keeps = ranks < np.maximum(1, np.round(share * np.bincount(labels)[labels]))
    if keeps.all():
        return dataset
    rest = selected(dataset.train, np.flatnonzero(~keeps))
    unlabelled = rest if dataset.unlabelled is None else _together(rest, dataset.unlabelled)
    return dataclasses.replace(
        dataset, train=selected(dataset.train, np.flatnonzero(keeps)), unlabelled=unlabelled
    )


def _together(*parts: Split) -> Split:
    """Parts one after another."""
    full = all(part.lengths is None for part in parts)
    lengths = None if full else np.concatenate([part.full_lengths() for part in parts])
    together = (np.concatenate([getattr(part, name) for part in parts]) for name in ("tokens", "labels"))
    return Split(*together, lengths)


def selected(split: Split, rows: Int[np.ndarray, " row"]) -> Split:
    """Some rows of a split."""
    lengths = None if split.lengths is None else split.lengths[rows]
    return Split(split.tokens[rows], split.labels[rows], lengths)


def taken(part: Labelled, rows: np.ndarray) -> Labelled:
    """Some examples of a part."""
    examples = part.examples
    some = examples[rows] if isinstance(examples, np.ndarray) else [examples[row] for row in rows]
    lengths = None if part.lengths is None else part.lengths[rows]
    groups = None if part.groups is None else part.groups[rows]
    return Labelled(some, part.labels[rows], part.classes, lengths, 0, groups, part.findings)
