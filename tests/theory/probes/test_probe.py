"""The probe: what a loss sees of attention scores, for models that the theory has closed forms for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from tests.theory.probes.probed_losses import EXACT, KEY, minimal_label_loss, minimal_setting
from theory.probes import Objective, gram
from theory.probes.sources import differentiated


def ring_reconstruction(bias, value, batch):
    """The masked loss of C8 on each sequence's own second moments."""
    covariances = batch[:, :, None] * batch[:, None, :]
    return jax.vmap(lambda c: theory.reconstruction_loss(bias, value, c))(covariances).mean()


def residual_loss(bias, params, batch):
    """A residual layer with an MLP before the pool: C6's setting."""
    value_map, hidden, head = params
    tokens, targets = batch
    features = lambda x: theory.pooled_features(bias, x, value_map, lambda rows: jnp.tanh(rows @ hidden.T))
    return jnp.mean((jax.vmap(features)(tokens) @ head - targets) ** 2) / 2


def two_layers(bias, params, batch):
    """Two residual layers of two heads, bias of shape (2, 2, L, L), mean pool."""
    stream = batch
    for layer, (value_maps, hidden) in enumerate(params):
        weights = jax.nn.softmax(bias[layer])
        stream = stream + jnp.einsum("hqk,nkw,hwv->nqv", weights, stream, value_maps)
        stream = stream + jnp.tanh(stream @ hidden)
    return jnp.mean(jnp.sum(stream.mean(axis=1), axis=-1) ** 2)


@pytest.mark.parametrize("case", range(20))
def test_the_probe_finds_the_ranks_of_the_pooling_bottleneck(case):
    numbers = np.random.default_rng(case)
    length, width = int(numbers.integers(2, 13)), int(numbers.integers(1, 7))
    params, batch = minimal_setting(
        length, width, length + 4, float(numbers.uniform(0, 1.5)), jax.random.key(case)
    )
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((length, length)))
    assert seen.spectrum.rank == length - 1  # [C1]
    assert seen.rank_is_conclusive


def test_too_few_samples_leave_the_rank_open():
    params, batch = minimal_setting(12, 4, 6, 0.5)
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((12, 12)))
    assert seen.spectrum.rank == 6
    assert not seen.rank_is_conclusive


def test_label_gradients_are_key_biases_and_reconstruction_gradients_doubly_centred():
    length = 8
    params, batch = minimal_setting(length, 4, 20, 0.0)
    labels = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((length, length)))
    assert labels.mean_energy.visible_share == pytest.approx(1.0, abs=EXACT)  # [C2]
    assert labels.sample_energy.visible_share == pytest.approx(1.0, abs=EXACT)

    covariance = theory.circulant(theory.markov_autocovariance(length, 0.6))
    rings = jax.random.normal(KEY, (length * length, length))
    rings = jnp.linalg.svd(rings, full_matrices=False)[0] * length @ jnp.linalg.cholesky(covariance).T
    seen = theory.probe(ring_reconstruction, 0.7, rings, bias=jnp.zeros((length, length)))
    assert seen.mean_energy.visible_share == pytest.approx(0.0, abs=EXACT)  # [C9], moments made exact
    assert seen.sample_energy.visible_share > 0.01  # no single sequence is stationary


def test_the_gauge_is_never_seen_through_a_softmax():
    params, batch = minimal_setting(7, 3, 10, 1.0)
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((7, 7)))
    assert seen.sample_energy.gauge < EXACT**2 * 1e3 * seen.sample_energy.key_bias


def test_the_mean_gradient_of_a_residual_layer_is_the_closed_form():
    length, width, samples = 6, 4, 9
    keys = jax.random.split(KEY, 5)
    params = tuple(
        jax.random.normal(key, shape)
        for key, shape in zip(keys, [(width, width), (width, width), (width,)], strict=False)
    )
    batch = jax.random.normal(keys[3], (samples, length, width)), jax.random.normal(keys[4], (samples,))
    seen = theory.probe(residual_loss, params, batch, bias=jnp.zeros((length, length)))

    value_map, hidden, head = params

    def closed(tokens, target):
        flat = jnp.full((length, length), 1 / length)
        stream = tokens + flat @ tokens @ value_map.T
        slopes = 1 - jnp.tanh(stream @ hidden.T) ** 2
        error = jnp.tanh(stream @ hidden.T).mean(axis=0) @ head - target
        return theory.residual_score_gradient(
            flat, tokens, value_map, error * (slopes * head[None, :]) @ hidden
        )

    expected = np.asarray(jax.vmap(closed)(*batch).mean(axis=0))  # [C6]
    assert np.abs(seen.mean_gradient - expected).max() < EXACT * np.abs(expected).max()
    assert 0.01 < seen.mean_energy.visible_share < 0.99


def test_layers_and_heads_are_told_apart():
    keys = jax.random.split(KEY, 5)
    params = [
        (jax.random.normal(keys[0], (2, 3, 3)), jax.random.normal(keys[1], (3, 3))),
        (jax.random.normal(keys[2], (2, 3, 3)), jnp.zeros((3, 3))),
    ]
    batch = jax.random.normal(keys[4], (12, 5, 3))
    seen = theory.probe(two_layers, params, batch, bias=jnp.zeros((2, 2, 5, 5)), leading=2)
    share = seen.mean_energy.visible_share
    assert share.shape == (2, 2) and seen.gram.shape == (2, 2, 12, 12) and seen.leading.snr.shape == (2, 2, 3)
    assert share[1] == pytest.approx(1.0, abs=EXACT)  # linear after it, then the pool   [C2]
    assert (share[0] < 0.99).all()  # a nonlinearity on the residual stream after it   [C6]
    alone = jax.grad(two_layers)(jnp.zeros((2, 2, 5, 5)), params, batch)
    assert np.abs(seen.mean_gradient - np.asarray(alone)).max() < EXACT * np.abs(alone).max()


@pytest.mark.parametrize("memory", [10**9, 7 * 8 * 36, 3 * 8 * 36, 1])
def test_tiles_change_the_work_and_not_the_result(memory):
    params, batch = minimal_setting(6, 3, 11, 0.7)
    source = differentiated(Objective(minimal_label_loss, params, batch), jnp.zeros((6, 6)))
    every = np.asarray(source(0, 11)).reshape(11, -1)
    told = []
    found = gram(source, memory=memory, report=lambda *progress: told.append(progress))
    assert np.abs(found - every @ every.T).max() < EXACT * np.abs(found).max()
    assert told[-1][0] == told[-1][1]
    seen = theory.probe(minimal_label_loss, params, batch, bias=jnp.zeros((6, 6)), memory=memory)
    assert np.abs(seen.mean_gradient.ravel() - every.mean(axis=0)).max() < EXACT


def test_the_closed_form_gram_is_that_of_automatic_differentiation():
    scores, tokens = jax.random.normal(KEY, (7, 7)), jax.random.normal(KEY, (9, 7, 3))
    value_map, heads = jax.random.normal(KEY, (4, 3)), jax.random.normal(KEY, (9, 4))
    closed = theory.label_gram(scores, tokens, value_map, heads)
    one = lambda x, u: jax.grad(lambda s: u @ theory.pooled(s, x, value_map))(scores)
    every = jax.vmap(one)(tokens, heads).reshape(9, -1)
    assert jnp.abs(closed - every @ every.T).max() < EXACT * jnp.abs(closed).max()


def test_a_zero_head_is_seen_as_seeing_nothing_and_not_as_a_mistake():
    params, batch = minimal_setting(4, 3, 8, 0.0)
    seen = theory.probe(minimal_label_loss, (*params[:2], 0 * params[2]), batch, bias=jnp.zeros((4, 4)))
    assert seen.spectrum.rank == 0  # [C19]
    assert np.isnan(seen.mean_energy.visible_share)
