"""C7's contrast read off the data: how much neighbours' covariance differs between classes."""

import numpy as np
from jaxtyping import Float, Int

from full_scale.dataset import Inputs, Split

COMPONENTS = 16  # indicators of symbols are seen through so many random projections


def token_vectors(split: Split, inputs: Inputs, rows: int) -> Float[np.ndarray, "n length d"]:
    """Values as they are, symbols through a fixed random projection; centred per position."""
    tokens = split.tokens[:rows]
    if inputs.symbols is None:
        values = tokens.reshape(*tokens.shape[:2], -1).astype(np.float64)[..., :COMPONENTS]
    else:
        size = min(COMPONENTS, inputs.symbols)
        table = np.random.default_rng(0).standard_normal((inputs.symbols, size))
        values = table[tokens]
    seen = np.arange(tokens.shape[1])[None, :, None] < split.full_lengths()[:rows, None, None]
    mean = (values * seen).sum(0) / np.maximum(seen.sum(0), 1)
    return np.where(seen, values - mean, 0)


def kappa(
    vectors: Float[np.ndarray, "n length d"], labels: Int[np.ndarray, " n"], lag: int = 1
) -> float | None:
    """sqrt(E_y |m_y - m|^2) / |m|, m_y the mean of sum_i x_i x_{i+lag}^T in class y: 1 to 0 as classes agree.

    Of two balanced classes it is |m_1 - m_0| / |m_1 + m_0|. Squares are products of two halves, so that
    noise adds nothing; None where the pooled value is lost in noise.   [C7]
    """
    each = np.einsum("nia,nib->nab", vectors[:, :-lag], vectors[:, lag:]).reshape(len(vectors), -1)
    order = np.random.default_rng(0).permutation(len(each))  # labels may alternate
    halves, marks = np.array_split(each[order], 2), np.array_split(labels[order], 2)
    pooled = halves[0].mean(0) @ halves[1].mean(0)
    between = 0.0
    for label in np.unique(labels):
        if min((mark == label).sum() for mark in marks) < 2:
            continue
        off = [half[mark == label].mean(0) - half.mean(0) for half, mark in zip(halves, marks, strict=True)]
        between += (labels == label).mean() * (off[0] @ off[1])
    return float(np.sqrt(max(between, 0.0) / pooled)) if pooled > 0 else None
