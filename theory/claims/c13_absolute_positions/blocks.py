"""C13, reconstruction's side: blocks per frequency, sized by the data's spectrum. Exact for every L."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c13_absolute_positions.draws import (
    FEATURES,
    FREQUENCIES,
    LENGTH,
    VALUE,
    WIDTH,
    Setting,
    drawn,
)
from theory.claims.checks.check import relative_gap, standard_errors_off
from theory.claims.checks.draws import correlation_draw, open_markov_covariance
from theory.positions.absolute_positions import frequency_pull, ring_positions
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import reconstruction_loss, reconstruction_score_gradient

SEQUENCES = 30_000


def ring_covariance(setting: Setting) -> Float[Array, "query key"]:
    """A random cyclically stationary process."""
    return circulant(setting.autocovariance())


def line_covariance(setting: Setting) -> Float[Array, "query key"]:
    """AR(1) on a line."""
    return open_markov_covariance(LENGTH, 0.5 + 0.1 * jnp.tanh(setting.shift[0, 0]))


def claimed_blocks(autocovariance: Float[Array, " lag"]) -> Float[Array, "width width"]:
    """Minus m_f / sqrt(k) on the diagonal, each frequency twice: the gradient in W."""
    pull = frequency_pull(VALUE, autocovariance, FREQUENCIES)
    return -jnp.diag(jnp.repeat(pull, 2)) / FEATURES**0.5


def product_gradient(product, covariance, value=VALUE) -> Float[Array, "width width"]:
    """jax's reconstruction gradient in W = W_Q W_K^T."""
    positions = ring_positions(LENGTH, FREQUENCIES)
    scores = lambda each: positions @ each @ positions.T / FEATURES**0.5
    return jax.grad(lambda each: reconstruction_loss(scores(each), value, covariance))(product)


def block_gap(covariance_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """The blocks from the data's spectrum against jax, at uniform attention."""
    covariance = covariance_of(drawn(key))
    gradient = product_gradient(jnp.zeros((WIDTH, WIDTH)), covariance)
    return relative_gap(gradient, claimed_blocks(covariance[0]))


def lowest_first_gap(value: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """AR(1), power at low frequencies: by how much jax's pull on the second exceeds that on the lowest, if it does."""
    covariance = circulant(markov_autocovariance(LENGTH, correlation_draw(key)))
    pull = -jnp.diag(product_gradient(jnp.zeros((WIDTH, WIDTH)), covariance, value))[::2]
    return jnp.maximum(pull[1] - pull[0], 0.0) / jnp.abs(pull).max()


def turned_blocks(setting: Setting) -> Float[Array, "width width"]:
    """W that makes circulant scores: a scaled rotation per frequency."""
    mean, step = setting.product, one_position_on()
    for _ in range(3):  # 8 turns by one position are the identity: the mean over all of them
        mean, step = (mean + step.T @ mean @ step) / 2, step @ step
    return mean


def any_product(setting: Setting) -> Float[Array, "width width"]:
    """W that makes scores which are not circulant."""
    return setting.product


def one_position_on() -> Float[Array, "width width"]:
    """R with p_{i+1} = R^T p_i: at each frequency a rotation."""
    positions = ring_positions(LENGTH, FREQUENCIES)
    return positions.T @ jnp.roll(positions, -1, axis=0) * 2 / LENGTH


def invariance_gap(product_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """The gradient in W against itself turned by one position: equal when it is block-diagonal."""
    setting, step = drawn(key), one_position_on()
    gradient = product_gradient(product_of(setting), ring_covariance(setting))
    return relative_gap(step.T @ gradient @ step, gradient)


def sampled_blocks(key: PRNGKeyArray) -> Float[Array, ""]:
    """Per-sequence gradients in W of smoothed white noise against the blocks."""
    setting, positions = drawn(key), ring_positions(LENGTH, FREQUENCIES)
    sequences = jax.random.normal(jax.random.fold_in(key, 1), (SEQUENCES, LENGTH))
    flat = jnp.zeros((LENGTH, LENGTH))

    def pull(sequence):
        by_scores = reconstruction_score_gradient(flat, VALUE, jnp.outer(sequence, sequence))
        return positions.T @ by_scores @ positions / FEATURES**0.5

    smoothed = sequences @ circulant(setting.smoothing)
    return standard_errors_off(jax.vmap(pull)(smoothed), claimed_blocks(setting.autocovariance()))
