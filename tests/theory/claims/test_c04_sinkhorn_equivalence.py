"""C4: every attention pattern is label-equivalent to uniform attention, up to a key bias."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c04_sinkhorn_equivalence import claim as c04
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64, FLOAT32


def test_every_check_passes(verdict):
    assert verdict("C4").passed, verdict("C4")


@given(lengths())
def test_a_key_bias_makes_received_attention_uniform_at_every_length(setting: Setting):
    length, size = setting.length, 10.0 ** setting.numbers.uniform(-1, 1.5)
    tokens, value_map, head = setting.normal(length, 3), setting.normal(3, 3), setting.normal(4, 3)

    @compiled
    def gaps(scores):
        balanced = scores + theory.sinkhorn_key_bias(scores)[None, :]
        uniform = length * theory.received(theory.attention_weights(balanced))
        loss = lambda each: theory.label_loss(each, tokens, value_map, head, jnp.asarray(2))
        flat = loss(jnp.zeros_like(scores))
        return relative_gap(uniform, jnp.ones(length)), relative_gap(loss(balanced), flat)

    assert max(gaps(size * setting.normal(length, length))) <= EXACT_FLOAT64


def test_the_bias_sums_to_zero():
    scores = jax.random.normal(jax.random.key(0), (7, 7))
    assert abs(theory.sinkhorn_key_bias(scores).sum()) <= EXACT_FLOAT64


def test_the_potential_is_smallest_at_the_bias():
    scores = jax.random.normal(jax.random.key(0), (7, 7))
    bias = theory.sinkhorn_key_bias(scores)
    steps = jax.random.normal(jax.random.key(1), (20, 7))
    nearby = [theory.sinkhorn_potential(scores, bias + step) for step in steps]
    assert min(nearby) > theory.sinkhorn_potential(scores, bias)


def test_single_precision_is_followed():
    scores = 5 * jax.random.normal(jax.random.key(0), (16, 16), jnp.float32)
    bias = theory.sinkhorn_key_bias(scores)
    received = theory.received(theory.attention_weights(scores + bias[None, :]))
    assert bias.dtype == jnp.float32
    assert jnp.abs(16 * received - 1).max() <= FLOAT32


@pytest.mark.parametrize(("entry", "size"), [(jnp.inf, 1.0), (jnp.nan, 1.0), (0.0, 1e6)])
def test_scores_that_cannot_be_balanced_are_an_error_that_names_the_remedy(entry, size):
    scores = size * jax.random.normal(jax.random.key(0), (5, 5)).at[0, 0].set(entry)
    with pytest.raises(ValueError, match=r"must be finite and of moderate size.*divide the scores"):
        theory.sinkhorn_key_bias(scores)


def test_a_hard_mask_is_balanced_where_a_balanced_pattern_exists():
    others_only = jax.random.normal(jax.random.key(0), (5, 5)) + jnp.diag(jnp.full(5, -jnp.inf))
    balanced = others_only + theory.sinkhorn_key_bias(others_only)[None, :]
    uniform = 5 * theory.received(theory.attention_weights(balanced))
    assert jnp.abs(uniform - 1).max() <= EXACT_FLOAT64


def test_a_hard_mask_without_a_balanced_pattern_is_refused():
    crowded = jnp.zeros((5, 5)).at[:2, 1:].set(-jnp.inf)  # two queries see one key: it receives 2/L
    with pytest.raises(ValueError, match=r"must be finite and of moderate size"):
        theory.sinkhorn_key_bias(crowded)


def test_under_jit_scores_that_cannot_be_balanced_give_nan():
    scores = jnp.zeros((3, 3)).at[0, 1].set(jnp.inf)
    assert jnp.isnan(jax.jit(theory.sinkhorn_key_bias)(scores)).all()


def test_a_millionth_of_an_error_in_the_slope_is_found(monkeypatch):
    monkeypatch.setattr(c04, "imbalance", planted(c04.imbalance))
    assert measure(lambda key: c04.derivatives_gap(key), jax.random.key(0)) > EXACT_FLOAT64
