"""Attention whose length x length tiles stay in a CPU's cache, with its backward pass by hand.

Exact for every length. Arrays are (row, d_head, length), one row per head of every sequence: with the
length innermost no product of the backward pass needs a transposed tile, which XLA multiplies eight times
slower. Rows are taken a few at a time, as many as fit in TILE; under `jax.vmap` the batch joins the rows.
`attention_avx2` is the same for processors whose vectors hold eight numbers.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

TILE = 1 << 20
"""Scores held at once: 4 MB in float32. Twice as many are slower, as are half of them."""


def scores(query: Array, key: Array, length: Array | None, causal: bool) -> Float[Array, "query key"]:
    """S = Q^T K, at the lowest number where a query may not read."""
    raw = jnp.einsum("dq,dk->qk", query, key)
    at = jax.lax.broadcasted_iota(jnp.int32, raw.shape, 1)
    lowest = jnp.finfo(raw.dtype).min
    if length is not None:
        raw = jnp.where(at < jnp.maximum(length, 1).astype(jnp.int32), raw, lowest)
    if causal:
        raw = jnp.where(at <= jax.lax.broadcasted_iota(jnp.int32, raw.shape, 0), raw, lowest)
    return raw


def output(
    query: Float[Array, "d_head length"],
    key: Float[Array, "d_head length"],
    value: Float[Array, "d_head length"],
    length: Int[Array, ""] | None,
    *,
    causal: bool,
) -> tuple[Float[Array, "length d_head"], Float[Array, " length"]]:
    """O_i = sum_j A_ij v_j with A = softmax(S), and l_i = log sum_j exp S_ij."""
    tile = scores(query, key, length, causal)
    top = tile.max(axis=1, keepdims=True)
    powers = jnp.exp(tile - top)
    total = powers.sum(axis=1, keepdims=True)
    return jnp.einsum("qk,dk->qd", powers, value) / total, (top + jnp.log(total))[:, 0]


def slopes(
    query: Float[Array, "d_head length"],
    key: Float[Array, "d_head length"],
    value: Float[Array, "d_head length"],
    length: Int[Array, ""] | None,
    logs: Float[Array, " length"],
    slope: Float[Array, "d_head length"],
    aligned: Float[Array, " length"],
    *,
    causal: bool,
) -> tuple[Float[Array, "length d_head"], Float[Array, "d_head length"], Float[Array, "d_head length"]]:
    """Gradients in Q, K and V from G, that in O, and a_i = G_i.O_i: with A = exp(S - l),

    dV_j = sum_i A_ij G_i,  dS_ij = A_ij (G_i.v_j - a_i),  dQ_i = sum_j dS_ij k_j,  dK_j = sum_i dS_ij q_i.
    """
    weights = jnp.exp(scores(query, key, length, causal) - logs[:, None])
    tile = weights * (jnp.einsum("dq,dk->qk", slope, value) - aligned[:, None])
    return (
        jnp.einsum("qk,dk->qd", tile, key),
        jnp.einsum("dq,qk->dk", query, tile),
        jnp.einsum("dq,qk->dk", slope, weights),
    )


def at_once(query: Float[Array, "row d_head length"]) -> int:
    """How many rows' scores make up a TILE."""
    return max(1, TILE // query.shape[2] ** 2)


def over_rows(one: Callable[..., Any], at_once: Callable[[Array], int]) -> Callable[..., Any]:
    """`one` row's function on many rows, as many at once as asked; a mapped axis joins the rows."""

    def rows(*arrays: Any) -> Any:
        most = at_once(arrays[0])
        if len(arrays[0]) <= most:
            return jax.vmap(one)(*arrays)
        return jax.lax.map(lambda row: one(*row), arrays, batch_size=most)

    joined = jax.custom_batching.custom_vmap(rows)

    @joined.def_vmap
    def rule(size: int, batched: Any, *arrays: Any) -> Any:
        def joint(array: Array, has_axis: bool) -> Array:
            whole = array if has_axis else jnp.broadcast_to(array[None], (size, *array.shape))
            return whole.reshape(-1, *array.shape[1 + has_axis :])

        out = joined(*jax.tree.map(joint, tuple(arrays), tuple(batched)))
        apart = jax.tree.map(lambda array: array.reshape(size, -1, *array.shape[1:]), out)
        return apart, jax.tree.map(lambda _: True, out)

    return joined


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def tiled_attention(
    causal: bool,
    query: Float[Array, "row d_head length"],
    key: Float[Array, "row d_head length"],
    value: Float[Array, "row d_head length"],
    lengths: Int[Array, " row"] | None,
) -> Float[Array, "row length d_head"]:
    """softmax(Q^T K) V of every row, over the keys before its length."""
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
    query, key, value = rows(*arguments, slope.swapaxes(1, 2), aligned)
    return query.swapaxes(1, 2), key, value, None


tiled_attention.defvjp(forward, backward)
