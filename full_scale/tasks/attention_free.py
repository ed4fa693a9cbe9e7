"""Attention-free baselines of a task: the test accuracies that a model has to beat.

All but the constant are logistic regressions on simple statistics, fitted to at most `TOKENS` tokens of the
training part and scored on at most as many of the test part, so that they take seconds.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.data.pixels import whole
from full_scale.data.splits import capped
from full_scale.tasks.pathfinder_discs import disc_distance
from sims.tasks.baselines import counted, level_edges

Features: TypeAlias = np.ndarray | csr_matrix
Labels: TypeAlias = Int[np.ndarray, " n"]
Edges: TypeAlias = np.ndarray | None
Statistic: TypeAlias = Callable[[Split, Inputs, Edges], Features]
TOKENS = 4_000_000
FEWEST = 1000  # sequences, however long they are
POSITIONS = 1024  # of values that a linear map reads; longer sequences are averaged over stretches
FIRST = 256  # symbols at the start that a linear map reads
RARE = 5  # a statistic of fewer training sequences than this is left out
INVERSE_RIDGE = 0.1  # of standardised features


def attention_free_accuracies(dataset: Dataset) -> dict[str, float]:
    """Test accuracy of a constant, the bag of tokens, a linear map, pairs of neighbours, and the task's own.

    `length` reads only how long a sequence is; `root_operator` (ListOps) the first symbol; `disc_distance`
    (Pathfinder) how far apart the discs are; `sum` (patch-association) the sum over positions.
    """
    small = capped(dataset, (most := sequences(dataset)), most, 0)
    guesses = predictions(dataset, small.test)
    known = {name: float((guess == small.test.labels).mean()) for name, guess in guesses.items()}
    return known | {"constant": dataset.chance}


def sequences(dataset: Dataset) -> int:
    """How many sequences are read of a part, at most."""
    return max(FEWEST, TOKENS // (dataset.length * (2 if dataset.inputs.pair else 1)))


def predictions(dataset: Dataset, held_out: Split) -> dict[str, Int[np.ndarray, " asked"]]:
    """The labels that a constant and every baseline give to these sequences, fitted to the training part."""
    small = capped(dataset, sequences(dataset), 0, 0)
    statistics: dict[str, Statistic] = {"bag_of_tokens": bags, "linear": positions, "pairs": pairs}
    if dataset.inputs.pair:
        del statistics["linear"]
    if small.train.lengths is not None:
        statistics["length"] = lengths
    statistics |= SPECIAL.get(dataset.name, {})
    values = small.train.tokens.reshape(len(small.train), -1)
    edges = None if dataset.symbols else level_edges(values)
    constant = np.full(len(held_out), np.bincount(small.train.labels).argmax())
    guesses = {"constant": constant}
    for name, of in statistics.items():
        features = (of(part, small.inputs, edges) for part in (small.train, held_out))
        guess = fitted(*features, small.train.labels)
        guesses[name] = constant if guess is None else guess
    return guesses


def fitted(train: Features, held_out: Features, labels: Labels) -> Int[np.ndarray, " asked"] | None:
    """Labels by logistic regression on standardised features; None where no feature is frequent enough."""
    frequent = np.asarray((train != 0).sum(axis=0)).ravel() >= min(RARE, train.shape[0])
    if not frequent.any():
        return None
    scaler = StandardScaler(with_mean=not isinstance(train, csr_matrix))
    model = make_pipeline(scaler, LogisticRegression(C=INVERSE_RIDGE, max_iter=200, tol=1e-3))
    with threadpool_limits(1):  # many threads on a small problem wait for each other
        model.fit(train[:, frequent], labels)
        return model.predict(held_out[:, frequent])


def bags(split: Split, inputs: Inputs, edges: Edges) -> Features:
    """Counts of symbols, or quantiles of values: what a bag of tokens tells."""
    if inputs.symbols is None:
        return quantiles(split)
    return _of_each(split, lambda tokens, here: counts(tokens, here, inputs.symbols))


def pairs(split: Split, inputs: Inputs, edges: Edges) -> Features:
    """How often each symbol (values: each of eight levels) follows each."""
    size = inputs.symbols or np.size(edges) + 1

    def followed(tokens: np.ndarray, here: np.ndarray) -> csr_matrix:
        codes = np.searchsorted(edges, tokens) if edges is not None else tokens.astype(np.int64)
        return counts(size * codes[:, :-1] + codes[:, 1:], here[:, 1:], size**2)

    return _of_each(split, followed)


def positions(split: Split, inputs: Inputs, edges: Edges) -> Features:
    """Every position by itself: its value, or an indicator per symbol (the first positions only)."""
    if inputs.symbols is None:
        values = split.tokens.reshape(len(split), -1).astype(np.float32)
        return stretches(values)
    tokens, here = split.tokens[:, :FIRST].astype(np.int64), present(split)[:, :FIRST]
    size, read = inputs.symbols, tokens.shape[1]
    return counts(tokens + size * np.arange(read)[None, :], here, size * read)


def lengths(split: Split, inputs: Inputs, edges: Edges) -> Features:
    """Lengths and their logarithms."""
    known = split.full_lengths().reshape(len(split), -1).astype(np.float64)
    return np.concatenate([known, np.log1p(known)], axis=1)


def _first_symbol(split: Split, inputs: Inputs, edges: Edges) -> Features:
    """An indicator of the first symbol."""
    return counted(split.tokens[:, :1].astype(np.int64), inputs.symbols)


def total(split: Split, inputs: Inputs, edges: Edges) -> Features:
    """The sum over positions."""
    return split.tokens.sum(axis=1, dtype=np.float64)[:, None]


def distances(split: Split, inputs: Inputs, edges: Edges) -> Features:
    """Distance of the two discs, and its square."""
    images = whole(split.tokens, inputs.grid or (1, inputs.length))
    if inputs.levels is None:
        images = np.clip(np.rint(127.5 * (1 + images)), 0, 255).astype(np.uint8)
    far = disc_distance(images)
    return np.stack([far, far**2], axis=1)


SPECIAL: dict[str, dict[str, Statistic]] = {
    "listops": {"root_operator": _first_symbol},
    "pathfinder": {"disc_distance": distances},
    "patch-association": {"sum": total},
}


def present(split: Split) -> Bool[np.ndarray, "*n length"]:
    """Which positions are no padding."""
    known = split.full_lengths()
    return np.arange(split.tokens.shape[known.ndim]) < known[..., None]


def _of_each(split: Split, statistic: Callable[[np.ndarray, np.ndarray], csr_matrix]) -> Features:
    """The statistic of each channel; of a pair: that of each sequence, and how their shares differ."""
    here, tokens = present(split), split.tokens
    if here.ndim == 2:
        channels = [tokens] if tokens.ndim == 2 else np.moveaxis(tokens, 2, 0)
        return hstack([statistic(channel, here) for channel in channels], format="csr")
    first, second = (shares(statistic(tokens[:, side], here[:, side])) for side in range(2))
    return hstack([first, second, abs(first - second)], format="csr")


def shares(features: csr_matrix) -> csr_matrix:
    """Rows that sum to 1."""
    return csr_matrix(diags(1 / np.maximum(np.asarray(features.sum(axis=1)).ravel(), 1)) @ features)


def counts(codes: np.ndarray, here: np.ndarray, size: int) -> csr_matrix:
    """How often each code occurs in each row, padding apart."""
    rows, _ = np.nonzero(here)
    return csr_matrix((np.ones(len(rows)), (rows, codes[here])), shape=(len(codes), size))


def quantiles(split: Split) -> Float[np.ndarray, "n quantile"]:
    """Values in order, at most 64 of them evenly spaced, of each channel."""
    values = split.tokens.astype(np.float64).reshape(len(split), split.tokens.shape[1], -1)
    known = np.where(present(split)[..., None], values, np.nan)
    levels = np.linspace(0, 1, min(64, values.shape[1]))
    sampled = (
        np.nanquantile(known, levels, axis=1)
        if split.lengths is not None
        else np.quantile(values, levels, axis=1)
    )
    return np.moveaxis(sampled, 0, 1).reshape(len(split), -1)


def stretches(values: Float[np.ndarray, "n length"]) -> Float[np.ndarray, "n stretch"]:
    """Means over stretches of equal length, at most `POSITIONS` of them."""
    width = -(-values.shape[1] // POSITIONS)
    whole = values[:, : values.shape[1] // width * width]
    return whole.reshape(len(values), -1, width).mean(axis=2)
