"""C12: the flow of L^2 scores is the flow of L numbers, and ends at the nearest neighbours."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c12_reduced_flow import claim as c12
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C12").passed, verdict("C12")


@given(lengths())
def test_the_reduced_loss_and_its_gradients_are_the_full_ones_at_every_length(setting: Setting):
    length, value = setting.length, float(setting.numbers.normal())
    autocovariance = setting.autocovariance()

    @compiled
    def gaps(kernel):
        full = (theory.circulant(kernel), value, theory.circulant(autocovariance))
        loss, (by_scores, by_value) = jax.value_and_grad(theory.reconstruction_loss, argnums=(0, 1))(*full)
        slope = theory.reconstruction_kernel_gradient(kernel, value, autocovariance)
        return (
            relative_gap(theory.reduced_loss(kernel, value, autocovariance), loss),
            relative_gap(theory.circulant(slope) / length, by_scores),
            relative_gap(theory.reduced_value_gradient(kernel, value, autocovariance), by_value),
        )

    assert max(gaps(setting.normal(length))) <= EXACT_FLOAT64


@given(lengths(shortest=3))
def test_nearest_neighbours_are_the_best_masked_predictor_of_a_markov_ring(setting: Setting):
    length, correlation = setting.length, setting.correlation()
    lags = jnp.arange(length)

    @compiled
    def gaps(correlation):
        autocovariance = theory.markov_autocovariance(length, correlation)
        beside = jnp.where((lags == 1) | (lags == length - 1), 0.0, -jnp.inf)
        value = theory.nearest_neighbour_value(correlation)
        reached = theory.reduced_loss(beside, value, autocovariance)
        conditional = 0.5 / jnp.linalg.inv(theory.circulant(autocovariance))[0, 0]
        claimed = theory.nearest_neighbour_loss(length, correlation)
        return relative_gap(reached, claimed), relative_gap(claimed, conditional)

    assert max(gaps(jnp.asarray(correlation))) <= 10 * EXACT_FLOAT64  # the inverse's condition number


def test_weight_on_the_masked_token_is_traded_for_value():
    autocovariance, lags = theory.markov_autocovariance(8, 0.6), jnp.arange(8)
    best = theory.nearest_neighbour_loss(8, 0.6)
    for weight in (0.1, 0.5, 0.9):
        side = jnp.log(jnp.where((lags == 1) | (lags == 7), (1 - weight) / 2, 0.0))
        value = theory.nearest_neighbour_value(0.6) / (1 - weight)
        loss = theory.reduced_loss(side.at[0].set(jnp.log(weight)), value, autocovariance)
        assert loss == pytest.approx(best, rel=EXACT_FLOAT64)


def test_finite_scores_stay_above_the_infimum_and_approach_it():
    autocovariance, lags = theory.markov_autocovariance(8, 0.6), jnp.arange(8)
    beside = jnp.where((lags == 1) | (lags == 7), 1.0, 0.0)
    value, best = theory.nearest_neighbour_value(0.6), theory.nearest_neighbour_loss(8, 0.6)
    excess = [
        float(theory.reduced_loss(size * beside, value, autocovariance) - best) for size in (2, 4, 8, 16)
    ]
    assert min(excess) > 0
    assert (np.diff(excess) < 0).all()


def test_markov_covariance_decays_from_one_and_is_even():
    autocovariance = np.asarray(theory.markov_autocovariance(9, -0.5))
    assert autocovariance[0] == pytest.approx(1.0)
    np.testing.assert_allclose(autocovariance[1:], autocovariance[:0:-1], rtol=1e-14)
    assert autocovariance[1] < 0 < autocovariance[2]


def test_two_positions_are_no_ring():
    with pytest.raises(ValueError, match=r"at least 3 positions.*got length=2; use 3 or more"):
        theory.markov_autocovariance(2, 0.5)


@pytest.mark.parametrize("form", ["reconstruction_kernel_gradient", "reduced_value_gradient", "reduced_loss"])
def test_a_millionth_of_an_error_is_found(form, monkeypatch):
    monkeypatch.setattr(c12, form, planted(getattr(c12, form)))
    gaps = {
        "reconstruction_kernel_gradient": c12.gradient_gap,
        "reduced_value_gradient": c12.value_gap,
        "reduced_loss": c12.loss_gap,
    }
    assert measure(lambda key: gaps[form](key), jax.random.key(0)) > EXACT_FLOAT64
