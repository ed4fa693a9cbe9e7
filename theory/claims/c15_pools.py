"""C15's pools: what each reads, spelled out. Exact for every L."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.attention import attention_weights
from theory.claims.check import relative_gap
from theory.pooling import ALIBI_SLOPE, alibi_mean_pool, last_token
from theory.pools import VISIBILITY

LENGTH, WIDTH = 4, 2


def pooling_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Every pool of equal tokens is that token; last token and ALiBi against the layer spelled out."""
    numbers, tokens = jax.random.split(key)
    numbers, tokens = jax.random.normal(numbers, (LENGTH, LENGTH)), jax.random.normal(tokens, (LENGTH, WIDTH))
    of_shape = lambda shape: numbers.ravel()[: math.prod(shape)].reshape(shape)
    equal = [row.read(of_shape(row.parameters(LENGTH, WIDTH)), jnp.ones_like(tokens)) for row in VISIBILITY]
    places = jnp.arange(1.0 * LENGTH)
    prior = numbers - ALIBI_SLOPE * jnp.abs(places[:, None] - places[None, :])
    found = jnp.stack([last_token(numbers, tokens), alibi_mean_pool(numbers, tokens)])
    spelled = [
        attention_weights(numbers)[LENGTH - 1] @ tokens,
        (attention_weights(prior) @ tokens).mean(axis=0),
    ]
    read = relative_gap(found, jnp.stack([each[0] for each in spelled]))
    return jnp.maximum(read, jnp.abs(jnp.stack(equal) - 1).max())
