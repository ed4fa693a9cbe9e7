"""C19: with attention frozen uniform and the rest fitted, labels are silent and reconstruction is not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c19_adiabatic_blindness import head as c19_head
from theory.claims.c19_adiabatic_blindness import reconstruction as c19_reconstruction
from theory.claims.checks import populations
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C19").passed, verdict("C19")


@given(lengths())
def test_residual_label_gradient_is_the_gradient_and_vanishes_with_the_head_at_every_length(setting: Setting):
    length = setting.length
    tokens, value_map = setting.normal(length, 3), setting.normal(3, 3)

    @compiled
    def gaps(scores, head):
        loss = lambda s, w: w @ theory.pooled_features(s, tokens, value_map, jnp.tanh)
        hidden = tokens + theory.mixed(scores, tokens, value_map)
        pulled = head[None, :] * (1 - jnp.tanh(hidden) ** 2)
        weights = theory.attention_weights(scores)
        closed = theory.residual_score_gradient(weights, tokens, value_map, pulled)
        silent = jax.grad(loss)(scores, jnp.zeros(3))
        return relative_gap(closed, jax.grad(loss)(scores, head)), jnp.abs(silent).max()

    wrong, silent = gaps(setting.normal(length, length), setting.normal(3))
    assert wrong <= EXACT_FLOAT64
    assert silent == 0.0


@given(lengths(shortest=3))
def test_reconstruction_gradient_at_the_fitted_value_is_the_residual_covariance(setting: Setting):
    length = setting.length

    @compiled
    def gap(correlation):
        autocovariance = theory.markov_autocovariance(length, correlation)
        covariance, value = theory.circulant(autocovariance), theory.fitted_value(autocovariance)
        by_jax = jax.grad(theory.reconstruction_loss)(jnp.zeros((length, length)), value, covariance)
        law = value / length**2 * theory.residual_covariance(autocovariance)
        return jnp.abs(theory.circulant(law) + by_jax).max() / jnp.abs(value * autocovariance[0] / length**2)

    assert gap(jnp.asarray(setting.correlation())) <= EXACT_FLOAT64


def test_exchangeable_data_silence_reconstruction_too():
    exchangeable = jnp.full(9, 0.4).at[0].set(1.0)
    assert jnp.abs(theory.residual_covariance(exchangeable)).max() < EXACT_FLOAT64
    assert theory.residual_covariance(theory.markov_autocovariance(9, 0.5))[1] > 0.1


def test_the_fitted_head_is_where_its_loss_is_flat():
    numbers = np.random.default_rng(0)
    features, labels = (
        jnp.asarray(numbers.normal(size=(50, 3))),
        jnp.asarray(numbers.integers(0, 2, 50) * 1.0),
    )
    chances = jnp.full(50, 1 / 50)
    head = theory.fit_head(features, labels, chances, 0.1)
    slope = jax.grad(theory.head_loss)(head, features, labels, chances, 0.1)
    assert max(jnp.abs(part).max() for part in slope) < EXACT_FLOAT64
    assert jnp.abs(head.weights).max() > 0.01


def test_the_population_is_one_and_its_bags_say_nothing():
    population = populations.ordered_against_shuffled()
    assert population.chances.sum() == pytest.approx(1.0)
    assert abs(populations.bag_information(population)) < EXACT_FLOAT64
    assert populations.bag_information(populations.ordered_against_shuffled(0.3)) > 0.01
    assert populations.one_bag().chances.sum() == pytest.approx(1.0)


def test_features_that_differ_only_in_spread_leave_the_head_at_zero():
    features = jnp.asarray([[-2.0], [2.0], [-1.0], [1.0]])
    head = theory.fit_head(features, jnp.asarray([1.0, 1.0, 0.0, 0.0]), jnp.full(4, 0.25), 0.1)
    assert abs(head.weights[0]) < EXACT_FLOAT64


@pytest.mark.parametrize("form", ["residual_covariance", "fitted_value"])
def test_a_millionth_of_an_error_is_found(form, monkeypatch):
    monkeypatch.setattr(c19_reconstruction, form, planted(getattr(c19_reconstruction, form)))
    assert measure(lambda key: c19_reconstruction.reconstruction_gap(key), jax.random.key(0)) > EXACT_FLOAT64


def test_a_balanced_sum_of_covariances_leaves_nothing_to_reconstruct_with_though_they_differ():
    autocovariance = jnp.asarray([1.0, 0.3, -0.3, -0.3, 0.3])
    assert abs(theory.fitted_value(autocovariance)) < EXACT_FLOAT64
    assert jnp.abs(theory.residual_covariance(autocovariance)).max() > 0.2


@pytest.mark.parametrize("factor", [0.5, 1.2, 2.0])
def test_the_bound_on_the_head_is_felt_from_both_sides(factor, monkeypatch):
    bound = c19_head.head_size_bound
    monkeypatch.setattr(c19_head, "head_size_bound", lambda *args: factor * bound(*args))
    assert measure(c19_head.half_gap, jax.random.key(0)) > ASYMPTOTIC_EXPONENT
