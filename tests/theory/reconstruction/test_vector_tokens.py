"""C10 and C11 for vector tokens: the law, its scalar case, and where the scalar form errs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from theory import reduced_loss, vector_proximity_law, vector_reduced_loss
from theory.claims.checks.tolerances import EXACT_FLOAT64

LENGTH, WIDTH = 9, 3


def ring_covariance(seed: int) -> jax.Array:
    """Sigma(r) of x_i = sum_s M_s e_{i+s} with i.i.d. noise e: a random stationary process on the ring."""
    maps = (
        jax.random.normal(jax.random.key(seed), (LENGTH, WIDTH, WIDTH))
        * 0.6 ** jnp.arange(float(LENGTH))[:, None, None]
    )
    shifted = lambda r: sum(maps[(s + r) % LENGTH] @ maps[s].T for s in range(LENGTH))
    return jnp.stack([shifted(r) for r in range(LENGTH)])


def sampled_loss(kernel, value_map, seed: int, count: int) -> np.ndarray:
    """Half squared errors on samples of the process of `ring_covariance`."""
    maps = (
        jax.random.normal(jax.random.key(seed), (LENGTH, WIDTH, WIDTH))
        * 0.6 ** jnp.arange(float(LENGTH))[:, None, None]
    )
    noise = jax.random.normal(jax.random.key(seed + 1), (count, LENGTH, WIDTH))
    tokens = sum(jnp.einsum("ab,nib->nia", maps[s], jnp.roll(noise, -s, axis=1)) for s in range(LENGTH))
    reading = jax.nn.softmax(kernel).at[0].set(0.0)
    mixed = sum(reading[r] * jnp.roll(tokens, -r, axis=1) for r in range(LENGTH))
    errors = tokens - jnp.einsum("ab,nib->nia", value_map, mixed)
    return np.asarray(0.5 * (errors[:, 0] ** 2).sum(axis=-1))


def test_the_vector_loss_is_the_expected_error_of_samples() -> None:
    kernel = jax.random.normal(jax.random.key(5), (LENGTH,))
    value_map = 0.4 * jax.random.normal(jax.random.key(6), (WIDTH, WIDTH))
    errors = sampled_loss(kernel, value_map, seed=0, count=60_000)
    closed = float(vector_reduced_loss(kernel, value_map, ring_covariance(0)))
    assert abs(errors.mean() - closed) < 4.5 * errors.std() / np.sqrt(len(errors))
    transposed = float(vector_reduced_loss(kernel, value_map.T, ring_covariance(0)))
    assert abs(errors.mean() - transposed) > 6 * errors.std() / np.sqrt(len(errors))


def test_one_dimensional_vectors_are_scalar_tokens() -> None:
    kernel, covariance = jax.random.normal(jax.random.key(0), (LENGTH,)), 0.7 ** jnp.arange(float(LENGTH))
    covariance = covariance + jnp.roll(covariance[::-1], 1)
    vector = vector_reduced_loss(kernel, jnp.full((1, 1), 0.8), covariance[:, None, None])
    scalar = reduced_loss(kernel, jnp.asarray(0.8), covariance)
    assert vector == pytest.approx(float(scalar), rel=EXACT_FLOAT64)


@pytest.mark.parametrize("seed", range(3))
def test_scores_start_along_the_vector_law(seed: int) -> None:
    """Values of size e along their own first gradient; the quadratic term is O(e) beside the law."""
    covariance = ring_covariance(seed)
    uniform, small = jnp.zeros(LENGTH), 1e-7
    to_values = -jax.grad(vector_reduced_loss, argnums=1)(uniform, jnp.zeros((WIDTH, WIDTH)), covariance)
    np.testing.assert_allclose(to_values, covariance[1:].sum(axis=0) / LENGTH, rtol=1e-10, atol=1e-12)
    value_map = small * covariance[1:].sum(axis=0)
    descent = -jax.grad(vector_reduced_loss)(uniform, value_map, covariance) * LENGTH / small
    law = jnp.concatenate([jnp.zeros(1), vector_proximity_law(covariance[1:], jnp.ones(LENGTH - 1))])
    np.testing.assert_allclose(descent, law - law.mean(), rtol=1e-5, atol=1e-5)


def test_tokens_that_avoid_their_equals_are_drawn_together_all_the_same() -> None:
    """Two alternating symbols: tr Sigma(1) < 0, which the scalar law reads as repulsion."""
    swap = jnp.array([[0.0, 1.0], [1.0, 0.0]]) - 0.5
    covariance = jnp.stack([(-0.6) ** min(r, LENGTH - r) * (jnp.eye(2) - 0.5) for r in range(LENGTH)])
    assert jnp.allclose(covariance[1], 0.6 * swap)
    assert jnp.trace(covariance[1]) < 0
    law = vector_proximity_law(covariance[1:], jnp.ones(LENGTH - 1))
    assert jnp.argmax(law) in (0, LENGTH - 2)
