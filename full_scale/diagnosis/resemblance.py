"""Held-out sequences that a training sequence nearly repeats, at the same positions or shifted."""

import numpy as np
from jaxtyping import Bool, Int

from full_scale.data.dataset import Dataset, Split
from full_scale.data.findings import Finding
from full_scale.data.vocabulary import BYTES

TRAIN_MOST, HELD_OUT_MOST, CELLS_MOST = 4_000, 500, 1_000_000
SHORTEST = 20
"""Tokens below which one changed token is no near repetition."""
DIFFERENT, VARIANCE, _NOISE = 0.05, 0.02, 1e-8
"""Share of tokens, and of the variance of values, in which near-equal sequences may differ; of shorter series."""
_STRETCH = 0.4
"""Share of a usual sequence that a shared stretch must cover."""
_WARN = 0.02
_BASES = {0, *(ord(base) + 1 for base in "ACGTNacgtn")}
"""Padding and the letters of DNA, as texts are coded."""
_BITS, _COUNTED, _LOOKED_AT = 40, 10, 512
BASE = 0x100000001B3


def near_equal(dataset: Dataset) -> list[Finding]:
    """How many held-out sequences nearly repeat a training sequence, or share a long stretch with one."""
    if dataset.inputs.pair or (dataset.length < SHORTEST and dataset.symbols is not None):
        return []
    most = min(TRAIN_MOST, max(500, CELLS_MOST // dataset.length))
    train, test = sampled(dataset.train, most), sampled(dataset.test, HELD_OUT_MOST)
    close = _nearest_close(train, test, dataset.symbols is not None)
    shared = stretches(train, test)
    counted = int((close | shared).sum())
    if counted < max(2, _WARN * len(test)):
        return []
    words = (
        f"{counted:,} of {len(test):,} test sequences (part of those held out) nearly repeat one of training, "
        f"or have a stretch of {100 * _STRETCH:.0f}% in common with one"
    )
    remedy = "say what belongs together (a subject, a recording, a document) by --group, a column or an array"
    return [Finding("near-equal-across-parts", "warn", words, remedy)]


def reverse_complements(dataset: Dataset) -> list[Finding]:
    """Held-out DNA of which training holds the other strand: A and T, C and G exchanged, read backwards."""
    if dataset.symbols != BYTES or not set(np.unique(dataset.train.tokens).tolist()) <= _BASES:
        return []
    other = np.arange(BYTES).astype(dataset.train.tokens.dtype)
    for one, base in zip("ACGTacgt", "TGCAtgca", strict=True):
        other[ord(one) + 1] = ord(base) + 1
    rows = lambda split: zip(split.tokens, split.full_lengths().tolist(), strict=True)
    known = {row[:length].tobytes() for row, length in rows(dataset.train)}
    count = sum(other[row[:length]][::-1].tobytes() in known for row, length in rows(dataset.test))
    if not count:
        return []
    words = f"{count:,} of {len(dataset.test):,} test sequences are the reverse complement of one of training"
    return [Finding("reverse-complements", "warn", words, "say what belongs together by --group")]


def sampled(split: Split, most: int) -> Split:
    """At most so many sequences, the same every time."""
    rows = np.sort(np.random.default_rng(0).permutation(len(split))[:most])
    return Split(split.tokens[rows], split.labels[rows], split.full_lengths()[rows])


def _nearest_close(train: Split, test: Split, symbols: bool) -> Bool[np.ndarray, " n"]:
    """Whether a training sequence differs in few tokens, or little of the row's variance."""
    rows = [split.tokens.reshape(len(split), -1) for split in (train, test)]
    close = np.zeros(len(test), bool)
    lengths, longest = [np.asarray(split.lengths) for split in (train, test)], rows[0].shape[1]
    if not symbols:
        rows = [row.astype(np.float64) for row in rows]
        share = VARIANCE if train.tokens.shape[1] >= SHORTEST else _NOISE
        norms = (rows[0] ** 2).sum(axis=1)
        own = rows[1] - rows[1].mean(axis=1, keepdims=True)
        spread = (own**2).sum(axis=1)
        distance = norms[:, None] - 2 * rows[0] @ rows[1].T + (rows[1] ** 2).sum(axis=1)
        return (spread > 0) & (distance.min(axis=0) <= share * spread)
    for at, row in enumerate(rows[1]):
        length = int(lengths[1][at])
        if length >= SHORTEST:
            near = np.abs(lengths[0] - length) <= DIFFERENT * length
            differ = (rows[0][near, :longest] != row).sum(axis=1)
            close[at] = bool((differ <= DIFFERENT * length).any())
    return close


def stretches(train: Split, test: Split) -> Bool[np.ndarray, " n"]:
    """Whether so much of a sequence stands, shifted or not, in one of training, and is no common phrase."""
    width = max(_chance_proof(train), int(_STRETCH * np.median(np.asarray(train.lengths))))
    if train.tokens.shape[1] < width:
        return np.zeros(len(test), bool)
    ours, _ = hashes(train, width)
    codes, counts = np.unique(ours, return_counts=True)
    theirs, row = hashes(test, width)
    at = np.searchsorted(codes, theirs).clip(max=len(codes) - 1) if len(codes) else np.zeros(len(theirs), int)
    shared = (codes[at] == theirs) & (counts[at] <= max(5, 0.01 * len(train))) if len(codes) else at < 0
    shared_rows = np.zeros(len(test), bool)
    shared_rows[row[shared]] = True
    return shared_rows


def _chance_proof(train: Split) -> int:
    """Tokens that hold 40 bits, 16 to 32: so many do not recur by chance, as phrases of few words do.

    Bits per token behind the two before it, H(three tokens) - H(two tokens) in training; behind one or none where
    the tokens before it are too varied to be counted (fewer than ten times each). Values: 16.
    """
    if train.tokens.dtype.kind == "f":
        return 16
    tokens, bits = train.tokens[:, :_LOOKED_AT].astype(np.int64), 0.0
    size = int(tokens.max()) + 1
    contexts = np.zeros_like(tokens)
    for order in range(3):
        real = np.arange(order, tokens.shape[1]) < np.asarray(train.lengths)[:, None]
        before = contexts[:, : tokens.shape[1] - order]
        if order and len(np.unique(before[real])) * _COUNTED > real.sum():
            break
        longer = before * size + tokens[:, order:]
        bits = _entropy(longer[real]) - _entropy(before[real])
        contexts = np.unique(longer, return_inverse=True)[1].reshape(longer.shape)
    return int(np.clip(_BITS / max(bits, 0.1), 16, 32))


def _entropy(codes: Int[np.ndarray, " n"]) -> float:
    """In bits, of the codes' frequencies."""
    shares = np.unique(codes, return_counts=True)[1] / max(len(codes), 1)
    return float(-(shares * np.log2(shares)).sum())


def hashes(split: Split, width: int) -> tuple[Int[np.ndarray, " window"], Int[np.ndarray, " window"]]:
    """A number for every stretch of `width` tokens that is not monotonous, and its row.

    h(stretch from s) = B^-s sum_{i=s}^{s+width-1} B^i token_i mod 2^64;
    stretches in which tokens change less often than at every second step are left out.
    """
    tokens = split.tokens.reshape(*split.tokens.shape[:2], -1)
    if tokens.dtype.kind == "f":
        tokens = np.round(tokens.astype(np.float64), 4) * 10_000
    numbers = (tokens.astype(np.int64) * np.arange(1, tokens.shape[2] + 1)).sum(axis=2).astype(np.uint64)
    mixed = (numbers + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(31)
    windows = numbers.shape[1] - width + 1
    powers = np.array([pow(BASE, at, 2**64) for at in range(numbers.shape[1])], np.uint64)
    inverses = np.array([pow(BASE, -at, 2**64) for at in range(windows)], np.uint64)
    sums = np.cumsum(np.pad(mixed * powers, [(0, 0), (1, 0)]), axis=1, dtype=np.uint64)
    total = (sums[:, width:] - sums[:, :windows]) * inverses
    changes = np.cumsum(np.pad(numbers[:, 1:] != numbers[:, :-1], [(0, 0), (1, 0)]), axis=1)
    lively = changes[:, width - 1 :] - changes[:, :windows] >= width // 2
    whole = np.arange(windows) + width <= np.asarray(split.lengths)[:, None]
    row, at = np.nonzero(lively & whole)
    return total[row, at].view(np.int64), row.astype(np.int64)
