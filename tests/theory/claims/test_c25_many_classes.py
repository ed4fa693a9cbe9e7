"""C25: the saddle for any number of classes, and its rate as a Fisher ratio."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from theory.claims.c25_many_classes import claim as c25
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C25").passed, verdict("C25")


def drawn(classes: int):
    """Features and responses of a sample in each class, and shares that are not equal."""
    features = jax.random.normal(jax.random.key(0), (classes, 1))
    shares = jnp.arange(1.0, classes + 1) / jnp.arange(1.0, classes + 1).sum()
    return features, jax.random.normal(jax.random.key(1), (classes, 1, 3, 3)), shares


def test_two_classes_have_the_rate_and_the_contrast_of_the_binary_saddle():
    features, responses, shares = drawn(2)
    labels = jnp.arange(2)
    binary = theory.label_saddle(features, responses, labels.astype(float), shares)
    many = theory.many_class_saddle(features, responses, labels, shares, 2)
    np.testing.assert_allclose(many.contrast[2], binary.contrast[0], rtol=EXACT_FLOAT64)
    np.testing.assert_allclose(many.contrast[0], -binary.contrast[0], rtol=EXACT_FLOAT64)
    size = jnp.linalg.norm(binary.contrast[0])
    slow = size**2 / (shares[0] * shares[1] * 0.7)
    assert float(theory.class_contrast_rate(shares, responses[:, 0], 0.7)) == pytest.approx(float(slow))


def test_classes_of_one_mean_response_have_no_way_down():
    features, responses, shares = drawn(4)
    alike = jnp.broadcast_to(responses[:1], responses.shape)
    saddle = theory.many_class_saddle(features, alike, jnp.arange(4), shares, 4)
    assert float(jnp.abs(saddle.contrast).max()) <= EXACT_FLOAT64
    assert float(theory.class_contrast_rate(shares, alike[:, 0], 1.0)) <= EXACT_FLOAT64


def test_a_share_that_is_squared_is_found(monkeypatch):
    def wrong(features, responses, labels, chances, classes, penalty=0.0):
        right = theory.many_class_saddle(features, responses, labels, chances, classes, penalty)
        shares = chances @ jax.nn.one_hot(labels, classes)
        scale = jnp.repeat(shares, features.shape[1] + 1)[:, None, None]
        return right._replace(contrast=right.contrast * scale / scale.max())

    monkeypatch.setattr(c25, "many_class_saddle", wrong)
    assert measure(c25.hessian_gap, jax.random.key(0)) > EXACT_FLOAT64
