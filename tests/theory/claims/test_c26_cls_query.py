"""C26: a head on one position feels one row of the scores."""

import jax
import jax.numpy as jnp
import numpy as np

import theory
from theory.claims.c26_cls_query import claim as c26
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C26").passed, verdict("C26")


def test_without_a_feature_map_it_is_the_last_row_law_of_the_pool():
    scores, tokens = (
        jax.random.normal(jax.random.key(0), (5, 5)),
        jax.random.normal(jax.random.key(1), (5, 2)),
    )
    gradient = theory.cls_score_gradient(scores, tokens, jnp.eye(2), jnp.asarray([1.0, 0.0]))
    slope = jax.grad(lambda s: (theory.attention_weights(s) @ tokens[:, 0])[0])(scores)
    np.testing.assert_allclose(gradient, slope, atol=EXACT_FLOAT64)


def test_a_law_for_every_row_is_found(monkeypatch):
    right = theory.cls_score_gradient
    monkeypatch.setattr(c26, "cls_score_gradient", lambda *args: right(*args) + 1e-6)
    assert measure(c26.law_gap, jax.random.key(0)) > EXACT_FLOAT64
