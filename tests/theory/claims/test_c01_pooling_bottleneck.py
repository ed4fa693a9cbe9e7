"""C1: a mean pool lets the label loss feel L - 1 numbers of the L^2 scores."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c01_pooling_bottleneck import claim as c01
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C1").passed, verdict("C1")


@given(lengths())
def test_label_loss_is_a_function_of_received_attention_at_every_length(setting: Setting):
    length = setting.length
    tokens, value_map, head = setting.normal(length, 3), setting.normal(3, 3), setting.normal(4, 3)
    order = jnp.asarray(setting.numbers.permutation(length))

    @compiled
    def gap(scores):
        weights = theory.attention_weights(scores)
        remixed = jnp.log((weights + 2 * weights[order]) / 3)
        loss = lambda s: theory.label_loss(s, tokens, value_map, head, jnp.asarray(2))
        by_received = value_map @ tokens.T @ theory.received(weights)
        return jnp.maximum(
            relative_gap(loss(remixed), loss(scores)),
            relative_gap(theory.pooled(scores, tokens, value_map), by_received),
        )

    assert gap(setting.normal(length, length)) <= EXACT_FLOAT64


@given(lengths())
def test_label_score_gradient_is_the_gradient_of_the_label_loss_at_every_length(setting: Setting):
    length = setting.length
    tokens, value_map, head = setting.normal(length, 3), setting.normal(3, 3), setting.normal(4, 3)

    @compiled
    def gap(scores):
        probabilities = jax.nn.softmax(head @ theory.pooled(scores, tokens, value_map))
        head_gradient = head.T @ probabilities.at[2].add(-1.0)
        closed = theory.label_score_gradient(scores, tokens, value_map, head_gradient)
        by_jax = jax.grad(theory.label_loss)(scores, tokens, value_map, head, jnp.asarray(2))
        return relative_gap(closed, by_jax)

    assert gap(setting.normal(length, length)) <= EXACT_FLOAT64


def test_a_millionth_of_an_error_in_the_gradient_is_found(monkeypatch):
    import theory.claims.checks.draws as draws

    monkeypatch.setattr(draws, "label_score_gradient", planted(draws.label_score_gradient))
    assert measure(lambda key: c01.gradient_gap(key), jax.random.key(0)) > EXACT_FLOAT64


@pytest.mark.parametrize("length", [2, 3, 17, 64])
def test_dimensions_fill_score_space_and_a_share_of_one_over_length_is_visible(length):
    parts = theory.dimensions(length)
    assert sum(parts) == length**2
    assert theory.blind_dimension(length) == parts.gauge + parts.doubly_centred
    assert theory.isotropic_visible_share(length) == pytest.approx(
        parts.key_bias / (parts.key_bias + parts.doubly_centred)
    )
