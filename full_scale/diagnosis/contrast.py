"""Class contrast read off the data: how much neighbours' covariance differs between classes.   [C7, C25]"""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from full_scale.data.dataset import Inputs, Split
from sims.runs.typed import Stored

_COMPONENTS = 16  # indicators of symbols are seen through so many random projections


def token_vectors(split: Split, inputs: Inputs, rows: int) -> Float[np.ndarray, "n length d"]:
    """Values as they are, symbols through a fixed random projection; centred per position."""
    tokens = split.tokens[:rows]
    if inputs.symbols is None:
        values = tokens.reshape(*tokens.shape[:2], -1).astype(np.float64)[..., :_COMPONENTS]
    else:
        size = min(_COMPONENTS, inputs.symbols)
        table = np.random.default_rng(0).standard_normal((inputs.symbols, size))
        values = table[tokens]
    unpadded = np.arange(tokens.shape[1])[None, :, None] < split.full_lengths()[:rows, None, None]
    mean = (values * unpadded).sum(0) / np.maximum(unpadded.sum(0), 1)
    return np.where(unpadded, values - mean, 0)


@dataclasses.dataclass(frozen=True)
class LeadingContrast(Stored):
    """Of more than two classes: the first direction in which their neighbours differ, where labels leave first."""

    share: float
    """Of the squared contrast between classes; 1/(classes - 1) where no direction is preferred."""
    apart: tuple[int, int]
    """The classes that lie furthest apart along it."""


def kappa(
    vectors: Float[np.ndarray, "n length d"], labels: Int[np.ndarray, " n"], lag: int = 1
) -> float | None:
    """sqrt(E_y |m_y - m|^2) / |m|, m_y the mean of sum_i x_i x_{i+lag}^T in class y: 1 to 0 as classes agree.

    Of two balanced classes it is |m_1 - m_0| / |m_1 + m_0|; None where the pooled value is lost in noise.   [C7]
    """
    gram, pooled, _ = class_gram(vectors, labels, lag)
    return float(np.sqrt(max(np.trace(gram), 0.0) / pooled)) if pooled > 0 else None


def leading(
    vectors: Float[np.ndarray, "n length d"], labels: Int[np.ndarray, " n"], lag: int = 1
) -> LeadingContrast | None:
    """The largest eigenvalue of sum_y pi_y (m_y - m)(m_y - m)^T over its trace, and the classes at its ends.   [C25]

    None for two classes, of which one direction is all there is, and where less than half of the contrast that one
    half of the sequences shows is in the other, too.
    """
    gram, _, agreement = class_gram(vectors, labels, lag)
    if len(gram) < 3 or agreement < 1 / 2:
        return None
    sizes, ways = np.linalg.eigh(gram)
    shares = np.bincount(labels, minlength=len(gram)) / len(labels)
    along = np.divide(ways[:, -1], np.sqrt(shares), out=np.zeros(len(gram)), where=shares > 0)
    apart = int(along.argmin()), int(along.argmax())
    return LeadingContrast(float(sizes[-1] / np.maximum(sizes, 0).sum()), (min(apart), max(apart)))


def class_gram(
    vectors: Float[np.ndarray, "n length d"], labels: Int[np.ndarray, " n"], lag: int
) -> tuple[Float[np.ndarray, "classes classes"], float, float]:
    """sqrt(pi_a pi_b) <m_a - m, m_b - m> by class, and |m|^2: of two halves, so that noise adds nothing.   [C25]

    Last, what both halves agree on of the former: 1 without noise.
    """
    each = np.einsum("nia,nib->nab", vectors[:, :-lag], vectors[:, lag:]).reshape(len(vectors), -1)
    order = np.random.default_rng(0).permutation(len(each))  # labels may alternate
    halves, marks = np.array_split(each[order], 2), np.array_split(labels[order], 2)
    means = np.zeros((2, int(labels.max()) + 1, each.shape[1]))
    for label in np.unique(labels):
        if min((mark == label).sum() for mark in marks) < 2:
            continue
        weight = np.sqrt((labels == label).mean())
        for part, half, mark in zip(means, halves, marks, strict=True):
            part[label] = weight * (half[mark == label].mean(0) - half.mean(0))
    gram, own = means[0] @ means[1].T, np.linalg.norm(means, axis=(1, 2)).prod()
    agreement = float(np.trace(gram) / own) if own > 0 else 0.0
    return (gram + gram.T) / 2, float(halves[0].mean(0) @ halves[1].mean(0)), agreement
