"""Mimetic initialisation against what the paper asks of its products."""

import jax
import jax.numpy as jnp
import numpy as np

from full_scale.model import ModelConfig
from full_scale.model.attention_layer import Attention

WIDTH, HEADS = 64, 4


def weights():
    layer = Attention(ModelConfig(width=WIDTH, heads=HEADS, copies="mimetic"), key=jax.random.key(0))
    return {name: getattr(layer, name).weight for name in ("query", "key", "value", "output")}


def test_queries_and_keys_of_every_head_multiply_to_noise_and_a_positive_share_of_the_identity():
    found = weights()
    rows = [found[name].reshape(HEADS, WIDTH // HEADS, WIDTH) for name in ("query", "key")]
    for query, key in zip(*rows, strict=True):
        product = query.T @ key
        assert jnp.linalg.matrix_rank(product) == WIDTH // HEADS
        assert jnp.trace(product) / WIDTH > 0.1


def test_values_and_output_multiply_to_noise_less_a_share_of_the_identity():
    found = weights()
    product = found["output"] @ found["value"]
    diagonal = jnp.trace(product) / WIDTH
    noise = product - diagonal * jnp.eye(WIDTH, dtype=jnp.float32)
    error = 4 * 0.4 / WIDTH
    np.testing.assert_allclose(diagonal, -0.4, atol=error)
    np.testing.assert_allclose(
        noise.std() * jnp.sqrt(jnp.float32(WIDTH)), 0.4, atol=4 * 0.4 / np.sqrt(2) / WIDTH
    )
