"""C15's pools: what each reads, spelled out with sums and exponentials alone. Exact for every L."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import relative_gap
from theory.label_blindness.pool_visibility import VISIBILITY
from theory.minimal_model.pools import (
    ALIBI_SLOPE,
    ROTARY_FREQUENCY,
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

LENGTH, WIDTH, REAL = 4, 2, 3  # REAL: positions that are no padding

LAGS = np.arange(1.0 * LENGTH)[None, :] - np.arange(1.0 * LENGTH)[:, None]
"""j - i."""


def written(scores, tokens) -> Float[Array, "query width"]:
    """What attention writes: sum_j e^{S_ij} x_j over sum_j e^{S_ij}; minus infinity hides a key."""
    sizes = jnp.exp(scores)
    return (sizes @ tokens) / jnp.sum(sizes, axis=1, keepdims=True)


def weighted(keys, values) -> Float[Array, ""]:
    """sum_i e^{k_i} h_i over sum_i e^{k_i}."""
    return jnp.sum(jnp.exp(keys) * values) / jnp.sum(jnp.exp(keys))


def turned(parameters, frequency) -> Float[Array, "query key"]:
    """a cos(f (j - i)) + b sin(f (j - i))."""
    return parameters[0] * jnp.cos(frequency * LAGS) + parameters[1] * jnp.sin(frequency * LAGS)


SPELLED: dict[Callable, Callable] = {
    mean_pool: lambda s, x: jnp.sum(written(s, x)[:, 0]) / LENGTH,
    last_token: lambda s, x: written(s, x)[LENGTH - 1, 0],
    max_pool: lambda s, x: jnp.sort(written(s, x)[:, 0])[LENGTH - 1],
    attention_pool: lambda s, x: weighted(written(s, x)[:, 1], written(s, x)[:, 0]),
    residual_attention_pool: lambda s, x: weighted(x[:, 1], written(s, x)[:, 0]),
    causal_mean_pool: lambda s, x: jnp.sum(written(jnp.where(LAGS > 0, -jnp.inf, s), x)[:, 0]) / LENGTH,
    padded_mean_pool: lambda s, x: jnp.sum(written(s[:REAL, :REAL], x[:REAL])[:, 0]) / REAL,
    rotary_mean_pool: lambda p, x: jnp.sum(written(turned(p, ROTARY_FREQUENCY), x)[:, 0]) / LENGTH,
    closed_rotary_mean_pool: lambda p, x: jnp.sum(written(turned(p, 2 * math.pi / LENGTH), x)[:, 0]) / LENGTH,
    alibi_mean_pool: lambda s, x: jnp.sum(written(s - ALIBI_SLOPE * jnp.abs(LAGS), x)[:, 0]) / LENGTH,
    content_mean_pool: lambda w, x: jnp.sum(written(jnp.einsum("ia,ab,jb->ij", x, w, x), x)[:, 0]) / LENGTH,
}
"""What each pool of the table reads."""


def pooling_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Every pool of the table against what it reads, spelled out."""
    number_key, token_key = jax.random.split(key)
    numbers = jax.random.normal(number_key, (LENGTH, LENGTH))
    free = jax.random.normal(token_key, (LENGTH, WIDTH))
    padded = free * (jnp.arange(LENGTH) < REAL).astype(free.dtype)[:, None]
    outputs = []
    for row in VISIBILITY:
        shape = row.parameters(LENGTH, WIDTH)
        given = numbers.ravel()[: math.prod(shape)].reshape(shape), padded if row.tokens == "padded" else free
        outputs.append(jnp.stack([row.read(*given), SPELLED[row.read](*given)]))
    return relative_gap(*jnp.stack(outputs, axis=1))
