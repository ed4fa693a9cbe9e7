"""Equal sequences: which they are, how many, and whether rows stand in an order that tells the label."""

import hashlib

import numpy as np
from jaxtyping import Int

from full_scale.data.findings import Finding
from full_scale.data.labelled import Labelled

_MANY = 0.05
"""Share of equal sequences across parts from which accuracies mean nothing."""
FEWEST_ORDERED = 20


def keys(part: Labelled) -> list[bytes]:
    """A hash of each sequence, padding apart."""
    hashes = []
    for row, example in enumerate(part.examples):
        if isinstance(example, np.ndarray):
            example = example if part.lengths is None else example[: int(part.lengths[row])]
            data = np.ascontiguousarray(example).tobytes()
        else:
            data = repr(example).encode("utf-8", "surrogatepass")
        hashes.append(hashlib.blake2b(data, digest_size=16).digest())
    return hashes


def codes(part: Labelled) -> Int[np.ndarray, " n"]:
    """Numbers that are equal where sequences are."""
    number: dict[bytes, int] = {}
    return np.array([number.setdefault(key, len(number)) for key in keys(part)], np.int32)


def equal_within(part: Labelled, equal: Int[np.ndarray, " n"]) -> tuple[Finding, ...]:
    """Equal sequences of one pool, and those among them with different labels."""
    repeats = len(equal) - len(np.unique(equal))
    if not repeats:
        return ()
    words = f"{repeats:,} of {len(equal):,} sequences repeat another one: equal ones were put into one part"
    findings = [Finding("equal-sequences", "pass" if repeats < _MANY * len(equal) else "warn", words,
                     "remove repetitions that say nothing new")]  # fmt: skip
    order = np.lexsort((part.labels, equal))
    same = equal[order][1:] == equal[order][:-1]
    clashes = np.unique(equal[order][1:][same & (part.labels[order][1:] != part.labels[order][:-1])])
    if len(clashes):
        rows = int(np.isin(equal, clashes).sum())
        words = f"{rows:,} of {len(equal):,} sequences have a twin with another label"
        findings.append(
            Finding("labels-disagree", "warn", words, "see whether sequences or labels were cut or mixed up")
        )
    return tuple(findings)


def equal_across(parts: dict[str, Labelled]) -> tuple[Finding, ...]:
    """Sequences, and groups, of the given held-out parts that the given training part holds too."""
    repeats: list[Finding] = []
    train = set(keys(parts["train"]))
    for name, part in parts.items():
        if name == "train":
            continue
        leaked = sum(key in train for key in keys(part))
        if leaked:
            words = f"{leaked:,} of the {len(part):,} {name} sequences are in the training part too"
            status = "fail" if leaked >= _MANY * len(part) else "warn"
            repeats.append(
                Finding("equal-across-parts", status, words, "remove them from one of the two parts")
            )
        if part.groups is not None and parts["train"].groups is not None:
            shared = np.intersect1d(part.groups, parts["train"].groups)
            if len(shared):
                words = f"{len(shared):,} groups of {name} are in the training part too"
                remedy = "put every group into one part, or store one x and y to have that done"
                repeats.append(Finding("groups-across-parts", "fail", words, remedy))
    return tuple(repeats)


def rows_in_order(pool: Labelled) -> tuple[Finding, ...]:
    """Rows sorted by class, and neighbouring rows that resemble each other as windows of a recording do."""
    runs: list[Finding] = []
    labels, count = pool.labels, len(pool.labels)
    if count >= FEWEST_ORDERED:
        shares = np.bincount(labels) / count
        changes, expected = int((np.diff(labels) != 0).sum()), (count - 1) * (1 - float((shares**2).sum()))
        if changes < 0.2 * expected:
            words = (
                f"rows are sorted by label ({changes:,} changes where {expected:,.0f} are expected by chance)"
            )
            runs.append(Finding("row-order", "pass", words + ": parts were drawn at random"))
    if count >= FEWEST_ORDERED and pool.groups is None and isinstance(pool.examples, np.ndarray):
        ratio = _neighbour_distance(pool.examples.reshape(count, -1), labels)
        if ratio is not None and ratio < 0.5:
            times = f"{1 / ratio:.1f} times as close as" if ratio > 0.01 else "equal, unlike"
            words = f"neighbouring rows of one class are {times} others of it"
            remedy = "if they are windows of one recording, say which by --group, a column or an array"
            runs.append(Finding("neighbouring-rows", "warn", words, remedy))
    return tuple(runs)


def _neighbour_distance(rows: np.ndarray, labels: Int[np.ndarray, " n"]) -> float | None:
    """Median distance of neighbouring rows of one class over that of random rows of one class."""
    at = np.flatnonzero(labels[1:] == labels[:-1])[:1_000]
    generator = np.random.default_rng(0)
    order = np.concatenate(
        [generator.permutation(np.flatnonzero(labels == name)) for name in np.unique(labels)]
    )
    apart = order[1:], order[:-1]
    keep = np.flatnonzero((labels[apart[0]] == labels[apart[1]]) & (np.abs(apart[0] - apart[1]) > 1))[:1_000]
    if len(at) < FEWEST_ORDERED or len(keep) < FEWEST_ORDERED:
        return None
    kind = rows.dtype.kind
    gap = (lambda a, b: (a != b).mean(axis=1)) if kind in "iu" else (lambda a, b: ((a - b) ** 2).mean(axis=1))
    near, far = (
        np.median(gap(rows[at], rows[at + 1])),
        np.median(gap(rows[apart[0][keep]], rows[apart[1][keep]])),
    )
    return float(near / far) if far > 0 else None
