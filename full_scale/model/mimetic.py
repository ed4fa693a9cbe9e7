"""Mimetic initialisation: attention weights that begin as those of trained Transformers look.

(Trockman and Kolter 2023, arXiv 2305.09828.) Weights act on columns: q = W_Q x.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

_SCORES, _VALUES = (0.7, 0.7), (0.4, -0.4)
"""(alpha, beta): of the noise, and of the identity. The paper's."""
Square = Float[Array, "width width"]


def mimetic(width: int, heads: int, *, key: PRNGKeyArray) -> tuple[Square, Square, Square, Square]:
    """(W_Q, W_K, W_V, W_O) with W_Qh^T W_Kh the best of rank d_head to a Z_h + b I, and W_O W_V = a Z + b I.

    Z has entries N(0, 1/width); a product is split evenly between its factors by its singular values.
    """
    keys = jax.random.split(key, heads + 1)
    size = width // heads
    query, key_ = zip(*(_factors(width, _SCORES, key=each) for each in keys[:heads]), strict=True)
    of_heads = lambda factors: jnp.concatenate([each[:, :size].T for each in factors])
    output, value = _factors(width, _VALUES, key=keys[heads])
    return of_heads(query), of_heads(key_), value.T, output


def _factors(width: int, shares: tuple[float, float], *, key: PRNGKeyArray) -> tuple[Square, Square]:
    """(F, G) with F G^T = a Z + b I; columns by falling singular values."""
    noise = jax.random.normal(key, (width, width), jnp.float32) / jnp.sqrt(jnp.float32(width))
    left, values, right = jnp.linalg.svd(shares[0] * noise + shares[1] * jnp.eye(width, dtype=jnp.float32))
    root = jnp.sqrt(values)[None, :]
    return left * root, right.T * root
