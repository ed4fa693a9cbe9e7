"""Is there anything for reconstruction to learn beyond how frequent tokens are? Exact counts, no training."""

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from full_scale.data.dataset import Dataset, Split
from full_scale.data.splits import capped
from full_scale.tasks.attention_free import present
from sims.statistics.intervals import Interval
from sims.tasks.baselines import level_edges

LEVEL = 0.95
_SEQUENCES = 2_000  # of the training part that are counted
_BACKING = 5.0  # occurrences that the frequencies of single tokens count for beside those of a pair


def nats_saved(dataset: Dataset) -> Interval:
    """Held-out nats per token that knowing the token before saves over frequencies, mean over sequences.

    p(b) = (n_b + 1) / (n + S); p(b | a) = (n_ab + c p(b)) / (n_a + c), counted on training sequences; values
    count as the levels of their quantiles. At most 0 where neighbours are independent.
    """
    small = capped(dataset, _SEQUENCES, _SEQUENCES, 0)
    edges = None if dataset.symbols else level_edges(small.train.tokens.reshape(len(small.train), -1))
    size = dataset.symbols or np.size(edges) + 1
    saved = [
        _saved(_coded(small.train, channel, edges), _coded(small.test, channel, edges), size)
        for channel in range(1 if dataset.symbols or dataset.inputs.levels else dataset.inputs.channels)
    ]
    each = np.mean(saved, axis=0)
    half = stats.norm.ppf((1 + LEVEL) / 2) * each.std() / np.sqrt(len(each))
    return Interval(float(each.mean()), each.mean() - half, each.mean() + half, LEVEL, len(each), "over rows")


def _coded(split: Split, channel: int, edges: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Tokens as numbers, and which of them are no padding."""
    tokens = split.tokens if split.tokens.ndim == 2 else split.tokens[..., channel]
    codes = tokens.astype(np.int64) if edges is None else np.searchsorted(edges, tokens)
    return codes, present(split)


def _saved(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], size: int
) -> Float[np.ndarray, " row"]:
    """log p(b | a) - log p(b), mean over the pairs of every held-out sequence."""
    (tokens, here), (asked, there) = train, test
    single = np.bincount(tokens[here], minlength=size)
    frequency = (single + 1) / (single.sum() + size)
    both = here[:, 1:]
    first, second = tokens[:, :-1][both], tokens[:, 1:][both]
    pairs, counts = np.unique(first * size + second, return_counts=True)
    before = np.bincount(first, minlength=size)
    codes = asked[:, :-1] * size + asked[:, 1:]
    occurrences = _looked_up(codes, pairs, counts)
    conditional = (occurrences + _BACKING * frequency[asked[:, 1:]]) / (before[asked[:, :-1]] + _BACKING)
    saved = np.where(there[:, 1:], np.log(conditional / frequency[asked[:, 1:]]), 0.0)
    return saved.sum(axis=1) / np.maximum(there[:, 1:].sum(axis=1), 1)


def _looked_up(
    codes: Int[np.ndarray, "row place"], known: Int[np.ndarray, " pair"], counts: Int[np.ndarray, " pair"]
) -> Int[np.ndarray, "row place"]:
    """How often each code was counted."""
    if not len(known):
        return np.zeros_like(codes)
    at = np.searchsorted(known, codes).clip(max=len(known) - 1)
    return np.where(known[at] == codes, counts[at], 0)
