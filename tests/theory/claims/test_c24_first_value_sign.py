"""C24: the first value has the sign of sum_{r != 0} C(r), keeps it, and decides where attention goes."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c24_first_value_sign import claim as c24
from theory.claims.c24_first_value_sign import flow as c24_flow
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C24").passed, verdict("C24")


@given(lengths())
def test_under_masks_the_loss_is_flat_at_the_fitted_value_at_every_length(setting: Setting):
    length, rate = setting.length, float(setting.numbers.uniform(0, 0.9))

    @compiled
    def gap(autocovariance):
        flat, covariance = jnp.zeros((length, length)), theory.circulant(autocovariance)[:, None, :, None]
        loss = lambda value: theory.masked_loss(flat, value[None, None], covariance, rate, jnp.zeros(1))
        best = theory.masked_fitted_value(autocovariance, rate)
        first, last = jax.grad(loss)(jnp.zeros(())), jax.grad(loss)(best)
        claimed = (rate - 1) * theory.sum_excess(autocovariance) / length
        scale = jnp.abs(autocovariance).sum() / length * jnp.maximum(1, jnp.abs(best))
        return relative_gap(jnp.stack([first, last]), jnp.stack([claimed, 0 * claimed]), scale=scale)

    assert gap(setting.autocovariance()) <= EXACT_FLOAT64


def test_permuting_positions_keeps_the_excess_and_sequences_that_sum_to_zero_have_the_least():
    words = np.array([word for word in itertools.product((-1.0, 1.0), repeat=6) if sum(word) == 0])
    runs = words[(words != np.roll(words, 1, axis=1)).sum(axis=1) == 2]
    for bag in (words, runs):  # all orders of the bag, and those in two runs
        moments = bag.T @ bag / len(bag)
        autocovariance = theory.circulant_kernel(jnp.asarray(moments))
        assert float(theory.sum_excess(autocovariance)) == pytest.approx(-1, rel=EXACT_FLOAT64)


def test_where_no_mask_is_drawn_the_fitted_value_is_that_of_one_hidden_token():
    autocovariance = theory.markov_autocovariance(16, 0.6)
    assert float(theory.masked_fitted_value(autocovariance, 0.0)) == pytest.approx(
        float(theory.fitted_value(autocovariance)), rel=EXACT_FLOAT64
    )


def test_a_large_sum_of_zero_is_predicted_by_minus_one_over_the_mask_rate():
    autocovariance = theory.markov_autocovariance(1024, 0.5)
    autocovariance = autocovariance - autocovariance.mean()
    assert float(theory.masked_fitted_value(autocovariance, 0.5)) == pytest.approx(-2, rel=0.01)


def test_attention_goes_to_correlated_tokens_or_away_from_them_with_the_clock():
    autocovariance = theory.markov_autocovariance(16, 0.5)
    for clock in (0.5, -0.5):
        scores = np.asarray(theory.early_flow_scores(clock, autocovariance))
        assert scores[0] == 0 and np.all(np.sign(scores[1:]) == np.sign(clock))
        assert np.all(np.diff(np.abs(scores[1:9])) < 0)


def test_a_weak_balance_is_overcome_by_a_small_start_and_positive_data_by_none():
    near = jnp.asarray([1.0, 0.4, -0.41, 0.0, -0.41, 0.4])
    square = 6 * 0.02**2 / float(near[1:] @ near[1:])
    assert float(theory.flip_threshold(near)) == pytest.approx(np.sqrt(square), rel=0.02)
    assert float(theory.flip_threshold(theory.markov_autocovariance(16, 0.5))) == np.inf


def test_at_the_threshold_the_value_just_reaches_zero():
    autocovariance = c24_flow.centred(64, jax.random.key(0))
    start = theory.flip_threshold(autocovariance)
    clocks = jnp.linspace(0, 0.999 / float(autocovariance[1]), 2000)
    square = jax.vmap(lambda clock: theory.early_flow_square(clock, start, autocovariance))(clocks)
    assert abs(float(square.min())) < 1e-5 * float(start**2) and float(square[0]) == float(start**2)


@pytest.mark.parametrize("form", ["sum_excess", "masked_fitted_value"])
def test_a_millionth_of_an_error_is_found(form, monkeypatch):
    monkeypatch.setattr(c24, form, planted(getattr(c24, form)))
    assert measure(lambda key: c24.slope_gap(c24.hidden_token, key), jax.random.key(0)) > EXACT_FLOAT64


def test_a_wrong_path_and_a_wrong_threshold_are_found(monkeypatch):
    right, apart = c24_flow.early_flow_square, c24_flow.flip_threshold
    monkeypatch.setattr(c24_flow, "early_flow_square", lambda *given: 1.01 * right(*given))
    assert measure(lambda key: c24_flow.order_gap(key), jax.random.key(0)) > ASYMPTOTIC_EXPONENT
    monkeypatch.setattr(c24_flow, "flip_threshold", lambda autocovariance: 1.2 * apart(autocovariance))
    assert measure(lambda key: c24_flow.turn_gap(1.0, key), jax.random.key(0)) > 0
