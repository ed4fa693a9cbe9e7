"""Scaled dot-product attention: the one place where scores become outputs.

Exact for every length. Softmax and sums run in float32 at least, whatever the type of the inputs.
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

Method = Literal["auto", "explicit"]


def allowed(
    queries: int, keys: int, length: Int[Array, ""] | None, causal: bool
) -> Bool[Array, "query key"] | None:
    """Which keys a query reads: those before `length`, and none after itself if `causal`. None: all."""
    seen = None
    if length is not None:
        seen = jnp.broadcast_to(jnp.arange(keys, dtype=length.dtype) < length, (queries, keys))
    if causal:
        past = jnp.tril(jnp.ones((queries, keys), bool))
        seen = past if seen is None else seen & past
    return seen


def attention_weights(
    query: Float[Array, "head query d_head"],
    key: Float[Array, "head key d_head"],
    bias: Float[Array, "head query key"] | None = None,
    length: Int[Array, ""] | None = None,
    causal: bool = False,
) -> Float[Array, "head query key"]:
    """A = softmax(Q K^T / sqrt(d_head) + bias) over the keys that each query may read."""
    precise = jnp.float64 if query.dtype == jnp.float64 else jnp.float32
    scores = jnp.einsum("hqd,hkd->hqk", query, key, preferred_element_type=precise)
    scores = scores / jnp.sqrt(jnp.asarray(query.shape[-1], precise))
    if bias is not None:
        scores = scores + bias.astype(precise)
    seen = allowed(query.shape[1], key.shape[1], length, causal)
    if seen is not None:
        scores = jnp.where(seen[None], scores, jnp.finfo(precise).min)
    return jax.nn.softmax(scores, axis=-1)


def attend(
    query: Float[Array, "head length d_head"],
    key: Float[Array, "head length d_head"],
    value: Float[Array, "head length d_head"],
    *,
    bias: Float[Array, "head query key"] | None = None,
    length: Int[Array, ""] | None = None,
    causal: bool = False,
    method: Method = "auto",
) -> Float[Array, "head length d_head"]:
    """A V with A = softmax(Q K^T / sqrt(d_head) + bias), for one sequence.

    Parameters
    ----------
    query, key, value
        Projections of the tokens, split into heads.
    bias
        Added to the scores.
    length
        Keys at and after it are padding, which no query reads. None: every sequence is full.
    causal
        Whether a query reads no key after its own position.
    method
        "explicit" writes the scores out and can be differentiated any number of times.
    """
    weights = attention_weights(query, key, bias, length, causal)
    return jnp.einsum("hqk,hkd->hqd", weights.astype(value.dtype), value)
