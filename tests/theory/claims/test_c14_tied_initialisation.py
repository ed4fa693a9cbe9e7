"""C14: tied query and key maps attend nearby before any training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from full_scale.model.positions import sinusoidal
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c14_tied_initialisation import claim as c14
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import EXACT_FLOAT64, FLOAT32, STANDARD_ERRORS


def test_every_check_passes(verdict):
    assert verdict("C14").passed, verdict("C14")


@given(lengths())
def test_no_cyclic_lag_exceeds_the_diagonal_whatever_the_encodings_and_the_map(setting: Setting):
    positions, query_map = np.asarray(setting.normal(setting.length, 5)), np.asarray(setting.normal(5, 2))
    scores = (positions @ query_map) @ (positions @ query_map).T
    by_lag = [np.mean(np.diag(np.roll(scores, -lag, axis=1))) for lag in range(setting.length)]
    assert max(by_lag) <= by_lag[0] * (1 + EXACT_FLOAT64)


@given(lengths())
def test_the_proximity_from_the_kernel_is_that_of_the_attention_at_every_length(setting: Setting):
    length = setting.length
    log_weight, places = np.asarray(setting.normal(length)), np.arange(length)
    lags = np.abs(places[:, None] - places[None, :])
    weights = np.exp(log_weight[lags])
    weights /= weights.sum(axis=1, keepdims=True)
    expected = (weights * (lags <= 1)).sum() / ((lags <= 1).sum() / length)
    assert float(proximity_within_one(jnp.asarray(log_weight))) == pytest.approx(expected, rel=EXACT_FLOAT64)


proximity_within_one = compiled(lambda log_weight: theory.proximity(log_weight, 1))


@pytest.mark.parametrize(
    ("scale", "times"), [(1 / 3, 2.3), (2 / 3, 5.4), (1.0, 12.0)], ids=["default", "normalised", "xavier"]
)
def test_the_prior_at_the_size_of_amos_et_al(scale, times):
    kernel = theory.sinusoidal_kernel(1024, 512)
    share = proximity_within_one(theory.tied_log_weight(kernel, scale / 512, 64))
    assert float(share) == pytest.approx(times, rel=0.03)
    assert float(
        proximity_within_one(theory.independent_log_weight(kernel, scale / 512, 64))
    ) == pytest.approx(1)


def test_the_expected_proximity_is_that_of_draws_to_leading_order_in_the_features():
    length, width, features, numbers = 24, 16, 64, np.random.default_rng(0)
    variance, positions = 1.5 / (8 * 8), np.asarray(theory.sinusoidal_positions(length, width))
    near = np.abs(np.subtract.outer(np.arange(length), np.arange(length))) <= 1
    queries = positions @ (variance**0.5 * numbers.normal(size=(400, width, features)))
    weights = np.exp(queries @ queries.transpose(0, 2, 1) / 8)
    weights /= weights.sum(axis=2, keepdims=True)
    drawn = (weights * near).sum(axis=(1, 2)) / (near.sum() / length)
    log_weight = theory.tied_log_weight(theory.sinusoidal_kernel(length, width), variance, features)
    assert float(proximity_within_one(log_weight)) == pytest.approx(drawn.mean(), rel=2 / features)
    assert drawn.mean() - STANDARD_ERRORS * drawn.std() / 20 > 1.3


def test_for_many_features_the_weight_is_the_exponential_of_the_mean_score():
    kernel, size = np.asarray(theory.sinusoidal_kernel(16, 8)), 0.3
    gaps = []
    for features in (100, 10_000):
        variance = size / features**0.5
        weight = np.asarray(theory.tied_log_weight(jnp.asarray(kernel), variance, features))
        gaps.append(np.abs(weight - size * kernel).max())
    assert gaps[1] == pytest.approx(gaps[0] / 100, rel=0.05)


def test_the_encodings_are_those_of_the_transformers():
    np.testing.assert_allclose(theory.sinusoidal_positions(50, 12), sinusoidal(50, 12), atol=10 * FLOAT32)


def test_an_odd_width_has_a_sine_without_a_cosine():
    for function in (theory.sinusoidal_positions, theory.sinusoidal_kernel):
        with pytest.raises(ValueError, match="need an even width: got width=7; try width=8"):
            function(10, 7)


@pytest.mark.parametrize(
    ("form", "gap", "tolerance"),
    [
        ("sinusoidal_kernel", lambda key: c14.kernel_gap(c14.sinusoids, key), EXACT_FLOAT64),
        ("tied_score_mean", c14.moment_gap, EXACT_FLOAT64),
        ("tied_score_variance", c14.moment_gap, EXACT_FLOAT64),
        ("tied_log_weight", c14.moment_gap, EXACT_FLOAT64),
    ],
)
def test_a_millionth_of_an_error_is_found(form, gap, tolerance, monkeypatch):
    monkeypatch.setattr(c14, form, planted(getattr(c14, form)))
    assert measure(lambda key: gap(key), jax.random.key(0)) > tolerance


def test_an_error_in_the_flat_weight_is_found(monkeypatch):
    right = c14.independent_log_weight
    monkeypatch.setattr(c14, "independent_log_weight", lambda *args: -right(*args))
    gap = lambda key: c14.sampled_attention(c14.independent, key)
    assert measure(gap, jax.random.key(0)) > STANDARD_ERRORS
