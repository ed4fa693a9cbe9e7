"""Scaled dot-product attention: the one place where scores become outputs.

Exact for every length. Softmax and sums run in float32 at least, whatever the type of the inputs.
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from full_scale.model.attention_avx2 import attention_by_blocks, is_avx2
from full_scale.model.attention_cpu import tiled_attention

Method = Literal["auto", "explicit"]
Kernel = Literal["cudnn", "xla", "tiled"]


def allowed(
    queries: int, keys: int, length: Int[Array, ""] | None, causal: bool
) -> Bool[Array, "query key"] | None:
    """Which keys a query reads: those before `length`, and none after itself if `causal`. None: all.

    Position 0 is always read, so that the weights of an empty sequence are numbers.
    """
    key = jnp.arange(keys, dtype=jnp.int32)[None, :]
    mask = None
    if length is not None:
        mask = jnp.broadcast_to(key < jnp.maximum(length, 1).astype(jnp.int32), (queries, keys))
    if causal:
        past = key <= jnp.arange(queries, dtype=jnp.int32)[:, None]
        mask = past if mask is None else mask & past
    return mask


def precision(dtype: jnp.dtype) -> jnp.dtype:
    """The type in which scores and sums are computed."""
    return jnp.dtype(jnp.float64 if dtype == jnp.float64 else jnp.float32)


def attention_weights(
    query: Float[Array, "head query d_head"],
    key: Float[Array, "head key d_head"],
    bias: Float[Array, "head query key"] | None = None,
    length: Int[Array, ""] | None = None,
    causal: bool = False,
) -> Float[Array, "head query key"]:
    """A = softmax(Q K^T / sqrt(d_head) + bias) over the keys that each query may read."""
    precise = precision(query.dtype)
    scores = jnp.einsum("hqd,hkd->hqk", query, key, preferred_element_type=precise)
    scores = scores / jnp.sqrt(jnp.asarray(query.shape[-1], precise))
    if bias is not None:
        scores = scores + bias.astype(precise)
    mask = allowed(query.shape[1], key.shape[1], length, causal)
    if mask is not None:
        scores = jnp.where(mask[None], scores, jnp.finfo(precise).min)
    return jax.nn.softmax(scores, axis=-1)


def attend(
    query: Float[Array, "head length d_head"],
    key: Float[Array, "head length d_head"],
    value: Float[Array, "head length d_head"],
    *,
    bias: Float[Array, "head query key"] | None = None,
    fixed: Float[Array, "head query key"] | None = None,
    length: Int[Array, ""] | None = None,
    causal: bool = False,
    method: Method = "auto",
) -> Float[Array, "head length d_head"]:
    """A V with A = softmax(Q K^T / sqrt(d_head) + bias + fixed), for one sequence; `jax.vmap` makes batches.

    Parameters
    ----------
    query, key, value
        Projections of the tokens, split into heads.
    bias
        Added to the scores.
    fixed
        Added, too, but a constant: nothing is differentiated in it (positions in the scores).
    length
        Keys at and after it are padding, which no query reads. None: every sequence is full.
    causal
        Whether a query reads no key after its own position.
    method
        "auto" without a bias is the fast path, which has first derivatives in reverse mode only;
        "explicit", or a bias, writes the scores out and can be differentiated at will.
    """
    kernel: Kernel = kernel_for(query, fixed) if jax.default_backend() == "gpu" else "tiled"
    if method == "explicit" or bias is not None or (fixed is not None and kernel != "cudnn"):
        both = [each for each in (bias, fixed) if each is not None]
        weights = attention_weights(query, key, sum(both[1:], *both[:1]) if both else None, length, causal)
        return jnp.einsum("hqk,hkd->hqd", weights.astype(value.dtype), value)
    if kernel == "tiled":
        return _tiled(query, key, value, length, causal)
    return fused(query, key, value, length, causal, fixed, kernel=kernel)


def _tiled(query: Array, key: Array, value: Array, length: Int[Array, ""] | None, causal: bool) -> Array:
    """This processor's kernel on arrays (head, length, d_head), in at least float32."""
    precise = precision(query.dtype)
    scaled = query.astype(precise) * jnp.asarray(query.shape[-1] ** -0.5, precise)
    parts = [array.astype(precise) for array in (scaled, key, value)]
    lengths = None if length is None else jnp.broadcast_to(length, query.shape[:1])
    if is_avx2():
        return attention_by_blocks(causal, *parts, lengths).astype(value.dtype)
    return tiled_attention(causal, *(part.swapaxes(1, 2) for part in parts), lengths).astype(value.dtype)


def kernel_for(query: Array, fixed: Array | None) -> Kernel:
    """cuDNN's kernel where it takes the type, the width and the device, else XLA's.

    It needs half precision, a width per head of 8, 16, ..., 128, an NVIDIA GPU since Ampere (8.0) and, for
    a derivative beside added scores, an even length.
    """
    half = query.dtype in (jnp.bfloat16, jnp.float16)
    width, even = query.shape[-1], fixed is None or query.shape[1] % 2 == 0
    version = str(getattr(jax.devices()[0], "compute_capability", ""))  # AMD's read gfx90a
    recent = version.replace(".", "", 1).isdigit() and float(version) >= 8
    return "cudnn" if half and even and width % 8 == 0 and width <= 128 and recent else "xla"


def fused(
    query: Array,
    key: Array,
    value: Array,
    length: Int[Array, ""] | None,
    causal: bool,
    fixed: Array | None = None,
    *,
    kernel: Literal["cudnn", "xla"] = "xla",
) -> Array:
    """JAX's attention, by cuDNN's kernel or XLA's."""
    q, k, v = (array.swapaxes(0, 1)[None] for array in (query, key, value))
    lengths: dict[str, Any] = {}
    if length is not None:
        key_length = jnp.maximum(length, 1).astype(jnp.int32)[None]
        every = (
            jnp.zeros_like(key_length) * key_length + query.shape[1]
        )  # mapped where `length` is: cuDNN's rule needs it
        lengths = {"key_value_seq_lengths": key_length, "query_seq_lengths": every}
    added = None if fixed is None else jax.lax.stop_gradient(fixed).astype(query.dtype)[None]
    kind: dict[str, Any] = dict(is_causal=causal, implementation=kernel, **lengths)
    return jax.nn.dot_product_attention(q, k, v, added, **kind)[0].swapaxes(0, 1)
