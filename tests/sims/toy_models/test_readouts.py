"""Fitted readouts are the optimum of the problem they state."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64

from sims.toy_models.readouts import Readout, least_squares_readout, logistic_readout

RIDGE = 0.01
COUNT, WIDTH = 200, 3


@pytest.fixture(scope="module")
def data():
    features_key, noise_key = jax.random.split(jax.random.key(0))
    features = 2.0 * jax.random.normal(features_key, (COUNT, WIDTH)) + 1.0
    noise = jax.random.normal(noise_key, (COUNT,))
    counted = (jnp.arange(COUNT) < 150).astype(float)
    return features, features[:, 0] - 1.0 + noise, counted


def penalised(loss, features, counted):
    """The stated problem, by hand: standardised over counted rows, offset free."""
    rows = features[:150]
    scale = rows.std(axis=0)

    def objective(readout: Readout) -> jax.Array:
        each = loss(features @ readout.weights + readout.offset)
        return jnp.sum(counted * each) / 150 + RIDGE / 2 * jnp.sum((readout.weights * scale) ** 2)

    return objective


def steepest(objective, readout: Readout) -> float:
    slope = jax.grad(objective)(readout)
    return float(jnp.abs(jnp.append(slope.weights, slope.offset)).max())


def test_the_logistic_readout_is_stationary_for_its_penalised_loss(data):
    features, targets, counted = data
    labels = (targets > 0).astype(jnp.int32)
    loss = lambda score: jax.nn.softplus(score) - labels.astype(float) * score
    readout = logistic_readout(features, labels, counted, RIDGE)
    objective = penalised(loss, features, counted)
    assert steepest(objective, readout) < EXACT_FLOAT64
    assert steepest(objective, Readout(readout.weights, readout.offset + 0.01)) > 1e-4


def test_the_least_squares_readout_is_stationary_for_its_penalised_loss(data):
    features, targets, counted = data
    readout = least_squares_readout(features, targets, counted, RIDGE)
    objective = penalised(lambda score: (targets - score) ** 2 / 2, features, counted)
    assert steepest(objective, readout) < EXACT_FLOAT64
    assert steepest(objective, Readout(1.01 * readout.weights, readout.offset)) > 1e-4


def test_rows_that_do_not_count_do_not_matter(data):
    features, targets, counted = data
    spoilt = features.at[150:].set(50.0)
    first, second = (least_squares_readout(each, targets, counted, RIDGE) for each in (features, spoilt))
    np.testing.assert_allclose(first.weights, second.weights, rtol=EXACT_FLOAT64)


def test_the_unit_of_a_feature_does_not_matter(data):
    features, targets, counted = data
    units = jnp.array([1.0, 1e3, 1e-3])
    labels = (targets > 0).astype(jnp.int32)
    first = logistic_readout(features, labels, counted, RIDGE)
    second = logistic_readout(features * units[None], labels, counted, RIDGE)
    np.testing.assert_allclose(second(features * units[None]), first(features), rtol=1e4 * EXACT_FLOAT64)
