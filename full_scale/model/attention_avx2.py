"""`attention_cpu` for processors with AVX2 and without AVX-512: other layouts, smaller tiles, the same formula.

XLA multiplies a tile from the left fast, along its rows; along its columns only with a small left factor.
Arrays are (row, length, d_head), one row per head of every sequence, as the projections leave them. Forwards
a tile is (query, key); backwards (key, query), so that two of the three products go along its rows. Where
one row's scores exceed a TILE, its queries are taken a block at a time.

Which of the two kernels runs depends on the processor alone. They round differently: a run that goes on
on another kind of processor is not bitwise the same, as its compiled code is not.
"""

import functools
import os
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from full_scale.model.attention_cpu import over_rows
from sims.runs.compilation_cache import processor

TILE = 1 << 18
"""Scores held at once: 1 MB in float32. Twice as many or half as many take as long, a quarter longer."""


@functools.cache
def is_avx2() -> bool:
    """Whether XLA's vectors here are those of AVX2: the processor has no longer ones, or XLA_FLAGS hides them."""
    abilities = processor().split()
    hidden = "xla_cpu_max_isa=avx2" in os.environ.get("XLA_FLAGS", "").lower()
    return "avx2" in abilities and (hidden or "avx512f" not in abilities)


def at_once(query: Float[Array, "row length d_head"]) -> int:
    """How many rows' scores make up a TILE."""
    return max(1, TILE // query.shape[1] ** 2)


def block(length: int) -> int:
    """Queries taken at once: all where a row's scores fit in a TILE, else nearly equally many each time."""
    count = -(-length // max(1, TILE // length))
    return -(-length // count)


def in_blocks(array: Array) -> Array:
    """(length, ...) as (block, query, ...), filled up with zeros at the end."""
    size = block(len(array))
    missing = [(0, -len(array) % size)] + [(0, 0)] * (array.ndim - 1)
    return jnp.pad(array, missing).reshape(-1, size, *array.shape[1:])


def readable(
    raw: Array, queries: int, first: Array, length: Array | None, causal: bool
) -> Float[Array, "..."]:
    """Scores whose axis `queries` is that of the queries from `first` on; the lowest number where unread."""
    lowest = jnp.finfo(raw.dtype).min
    key = jax.lax.broadcasted_iota(jnp.int32, raw.shape, 1 - queries)
    if length is not None:
        raw = jnp.where(key < jnp.maximum(length, 1).astype(jnp.int32), raw, lowest)
    if causal:
        raw = jnp.where(key <= first + jax.lax.broadcasted_iota(jnp.int32, raw.shape, queries), raw, lowest)
    return raw


def firsts(blocks: Array) -> Int[Array, " block"]:
    """The place of each block's first query."""
    return jnp.arange(blocks.shape[0], dtype=jnp.int32) * blocks.shape[1]


def block_output(
    given: tuple[Array, Array], key: Array, value: Array, length: Array | None, causal: bool
) -> tuple[Float[Array, "query d_head"], Float[Array, " query"]]:
    """`output` of one block's queries."""
    first, query = given
    tile = readable(jnp.einsum("qd,kd->qk", query, key), 0, first, length, causal)
    top = tile.max(axis=1, keepdims=True)
    powers = jnp.exp(tile - top)
    total = powers.sum(axis=1, keepdims=True)
    return jnp.einsum("qk,kd->qd", powers, value) / total, (top + jnp.log(total))[:, 0]


def output(
    query: Float[Array, "length d_head"],
    key: Float[Array, "length d_head"],
    value: Float[Array, "length d_head"],
    length: Int[Array, ""] | None,
    *,
    causal: bool,
) -> tuple[Float[Array, "length d_head"], Float[Array, " length"]]:
    """O_i = sum_j A_ij v_j with A = softmax(S), and l_i = log sum_j exp S_ij."""
    blocks = in_blocks(query)
    some = lambda given: block_output(given, key, value, length, causal)
    mixed, logs = jax.lax.map(some, (firsts(blocks), blocks))
    return mixed.reshape(-1, mixed.shape[-1])[: len(query)], logs.reshape(-1)[: len(query)]


def block_slopes(
    given: tuple[Array, ...], key: Array, value: Array, length: Array | None, causal: bool
) -> tuple[Float[Array, "d_head query"], Float[Array, "length d_head"], Float[Array, "length d_head"]]:
    """Gradients in one block's queries, and its share of those in all keys and values."""
    first, query, logs, slope, aligned = given
    scores = readable(jnp.einsum("kd,qd->kq", key, query), 1, first, length, causal)
    weights = jnp.exp(scores - logs[None, :])
    tile = weights * (jnp.einsum("kd,qd->kq", value, slope) - aligned[None, :])
    return (
        jnp.einsum("kd,kq->dq", key, tile),
        jnp.einsum("kq,qd->kd", tile, query),
        jnp.einsum("kq,qd->kd", weights, slope),
    )


def slopes(
    query: Float[Array, "length d_head"],
    key: Float[Array, "length d_head"],
    value: Float[Array, "length d_head"],
    length: Int[Array, ""] | None,
    logs: Float[Array, " length"],
    slope: Float[Array, "length d_head"],
    aligned: Float[Array, " length"],
    *,
    causal: bool,
) -> tuple[Float[Array, "block d_head query"], Float[Array, "length d_head"], Float[Array, "length d_head"]]:
    """`attention_cpu.slopes` by blocks; queries' are left as the product gives them: turned, it is slow."""
    blocks = in_blocks(query)
    given = (firsts(blocks), blocks, *map(in_blocks, (logs, slope, aligned)))

    def step(so_far: tuple[Array, Array], given: Any) -> tuple[tuple[Array, Array], Array]:
        queries, *more = block_slopes(given, key, value, length, causal)
        return (so_far[0] + more[0], so_far[1] + more[1]), queries

    (keys, values), queries = jax.lax.scan(step, (jnp.zeros_like(key), jnp.zeros_like(value)), given)
    return queries, keys, values


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def attention_by_blocks(
    causal: bool,
    query: Float[Array, "row length d_head"],
    key: Float[Array, "row length d_head"],
    value: Float[Array, "row length d_head"],
    lengths: Int[Array, " row"] | None,
) -> Float[Array, "row length d_head"]:
    """softmax(Q K^T) V of every row, over the keys before its length."""
    return over_rows(partial(output, causal=causal), at_once)(query, key, value, lengths)[0]


def forward(causal: bool, query: Array, key: Array, value: Array, lengths: Array | None) -> Any:
    """The output, and what `backward` needs: the arguments, the output and one number per query."""
    mixed, logs = over_rows(partial(output, causal=causal), at_once)(query, key, value, lengths)
    return mixed, (query, key, value, lengths, logs, mixed)


def backward(causal: bool, residuals: Any, slope: Array) -> tuple[Array, Array, Array, None]:
    """`slopes` of every row."""
    *arguments, mixed = residuals
    aligned = jnp.sum(slope * mixed, axis=2)
    rows = over_rows(partial(slopes, causal=causal), at_once)
    queries, keys, values = rows(*arguments, slope, aligned)
    query = queries.swapaxes(2, 3).reshape(len(queries), -1, queries.shape[2])[:, : slope.shape[1]]
    return query, keys, values, None


attention_by_blocks.defvjp(forward, backward)
