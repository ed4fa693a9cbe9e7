"""Hidden tokens filled in without a Transformer: by frequencies, and by linear maps of the tokens around them.

Symbols and levels: multinomial logistic regression, in nats; values: ridge regression, as the phase judges them.
"""

import dataclasses
import warnings
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

Judge = Literal["ce", "l1", "l2"]
WINDOWS = {"neighbours": 1, "linear": 4}
"""Tokens on each side that a baseline reads; before alone where the next token is foretold."""
_FITTED = 6_000  # hidden positions that a baseline is fitted to
_SHARE_OF_FREQUENCIES = 0.01  # of every forecast, so that none is certain
_ITERATIONS = 60


@dataclasses.dataclass(frozen=True)
class Hidden:
    """Sequences of one part and what is hidden of them; one channel where tokens are symbols."""

    tokens: Int[np.ndarray, "n length"] | Float[np.ndarray, "n length channel"]
    """Symbols, or standardised values."""
    real: Bool[np.ndarray, "n length"]
    """Which positions are no padding."""
    hidden: Bool[np.ndarray, "n length channel"]
    visible: Bool[np.ndarray, "n length channel"]
    """What a baseline may read."""
    classes: Int[np.ndarray, "n length"] | None
    """What is to be named where forecasts are of symbols or levels."""
    size: int = 0
    """How many symbols or levels there are."""


def baseline_losses(
    train: Hidden, held: Hidden, judge: Judge, causal: bool
) -> dict[str, Float[np.ndarray, " n"]]:
    """Mean loss of every held-out sequence's hidden tokens, by baseline; NaN where a sequence has none."""
    sites, asked = _sites(train, _FITTED), _sites(held, None)
    losses = {"frequencies": _of_constant(train, held, sites, asked, judge)}
    for name, width in WINDOWS.items():
        offsets = [each for each in range(-width, width + 1) if each < 0 or not causal]
        features = _features(train, sites, offsets), _features(held, asked, offsets)
        losses[name] = _of_linear_map(train, held, sites, asked, judge, features)
    return {name: by_sequence(each, held.hidden, asked) for name, each in losses.items()}


Sites = tuple[np.ndarray, np.ndarray]


def _sites(part: Hidden, most: int | None) -> Sites:
    """(sequence, position) of hidden tokens, all or so many at random."""
    rows, positions = np.nonzero(part.hidden.any(axis=2))
    if most is not None and len(rows) > most:
        chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[:most])
        rows, positions = rows[chosen], positions[chosen]
    return rows, positions


def by_sequence(
    losses: Float[np.ndarray, "site channel"], hidden: Bool[np.ndarray, "n length channel"], sites: Sites
) -> Float[np.ndarray, " n"]:
    """Each sequence's mean over what is hidden of it; NaN without any."""
    weights = hidden[sites].astype(float)
    total = np.bincount(sites[0], (losses * weights).sum(axis=1), len(hidden))
    count = np.bincount(sites[0], weights.sum(axis=1), len(hidden))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _of_constant(
    train: Hidden, held: Hidden, sites: Sites, asked: Sites, judge: Judge
) -> Float[np.ndarray, "site channel"]:
    """The loss of frequencies, or of the mean or median."""
    if train.classes is not None and held.classes is not None:
        return -np.log(_frequencies(train))[held.classes[asked]][:, None]
    centre = (np.median if judge == "l1" else np.mean)(train.tokens[sites], axis=0)
    return _judged(held.tokens[asked] - centre, judge)


def _frequencies(train: Hidden) -> Float[np.ndarray, " class"]:
    """(n_b + 1) / (n + S) over the training part's tokens."""
    assert train.classes is not None
    counts = np.bincount(train.classes[train.real], minlength=train.size) + 1
    return counts / counts.sum()


def _judged(difference: Float[np.ndarray, "site channel"], judge: Judge) -> Float[np.ndarray, "site channel"]:
    """|.| or half the square."""
    return np.abs(difference) if judge == "l1" else 0.5 * difference**2


def _of_linear_map(
    train: Hidden, held: Hidden, sites: Sites, asked: Sites, judge: Judge, features: tuple
) -> Float[np.ndarray, "site channel"]:
    """The loss of a linear map of the features."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fit that stops early is a weaker baseline
        if train.classes is None or held.classes is None:
            made = Ridge().fit(features[0], train.tokens[sites])
            forecast = made.predict(features[1]).reshape(len(asked[0]), -1)
            return _judged(held.tokens[asked] - forecast, judge)
        frequencies, targets = _frequencies(train), train.classes[sites]
        if len(np.unique(targets)) < 2:
            return _of_constant(train, held, sites, asked, judge)
        fitted = LogisticRegression(max_iter=_ITERATIONS, tol=1e-3).fit(features[0], targets)
        shares = np.tile(_SHARE_OF_FREQUENCIES * frequencies, (len(asked[0]), 1))
        shares[:, fitted.classes_] += (1 - _SHARE_OF_FREQUENCIES) * fitted.predict_proba(features[1])
    return -np.log(np.take_along_axis(shares, held.classes[asked][:, None], axis=1))


def _features(part: Hidden, sites: Sites, offsets: list[int]) -> np.ndarray | csr_matrix:
    """What is visible around the hidden tokens: symbols one by one, values with a flag each."""
    width, (rows, positions) = max(map(abs, offsets)), sites
    if part.tokens.ndim == 2 and part.classes is not None:
        hidden, outside = part.size, part.size + 1
        coded = np.where(part.real, np.where(part.visible[..., 0], part.tokens, hidden), outside)
        padded = np.pad(coded, ((0, 0), (width, width)), constant_values=outside)
        columns = [padded[rows, positions + width + each] for each in offsets if each]
        return _one_hot(np.stack(columns, axis=1), part.size + 2)
    values = np.where(part.visible, part.tokens, 0.0)
    both = np.concatenate([values, part.visible], axis=2)
    padded = np.pad(both, ((0, 0), (width, width), (0, 0)))
    return np.concatenate([padded[rows, positions + width + each] for each in offsets], axis=1)


def _one_hot(codes: Int[np.ndarray, "site offset"], size: int) -> csr_matrix:
    """A column for every pair of offset and code."""
    count, offsets = codes.shape
    columns = (codes + size * np.arange(offsets)).ravel()
    ends = np.arange(0, codes.size + 1, offsets)
    return csr_matrix((np.ones(codes.size), columns, ends), (count, size * offsets))
