"""What is handed to the probe: lists, numpy arrays, directions by head, and losses that draw noise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from tests.theory.probes.probed_losses import KEY

LENGTH = 4
TOKENS = jax.random.normal(KEY, (6, LENGTH, 3))
FLAT = jnp.zeros((LENGTH, LENGTH))
NUMBERS = np.random.default_rng(0)


def loss(bias, head, tokens):
    """Mean pool, linear head, square; one layer."""
    return jnp.mean(((jax.nn.softmax(bias)[None] @ tokens).mean(axis=1) @ head) ** 2)


def jittered(bias, head, tokens):
    """A mask drawn by numpy at every call."""
    return loss(bias, head, tokens * jnp.asarray(NUMBERS.integers(0, 2, (1, LENGTH, 1)), float))


CHAIN = [jax.random.key(1)]


def dropped(bias, head, tokens):
    """A mask from a chain of keys that is kept between calls."""
    CHAIN[0], key = jax.random.split(CHAIN[0])
    return loss(bias, head, tokens * jax.random.bernoulli(key, 0.5, (1, LENGTH, 1)).astype(float))


@pytest.mark.parametrize("noisy", [jittered, jax.jit(jittered), dropped])
def test_a_loss_that_draws_its_own_noise_is_refused(noisy):
    with pytest.raises(
        ValueError, match=r"the same whenever it is called.*pass them, or their keys, in the batch"
    ):
        theory.probe(noisy, jnp.ones(3), TOKENS, bias=FLAT)


def test_one_fixed_draw_is_a_loss_like_any_other():
    fixed = lambda b, h, x: loss(
        b, h, x * jax.random.bernoulli(jax.random.key(1), 0.5, (1, LENGTH, 1)).astype(float)
    )
    assert theory.probe(fixed, jnp.ones(3), TOKENS, bias=FLAT).samples == 6


def test_a_function_made_anew_in_every_call_is_no_noise():
    attend = lambda bias: jax.checkpoint(functools.partial(jax.nn.softmax, axis=-1))(bias)
    fresh = lambda b, h, x: jnp.mean(((attend(b)[None] @ x).mean(axis=1) @ h) ** 2)
    assert theory.probe(fresh, jnp.ones(3), TOKENS, bias=FLAT).samples == 6


@pytest.mark.parametrize("form", [np.asarray, lambda array: np.asarray(array).tolist()])
def test_lists_and_numpy_arrays_are_arrays(form):
    near = theory.circulant(jnp.eye(LENGTH)[1])
    of = lambda form: theory.probe(
        lambda b, h, x: loss(b, h, x["tokens"]),
        jnp.ones(3),
        {"tokens": form(TOKENS)},
        bias=form(FLAT),
        directions={"near": form(near)},
    )
    seen, expected = of(form), of(lambda array: array)
    assert (seen.gram == expected.gram).all() and seen.along["near"].snr == expected.along["near"].snr


def by_head(bias, _, noise):
    """A loss whose gradients are the noise."""
    return jnp.mean(jnp.sum(noise * bias[None], axis=(1, 2, 3, 4)))


def test_directions_by_head_hold_in_every_layer():
    noise = jax.random.normal(KEY, (10, 2, 3, LENGTH, LENGTH))
    heads = jax.random.normal(jax.random.key(1), (3, LENGTH, LENGTH))
    both = jnp.stack([heads, heads])
    seen = theory.probe(by_head, None, noise, bias=jnp.zeros(both.shape), directions={"a": heads, "b": both})
    assert (seen.along["a"].snr == seen.along["b"].snr).all() and seen.along["a"].snr.shape == (2, 3)
    with pytest.raises(ValueError, match=r"'a' must have shape \(4, 4\) or the bias's.*got \(2, 4, 4\)"):
        theory.probe(by_head, None, noise, bias=jnp.zeros(both.shape), directions={"a": heads[:2]})
