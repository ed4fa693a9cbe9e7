"""How much of score space the label sees through other pools, masks and scores: the table.   [C15]

Exact for every L >= 2. A visible dimension is that of the span, over sequences, of the gradients of what
the head reads along one direction, with respect to the scores or to what makes them.
"""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Array, Float

from theory.minimal_model.pools import (
    Parameters,
    Tokens,
    alibi_mean_pool,
    attention_pool,
    causal_mean_pool,
    closed_rotary_mean_pool,
    content_mean_pool,
    last_token,
    max_pool,
    mean_pool,
    padded_mean_pool,
    residual_attention_pool,
    rotary_mean_pool,
)


class Row(NamedTuple):
    """One pool, mask or family of scores, and what labels see of its parameters.   [C15]

    `uniform` and `general` give the visible dimension at parameters 0 and at generic ones, `parameters`
    their shape, all as functions of (L, width). `tokens` says which sequences are meant: "free", "centred"
    over the sequence, or "padded", with rows of zeros at the end and every number of real tokens.
    """

    name: str
    parameters: Callable[[int, int], tuple[int, ...]]
    uniform: Callable[[int, int], int]
    general: Callable[[int, int], int]
    formula: str
    reason: str
    read: Callable[[Parameters, Tokens], Float[Array, ""]]
    tokens: str = "free"


FREE = lambda length, width: (length, length)
SQUARE = lambda length, width: (width, width)
PAIR = lambda length, width: (2,)
KEYS = lambda length, width: length - 1
ALL = lambda length, width: length * (length - 1)
TRIANGLE = lambda length, width: length * (length - 1) // 2
INTERACTION = lambda length, width: width**2
NONE = lambda length, width: 0

VISIBILITY: tuple[Row, ...] = (
    Row(
        "mean pool",
        FREE,
        KEYS,
        KEYS,
        r"z = \sum_j c_j V x_j, \; c_j = \tfrac{1}{L} \sum_i A_{ij}",
        "Scores enter through the received attention alone (C1).",
        mean_pool,
    ),
    Row(
        "CLS or last token",
        FREE,
        KEYS,
        KEYS,
        r"z = \sum_j A_{Lj} V x_j",
        "One row of A, free but for its sum: that query's own pattern is seen, all others not at all.",
        last_token,
    ),
    Row(
        "max pool",
        FREE,
        KEYS,
        ALL,
        r"z = \max_i H_i",
        "At generic scores each query is the largest for some sequence. At uniform attention all are tied: "
        "one-sided derivatives max_i D_i . s feel every direction but gauge, gradients that share the tie "
        "equally see what the mean pool does.",
        max_pool,
    ),
    Row(
        "attention pool on what attention wrote",
        FREE,
        KEYS,
        ALL,
        r"z = \sum_i \pi_i H_i, \; \pi = \mathrm{softmax}(q^{\top} H_i)",
        "At uniform attention all H_i agree, so the pool is a mean to first order; elsewhere the weights "
        "of the queries change with the sequence.",
        attention_pool,
    ),
    Row(
        "attention pool on the residual stream",
        FREE,
        ALL,
        ALL,
        r"z = \sum_i \pi_i H_i, \; \pi = \mathrm{softmax}(q^{\top} x_i)",
        "The sequence itself weighs the queries: pi_i (s_j - mean s)/L span every direction but gauge.",
        residual_attention_pool,
    ),
    Row(
        "causal mask, mean pool",
        FREE,
        KEYS,
        KEYS,
        r"z = \tfrac{1}{L} \sum_i \sum_{j \leq i} A_{ij} V x_j",
        "One number per key up to a constant, of L(L-1)/2 directions: a share of 2/L.",
        causal_mean_pool,
    ),
    Row(
        "padding mask, mean pool, every number of real tokens",
        FREE,
        TRIANGLE,
        TRIANGLE,
        r"z = \tfrac{1}{n} \sum_{i < n} \sum_{j < n} A_{ij} V x_j",
        "n real tokens show n - 1 directions, and different n different ones: n(n-1)/2 in all up to n = L.",
        padded_mean_pool,
        "padded",
    ),
    Row(
        "RoPE, one pair without content, mean pool",
        PAIR,
        lambda length, width: min(2, length - 1),
        lambda length, width: min(2, length - 1),
        r"S_{ij} = a \cos f(j - i) + b \sin f(j - i)",
        "Seen through the ends of the sequence alone, as any band that does not close (C17).",
        rotary_mean_pool,
    ),
    Row(
        "RoPE, whole turns over the sequence",
        PAIR,
        NONE,
        NONE,
        r"f = 2 \pi n / L",
        "Circulant scores keep A doubly stochastic: the loss is constant at any a and b (C3).",
        closed_rotary_mean_pool,
    ),
    Row(
        "ALiBi, mean pool",
        FREE,
        KEYS,
        KEYS,
        r"S_{ij} \to S_{ij} - m |i - j|",
        "A shift of the scores leaves C1 as it is; proximity is there before any learning.",
        alibi_mean_pool,
    ),
    Row(
        "content-dependent scores, mean pool",
        SQUARE,
        INTERACTION,
        INTERACTION,
        r"S_{ij} = x_i^{\top} W x_j",
        "At W = 0 a sequence gives xbar (u^T V Cov), of rank one; all together give all of W.",
        content_mean_pool,
    ),
    Row(
        "content-dependent scores, tokens centred over the sequence",
        SQUARE,
        NONE,
        lambda length, width: width**2 if length > 2 else 0,
        r"S_{ij} = x_i^{\top} W x_j, \; \bar{x} = 0",
        "At W = 0 the query side is the mean token, 0; two centred tokens stay blind at any W.",
        content_mean_pool,
        "centred",
    ),
)
