"""The closed forms and toy layers measure what `theory.probe` measures of the same losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from sims.toy_models import residual_layer
from sims.toy_models.residual_layer import Sample
from sims.toy_models.score_gradients import alignment, label_gradient_rank, mean_label_loss
from tests.tolerances import EXACT_FLOAT64
from theory.minimal_model.attention import cross_entropy
from theory.probes import unbiased_snr

LENGTH, COUNT, KEY = 6, 12, jax.random.key(7)


@pytest.fixture(scope="module")
def minimal():
    """Head, labelled scalar tokens, and the probe of the label loss at uniform attention."""
    head = jax.random.normal(jax.random.key(1), (2, 1))
    tokens = jax.random.normal(KEY, (COUNT, LENGTH, 1))
    labels = jnp.arange(COUNT, dtype=jnp.int32) % 2
    flat, near = jnp.zeros((LENGTH, LENGTH)), theory.lag_direction(LENGTH, 1)
    loss = lambda bias, head, batch: mean_label_loss(bias, batch[0], head, batch[1])
    return head, tokens, labels, theory.probe(loss, head, (tokens, labels), bias=flat, directions={"1": near})


def test_closed_label_gradients_are_the_probe_s(minimal):
    head, tokens, labels, probed = minimal
    flat, one = jnp.zeros((LENGTH, LENGTH)), jnp.eye(1)

    def gradient(row, label):
        output = theory.pooled(flat, row, one)
        return theory.label_score_gradient(
            flat, row, one, jax.grad(lambda z: cross_entropy(head @ z, label))(output)
        )

    mean = jax.vmap(gradient)(tokens, labels).mean(axis=0)
    np.testing.assert_allclose(mean, probed.mean_gradient, atol=EXACT_FLOAT64)
    assert theory.key_bias_share(mean) == pytest.approx(float(probed.mean_energy.visible_share))
    heads = jax.random.normal(jax.random.key(2), (COUNT, 1))
    assert label_gradient_rank(flat, tokens, one, heads) == int(probed.spectrum.rank) == LENGTH - 1
    assert probed.along["1"].blind and probed.along["1"].snr == 0  # [C2]


def test_minus_a_gradient_is_aligned_with_itself_alone(minimal):
    gradient = jnp.asarray(minimal[-1].mean_gradient)
    assert alignment(gradient, -gradient) == pytest.approx(1, rel=EXACT_FLOAT64)
    assert alignment(gradient, theory.lag_direction(LENGTH, 1)) == pytest.approx(0, abs=EXACT_FLOAT64)


def test_signals_of_the_residual_layer_are_the_probe_s():
    layer = residual_layer.draw_layer(3, 0.5, key=KEY)
    tokens = jax.random.normal(KEY, (COUNT, LENGTH))
    labels = jnp.arange(COUNT, dtype=jnp.int32) % 2
    sample = Sample(tokens, labels, jnp.zeros(tokens.shape, bool))
    head = residual_layer.fit_head(layer, sample, jnp.ones(COUNT), 1e-2)

    def loss(bias, _, batch):
        def one(row, label):
            column, unit = row[:, None], jnp.ones((1, 1))
            logit = head(theory.pooled_features(bias, column, unit, layer))
            return cross_entropy(jnp.stack([jnp.zeros_like(logit), logit]), label)

        return jax.vmap(one)(*batch).mean()

    directions = {str(r): theory.lag_direction(LENGTH, r, cyclic=True) for r in (1, 2, 3)}
    flat = jnp.zeros((LENGTH, LENGTH))
    probed = theory.probe(loss, None, (tokens, labels), bias=flat, directions=directions)
    along = np.asarray(residual_layer.label_gradients_along(layer, head, sample))
    expected = np.array([probed.along[str(r)].snr for r in (1, 2, 3)])
    assert np.abs(expected).min() > 0
    np.testing.assert_allclose(unbiased_snr(along), expected, atol=EXACT_FLOAT64)
