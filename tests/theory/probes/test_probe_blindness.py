"""Exact blindness is said as such: no signal, no interval above 0, in the rounding of sums that cancel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from tests.theory.probes.probed_losses import KEY, minimal_label_loss, minimal_setting
from theory.probes import signal
from theory.probes.probe import leading_signal

PRECISIONS = ["float64", "float32", "bfloat16"]


def neighbours(length):
    """One step to either side on the ring."""
    return theory.circulant(jnp.eye(length)[1] + jnp.eye(length)[-1])


def squared_loss(bias, head, batch):
    """The README's example."""
    tokens, labels = batch
    pooled = (jax.nn.softmax(bias) @ tokens).mean(axis=1)
    return jnp.mean((pooled @ head - labels) ** 2)


def two_layers(bias, params, tokens):
    """Two residual layers; token-wise parts after the first alone, so that the second is blind.   [C2, C6]"""
    for layer, value_map in enumerate(params):
        tokens = tokens + jax.nn.softmax(bias[layer]) @ tokens @ value_map
        tokens = tokens if layer else tokens + jnp.tanh(tokens)
    return jnp.mean(jnp.sum(tokens.mean(axis=1), axis=-1) ** 2)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(("length", "mean"), [(8, 0), (8, 10), (64, 0)])
def test_labels_are_blind_to_neighbours_at_uniform_attention(dtype, length, mean):
    tokens = jax.random.normal(KEY, (64, length, 8), dtype) + jnp.asarray(mean, dtype)
    batch, flat = (tokens, jnp.sign(tokens[:, 0, 0])), jnp.zeros((length, length), dtype)
    directions = {"neighbours": neighbours(length)}
    seen = theory.probe(squared_loss, jnp.ones(8, dtype), batch, bias=flat, directions=directions)
    assert seen.along["neighbours"].blind
    assert seen.along["neighbours"][:3] == (0, 0, 0)  # [C3]
    assert not seen.leading.blind[0]


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_blindness_is_told_layer_by_layer(dtype):
    length = 8
    params = jax.random.normal(KEY, (2, 4, 4), dtype)
    tokens, bias = jax.random.normal(KEY, (40, length, 4), dtype), jnp.zeros((2, length, length), dtype)
    directions = {"neighbours": neighbours(length)}
    along = theory.probe(two_layers, params, tokens, bias=bias, directions=directions).along["neighbours"]
    assert along.blind.tolist() == [False, True]
    assert along.high[0] > 0 == along.high[1]


def test_a_weak_signal_is_no_rounding():
    length, tilt = 8, 1e-9
    params, batch = minimal_setting(length, 4, 40, 0.0)
    exact = {"neighbours": neighbours(length), "tilted": neighbours(length) + tilt * jnp.eye(1, length)}
    seen = theory.probe(
        minimal_label_loss, params, batch, bias=jnp.zeros((length, length)), directions=exact
    ).along
    assert seen["neighbours"].blind and not seen["tilted"].blind


def test_a_loss_that_sees_nothing_has_no_signal_anywhere():
    params, batch = minimal_setting(4, 3, 8, 0.0)
    seen = theory.probe(
        minimal_label_loss,
        (*params[:2], 0 * params[2]),
        batch,
        bias=jnp.zeros((4, 4)),
        directions={"neighbours": neighbours(4)},
    )
    assert seen.along["neighbours"].blind and seen.along["neighbours"].snr == 0  # [C19]


def test_a_mean_gradient_that_cancels_is_nothing():
    numbers = jax.random.normal(KEY, (20, 5, 5))
    batch = jnp.concatenate([numbers, -(numbers + 1e-16)[::-1]])
    loss = lambda bias, params, batch: jnp.mean(jnp.sum(batch * bias[None], axis=(1, 2)))
    seen = theory.probe(loss, None, batch, bias=jnp.zeros((5, 5)))
    assert np.isnan(seen.mean_energy.visible_share)
    assert seen.sample_energy.visible_share > 0


def test_rounding_around_a_constant_is_no_noise():
    numbers = np.random.default_rng(0)
    projections = 1 + 1e-16 * numbers.integers(-3, 3, 50)
    assert np.isnan(signal(projections, 1e-15).snr)
    assert signal(projections - 1, 1e-15).blind


def test_held_out_rounding_is_no_signal():
    products = np.eye(30) + 1e-17 * np.random.default_rng(1).normal(size=(30, 30))  # all gradients orthogonal
    assert leading_signal(products, 2, jax.random.key(0), 1e-14).blind.all()
