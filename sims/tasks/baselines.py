"""What models without attention reach on a task, on held-out sequences.

`bag` sees how often each symbol occurs, `linear` sees each position by itself, `pairs` sees how often each
symbol follows each. All three are logistic regressions; numbers are cut into symbols at quantiles of the
training tokens. A fit to labels without a signal is not at chance but near it, on either side, so that every
accuracy is a mean over independent fits.
"""

import functools

import jax
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray, Shaped
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sims.runs.config_validation import at_least
from sims.statistics.intervals import Interval, mean_interval, proportion_interval
from sims.tasks.task import Task

BASELINES = ("bag", "linear", "pairs")
"""Models without attention, from the one that sees least."""
LEVELS = 8  # symbols that numbers are cut into
INVERSE_RIDGE = 0.1  # of standardised features


def baselines(
    task: Task, key: PRNGKeyArray, *, train: int = 2000, held_out: int = 2000, fits: int = 5
) -> dict[str, Interval]:
    """Held-out accuracy of each baseline: mean and 95% interval over independent fits.

    Raises UserError when there are fewer than 100 sequences to train on or to hold out, or one fit only.
    """
    at_least(100, train=train, held_out=held_out)
    at_least(2, fits=fits)
    train_key, test_key = jax.random.split(key)
    training = drawn(task, fits, train, key=train_key)
    new = drawn(task.held_out(), fits, held_out, key=test_key)
    coded = [_coded_alike(task.symbols, one, other) for one, other in zip(training[0], new[0], strict=True)]
    return {
        name: accuracy([
            hits(features(codes, size), labels, features(others, size), answers)
            for (size, codes, others), labels, answers in zip(coded, training[1], new[1], strict=True)
        ])
        for name, features in (("bag", bags), ("linear", positions), ("pairs", pairs))
    }  # fmt: skip


def drawn(task: Task, fits: int, number: int, *, key: PRNGKeyArray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (fits, number, length) and labels (fits, number)."""
    tokens, labels = sampled(task, fits * number, key)
    return np.asarray(tokens).reshape(fits, number, -1), np.asarray(labels).reshape(fits, number)


@functools.partial(jax.jit, static_argnums=(0, 1))
def sampled(task: Task, number: int, key: PRNGKeyArray) -> tuple[Array, Array]:
    """`task.sample`, compiled once for training and held-out data that are drawn alike."""
    return task.sample(key, number)


def _coded_alike(
    symbols: int | None,
    training: Shaped[np.ndarray, "number length"],
    new: Shaped[np.ndarray, "other length"],
) -> tuple[int, Int[np.ndarray, "number length"], Int[np.ndarray, "other length"]]:
    """Size of the alphabet, and both samples as symbols 0, 1, ...; levels are those of the first."""
    if symbols:
        return symbols, training, new
    edges = level_edges(training)
    return len(edges) + 1, np.searchsorted(edges, training), np.searchsorted(edges, new)


def hits(
    features: csr_matrix,
    labels: Int[np.ndarray, " number"],
    others: csr_matrix,
    answers: Int[np.ndarray, " other"],
) -> Int[np.ndarray, " other"]:
    """1 where the logistic regression of labels on features is right on the other sequences."""
    scaler = StandardScaler(with_mean=False)
    model = make_pipeline(scaler, LogisticRegression(C=INVERSE_RIDGE, max_iter=500))
    with threadpool_limits(1):
        return (model.fit(features, labels).predict(others) == answers).astype(int)


def accuracy(right: list[Int[np.ndarray, " other"]]) -> Interval:
    """Student's t over the fits; where they all agree, Clopper-Pearson over all sequences."""
    shares = np.array([one.mean() for one in right])
    if np.ptp(shares) > 0:
        return mean_interval(shares)
    return proportion_interval(int(np.sum(right)), int(np.size(right)))


def level_edges(tokens: Shaped[np.ndarray, "number length"]) -> np.ndarray:
    """Where numbers are cut: between all values when they are few, else at quantiles."""
    values = np.unique(tokens)
    if len(values) <= LEVELS:
        return (values[1:] + values[:-1]) / 2
    return np.quantile(tokens, np.arange(1, LEVELS) / LEVELS)


def bags(codes: Int[np.ndarray, "number length"], size: int) -> csr_matrix:
    """How often each symbol occurs, and the square of it, per token: a bag's class may lie in its spread."""
    counts = counted(codes, size)
    return hstack([counts, counts.multiply(counts) / codes.shape[1]], format="csr")


def positions(codes: Int[np.ndarray, "number length"], size: int) -> csr_matrix:
    """Which symbol each position shows."""
    return counted(codes + size * np.arange(codes.shape[1])[None, :], size * codes.shape[1])


def pairs(codes: Int[np.ndarray, "number length"], size: int) -> csr_matrix:
    """How often each symbol follows each, in order; the ends are no neighbours."""
    return counted(size * codes[:, :-1] + codes[:, 1:], size**2)


def counted(codes: Int[np.ndarray, "number places"], size: int) -> csr_matrix:
    """How often each code 0..size-1 occurs in each row."""
    rows = np.repeat(np.arange(len(codes)), codes.shape[1])
    return csr_matrix((np.ones(codes.size), (rows, codes.ravel())), shape=(len(codes), size))
