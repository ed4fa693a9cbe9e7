"""C11: the value moves first; scores follow, a factor of L later."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import PLANTED, Setting, compiled, lengths, planted
from theory.claims.c11_values_first import claim as c11
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C11").passed, verdict("C11")


@given(lengths())
def test_the_slope_in_the_value_is_linear_at_every_length(setting: Setting):
    length, value = setting.length, float(setting.numbers.normal())

    @compiled
    def gap(autocovariance):
        flat, covariance = jnp.zeros((length, length)), theory.circulant(autocovariance)
        slope = jax.grad(theory.reconstruction_loss, argnums=1)(flat, jnp.asarray(value), covariance)
        rate = theory.value_rate(autocovariance)
        scale = jnp.maximum(1.0, abs(value)) * jnp.abs(autocovariance).sum() / length
        return relative_gap(rate * (value - theory.fitted_value(autocovariance)), slope, scale=scale)

    assert gap(setting.autocovariance()) <= EXACT_FLOAT64


@pytest.mark.parametrize("correlation", [0.6, -0.6])
def test_the_first_neighbours_attract_whatever_the_sign_of_the_correlation(correlation):
    autocovariance = theory.markov_autocovariance(16, correlation)
    value = theory.value_path(1.0, 0.0, autocovariance)
    early = np.asarray(theory.early_score_law(autocovariance))
    assert np.sign(float(value)) == np.sign(correlation)
    assert early[1] > 0
    assert np.sign(early[2]) == np.sign(correlation)


def test_balanced_data_leave_value_and_scores_where_they_are():
    autocovariance = jnp.asarray([1.0, 0.4, -0.4, 0.0, -0.4, 0.4])
    flat, still = jnp.zeros((6, 6)), jnp.zeros(())
    slope = jax.grad(theory.reconstruction_loss, argnums=(0, 1))
    by_scores, by_value = slope(flat, still, theory.circulant(autocovariance))
    assert abs(float(by_value)) < EXACT_FLOAT64 and jnp.abs(by_scores).max() == 0
    assert jnp.abs(theory.early_score_law(autocovariance)).max() < EXACT_FLOAT64


def times(length: int) -> tuple[float, float]:
    """When the value is half fitted and the score of lag 1 reaches 0.05, in the joint flow of AR(1)."""
    autocovariance = np.asarray(theory.markov_autocovariance(length, 0.6))
    spectrum, lags, pace = np.fft.rfft(autocovariance).real, np.arange(length), 0.02 * length
    kernel, value, now, half = np.zeros(length), 0.0, 0.0, None
    settled = float(theory.fitted_value(jnp.asarray(autocovariance)))
    while kernel[1] - kernel.mean() < 0.05:
        weights = np.exp(kernel - kernel.max())
        weights /= weights.sum()
        kept = np.where(lags > 0, weights, 0.0)
        power = np.fft.irfft(spectrum * np.fft.rfft(kept), length)
        response = np.where(lags > 0, value**2 * power - value * autocovariance, 0.0)
        kernel = kernel - pace / length * weights * (response - weights @ response)
        value = value - pace * (value * kept @ power - kept @ autocovariance)
        now += pace
        half = now if half is None and value > settled / 2 else half
    return half, now


def test_in_the_joint_flow_value_times_grow_like_the_length_and_score_times_like_its_square():
    sizes = np.asarray([times(length) for length in (64, 128)])
    exponents = np.log2(sizes[1] / sizes[0])
    np.testing.assert_allclose(exponents, [1, 2], atol=1.5 * ASYMPTOTIC_EXPONENT)


def test_the_ratio_of_times_tends_to_its_closed_form():
    ratio = float(compiled(theory.time_ratio)(theory.markov_autocovariance(4096, 0.5))[1])
    assert ratio == pytest.approx(4096 * 1.5**2 / (2 * 0.5**2 * 0.5), rel=0.01)


@pytest.mark.parametrize(
    ("form", "gap"),
    [
        ("value_rate", lambda key: c11.value_gap(c11.masked_out, c11.flat_scores, key)),
        ("fitted_value", lambda key: c11.value_gap(c11.masked_out, c11.flat_scores, key)),
        ("early_score_law", c11.awakening_gap),
    ],
)
def test_a_millionth_of_an_error_is_found(form, gap, monkeypatch):
    monkeypatch.setattr(c11, form, planted(getattr(c11, form)))
    assert measure(lambda key: gap(key), jax.random.key(0)) > EXACT_FLOAT64


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_the_paths_solve_the_frozen_flow(start):
    autocovariance, now = theory.markov_autocovariance(8, 0.5), jnp.asarray(3.0)

    @compiled
    def gaps(now):
        along = jnp.ones(())
        value, speed = jax.jvp(lambda t: theory.value_path(t, start, autocovariance), (now,), (along,))
        _, pace = jax.jvp(lambda t: theory.score_path(t, start, autocovariance), (now,), (along,))
        flat = jnp.zeros(8)
        slope = theory.reduced_value_gradient(flat, value, autocovariance)
        return relative_gap(speed, -slope), relative_gap(pace, theory.proximity_law(value, autocovariance))

    assert max(gaps(now)) <= EXACT_FLOAT64


def test_an_error_in_the_score_path_is_found(monkeypatch):
    right = c11.score_path
    monkeypatch.setattr(c11, "score_path", lambda *args: (1 + PLANTED) * right(*args))
    assert measure(lambda key: c11.joint_gap(key), jax.random.key(0)) > ASYMPTOTIC_EXPONENT


def test_an_error_in_the_ratio_is_found(monkeypatch):
    right = c11.time_ratio
    monkeypatch.setattr(c11, "time_ratio", lambda covariance: right(covariance) * len(covariance) ** 0.2)
    assert measure(lambda key: c11.order_gap(c11.per_score, key), jax.random.key(0)) > ASYMPTOTIC_EXPONENT
