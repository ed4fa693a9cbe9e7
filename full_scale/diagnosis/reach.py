"""Score space as far as attention reaches: all keys, or the keys up to the query's own position (causal).

In it the gauge is a constant on each row's reach, and a key bias is one number per key on every row that
reaches it. What is orthogonal to both is called doubly centred, also where it is triangular.
Exact for every length.   [C1, C18]
"""

import functools

import numpy as np
from jaxtyping import Bool, Float

Stack = Float[np.ndarray, "*stack query key"]


def reach(length: int, causal: bool) -> Bool[np.ndarray, "query key"]:
    """Whether query i reads key j: always, or for j <= i."""
    every = np.ones((length, length), bool)
    return np.tril(every) if causal else every


def row_centred(matrices: Stack, causal: bool) -> Stack:
    """Each row less its mean over the keys that it reaches; 0 elsewhere."""
    seen = reach(matrices.shape[-1], causal)
    mean = (matrices * seen).sum(axis=-1, keepdims=True) / seen.sum(axis=1)[:, None]
    return np.where(seen, matrices - mean, 0)


def key_bias(columns: Float[np.ndarray, "*stack key"], causal: bool) -> Float[np.ndarray, "*stack key"]:
    """b = K^+ t of column sums t: the key bias nearest to a matrix whose rows sum to 0."""
    length = columns.shape[-1]
    if not causal:
        return (columns - columns.mean(axis=-1, keepdims=True)) / length
    return columns @ triangular_inverse(length)


@functools.cache
def triangular_inverse(length: int) -> Float[np.ndarray, "key key"]:
    """K^+ of the causal key biases' Gram matrix K_jk = sum_i (R_ij delta_jk - R_ij R_ik / sum_l R_il)."""
    seen = reach(length, causal=True).astype(np.float64)
    gram = np.diag(seen.sum(axis=0)) - seen.T @ (seen / seen.sum(axis=1, keepdims=True))
    return np.linalg.pinv(gram, hermitian=True)


def centred(matrices: Stack, causal: bool = False) -> Stack:
    """What is left of every matrix without its gauge and its key bias."""
    inside = row_centred(matrices, causal)
    bias = key_bias(inside.sum(axis=-2), causal)[..., None, :]
    return inside - row_centred(np.broadcast_to(bias, inside.shape), causal)
