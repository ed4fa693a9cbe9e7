"""C10: at uniform attention scores move along the data's autocovariance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c10_proximity_law import claim as c10
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C10").passed, verdict("C10")


@given(lengths())
def test_proximity_law_is_the_reconstruction_gradient_at_every_length(setting: Setting):
    length, value = setting.length, float(setting.numbers.normal())

    @compiled
    def gap(autocovariance):
        flat, covariance = jnp.zeros((length, length)), theory.circulant(autocovariance)
        gradient = jax.grad(theory.reconstruction_loss)(flat, value, covariance)
        return relative_gap(-gradient, theory.circulant(theory.proximity_law(value, autocovariance)))

    assert gap(setting.autocovariance()) <= EXACT_FLOAT64


@pytest.mark.parametrize("correlation", [0.3, 0.6, 0.9])
def test_positive_decreasing_covariance_gives_proximity_and_a_negative_value_its_opposite(correlation):
    autocovariance = theory.markov_autocovariance(16, correlation)
    toward = np.asarray(theory.proximity_law(0.5, autocovariance))[1:9]
    away = np.asarray(theory.proximity_law(-0.5, autocovariance))[1:9]
    assert (np.diff(toward) < 0).all()
    assert (np.diff(away) > 0).all()


def test_the_correction_is_of_order_one_over_length_except_at_the_masked_token_itself():
    @compiled
    def departure(autocovariance):
        exact = theory.proximity_law(0.7, autocovariance)
        return jnp.abs(exact / theory.leading_proximity_law(0.7, autocovariance) - 1)[:2]

    ratios = []
    for length in (32, 64, 128):
        at_zero, at_one = departure(theory.markov_autocovariance(length, 0.6))
        ratios.append((float(at_one * length), float(at_zero)))
    along, at_itself = np.transpose(ratios)
    assert along.max() < 2 * along.min()  # constant once multiplied by L
    assert at_itself.min() > 0.5  # does not fall


def test_the_masked_token_repels_until_the_value_is_fitted():
    autocovariance = theory.markov_autocovariance(16, 0.6)
    fitted = theory.fitted_value(autocovariance)
    pull = lambda value: float(theory.proximity_law(value, autocovariance)[0])
    assert pull(0.9 * fitted) < 0 < pull(1.1 * fitted)
    assert abs(pull(fitted)) < EXACT_FLOAT64


def test_a_millionth_of_an_error_is_found(monkeypatch):
    monkeypatch.setattr(c10, "proximity_law", planted(c10.proximity_law))
    gap = lambda key: c10.law_gap(c10.masked_out, c10.flat_scores, key)
    assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64


def test_lag_one_is_pulled_most_at_every_seed():
    gap = jax.jit(c10.sign_gap)
    assert max(float(gap(jax.random.key(seed))) for seed in range(60)) == 0.0
