"""C21: scores that are the same for every query stay so under label training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c21_equal_rows import claim as c21
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64
from theory.label_blindness.query_independence import pooled_by_key_bias, shared_row_gradient
from theory.minimal_model.attention import cross_entropy, mixed


def test_every_check_passes(verdict):
    assert verdict("C21").passed, verdict("C21")


@given(lengths())
def test_a_plain_step_on_every_score_is_a_step_of_the_key_bias_at_every_length(setting: Setting):
    length, value_map, head = setting.length, setting.normal(3, 3), setting.normal(4, 3)
    tokens, rows, bias = setting.normal(length, 3), setting.normal(length), setting.normal(length)

    @compiled
    def gap(rows, bias):
        loss = lambda vector: cross_entropy(head @ vector, jnp.asarray(2))
        pool = lambda scores: jnp.tanh(mixed(scores, tokens, value_map)).mean(axis=0)
        full = jax.grad(lambda scores: loss(pool(scores)))(rows[:, None] + bias[None, :])
        single = lambda bias: loss(pooled_by_key_bias(bias, tokens, value_map, jnp.tanh))
        return relative_gap(length * full, jnp.broadcast_to(jax.grad(single)(bias)[None, :], full.shape))

    assert gap(rows, bias) <= EXACT_FLOAT64


def test_the_shared_row_sums_to_zero():
    numbers = np.random.default_rng(0)
    bias, tokens, pulled = (jnp.asarray(numbers.normal(size=size)) for size in (6, (6, 3), 3))
    assert abs(shared_row_gradient(bias, tokens, jnp.eye(3), pulled).sum()) <= EXACT_FLOAT64


def test_uniform_attention_is_the_key_bias_law():
    numbers = np.random.default_rng(0)
    tokens, pulled = (jnp.asarray(numbers.normal(size=size)) for size in ((6, 3), 3))
    law = theory.label_score_gradient(jnp.zeros((6, 6)), tokens, jnp.eye(3), pulled)
    np.testing.assert_allclose(
        shared_row_gradient(jnp.zeros(6), tokens, jnp.eye(3), pulled), law[0], atol=1e-15
    )


def test_decay_inside_the_normalisation_tells_queries_apart():
    gap = lambda key: c21.rows_gap(c21.attended, key, coupled=0.1)
    assert measure(gap, jax.random.key(0)) > 1e-3


def test_a_millionth_of_an_error_is_found(monkeypatch):
    monkeypatch.setattr(c21, "shared_row_gradient", planted(c21.shared_row_gradient))
    assert measure(lambda key: c21.gradient_gap(key), jax.random.key(0)) > EXACT_FLOAT64


def test_a_single_key_is_refused():
    with pytest.raises(ValueError, match="bias must be a floating-point vector of at least 2 lags"):
        shared_row_gradient(jnp.zeros(1), jnp.zeros((1, 3)), jnp.eye(3), jnp.zeros(3))
