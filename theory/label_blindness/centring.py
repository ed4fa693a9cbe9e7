"""Centring of score matrices where attention is: on all keys, or on those up to the query's own (causal).

There the gauge is a constant on each row, and a key bias is one number per key on every row that attends to
it. What is orthogonal to both is called doubly centred, also where it is triangular. Without the causal mask
`doubly_centred` is that of `decompose`. Exact for every length.   [C1, C18]
"""

import functools
from typing import Any

import numpy as np
from jaxtyping import Array, Bool, Float

AnyStack = Float[Array | np.ndarray, "*stack query key"]


def attention_mask(length: int, causal: bool) -> Bool[np.ndarray, "query key"]:
    """Whether query i reads key j: always, or for j <= i."""
    every = np.ones((length, length), bool)
    return np.tril(every) if causal else every


def row_centred(matrices: AnyStack, causal: bool = False) -> Float[Any, "*stack query key"]:
    """D_ij - mean_k D_ik over the keys k that query i attends to, and 0 at the others.   [C1, C18]

    Without the part that a softmax ignores, for arrays of numpy or jax.
    """
    space = matrices.__array_namespace__()
    mask = space.broadcast_to(space.asarray(attention_mask(matrices.shape[-1], causal)), matrices.shape)
    counts = space.sum(mask, axis=-1, keepdims=True).astype(matrices.dtype)
    mean = space.where(mask, matrices, 0).sum(axis=-1, keepdims=True) / counts
    return space.where(mask, matrices - mean, 0)


def key_bias(columns: Float[Array | np.ndarray, "*stack key"], causal: bool) -> Float[Any, "*stack key"]:
    """b = K^+ t of column sums t: the key bias nearest to a matrix whose rows sum to 0."""
    length = columns.shape[-1]
    if not causal:
        return (columns - columns.mean(axis=-1, keepdims=True)) / length
    return columns @ _triangular_inverse(length)


@functools.cache
def _triangular_inverse(length: int) -> Float[np.ndarray, "key key"]:
    """K^+ of the causal key biases' Gram matrix K_jk = sum_i (R_ij delta_jk - R_ij R_ik / sum_l R_il)."""
    mask = attention_mask(length, causal=True).astype(np.float64)
    gram = np.diag(mask.sum(axis=0)) - mask.T @ (mask / mask.sum(axis=1, keepdims=True))
    return np.linalg.pinv(gram, hermitian=True)


def doubly_centred(matrices: AnyStack, causal: bool = False) -> Float[Any, "*stack query key"]:
    """What is left of every matrix without its gauge and its key bias.   [C1, C18]"""
    inside = row_centred(matrices, causal)
    bias = key_bias(inside.sum(axis=-2), causal)[..., None, :]
    rows = inside.__array_namespace__().broadcast_to(bias, inside.shape)
    return inside - row_centred(rows, causal)
