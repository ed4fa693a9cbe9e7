"""C5: a nonlinearity without a residual leaves labels blind to first order, and not to second."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c05_nonlinearity_without_residual import claim as c05
from theory.claims.c05_nonlinearity_without_residual import escape as c05_escape
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.draws import gaussian_scores
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, EXACT_FLOAT64
from theory.dynamics.escape import escape_time

NUMBERS = np.random.default_rng(0)


def test_every_check_passes(verdict):
    assert verdict("C5").passed, verdict("C5")


@given(lengths())
def test_blind_to_first_order_and_curved_as_claimed_at_every_length(setting: Setting):
    length = setting.length
    tokens, value_map, target = setting.normal(length, 2), setting.normal(2, 2), setting.normal(2)

    @compiled
    def gaps(numbers):
        direction = theory.decompose(numbers).doubly_centred

        def along(amount):
            vector = jnp.tanh(theory.mixed(amount * direction, tokens, value_map)).mean(axis=0)
            return jnp.sum((vector - target) ** 2) / 2

        slope = lambda amount: jax.jvp(along, (amount,), (1.0,))[1]
        first, second = jax.jvp(slope, (0.0,), (1.0,))
        vector = value_map @ tokens.mean(axis=0)
        through = jax.grad(lambda h: (jnp.tanh(vector) - target) @ jnp.tanh(h))
        claimed = theory.feature_curvature(
            direction, tokens, value_map, through(vector), jax.jacfwd(through)(vector)
        )
        return jnp.abs(first / claimed), relative_gap(second, claimed)

    blind, curved = gaps(setting.normal(length, length))
    assert blind <= EXACT_FLOAT64 * length
    assert curved <= EXACT_FLOAT64 * length  # sums of L^2 terms that cancel


def test_the_curvature_is_another_along_a_key_bias():
    key_bias = lambda key: theory.decompose(gaussian_scores(key, c05.LENGTH)).key_bias
    gap = lambda key: c05.curvature_gap(key, key_bias)
    assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64


def test_along_a_circulant_only_the_bend_counts():
    kernel = NUMBERS.normal(size=6)
    direction = theory.circulant(jnp.asarray(kernel - kernel.mean()))
    tokens, value_map, slope = (jnp.asarray(NUMBERS.normal(size=shape)) for shape in ((6, 2), (2, 2), (2,)))
    along = compiled(lambda bend: theory.feature_curvature(direction, tokens, value_map, slope, bend))
    assert abs(along(jnp.zeros((2, 2)))) < EXACT_FLOAT64
    assert abs(along(jnp.eye(2))) > 1e-4


def test_every_scale_costs_the_same_time_and_the_rate_is_linear_in_the_contrast():
    contrast = theory.circulant(theory.markov_autocovariance(8, 0.1) - theory.markov_autocovariance(8, 0.5))
    rates = compiled(lambda amount: theory.blind_escape_rate(amount * contrast))
    rate = float(rates(1.0))
    assert rate > 0
    assert rates(8.0) == pytest.approx(8 * rate)
    times = [float(escape_time(10.0**-power, 1.0, rate)) for power in (1, 2, 3)]
    np.testing.assert_allclose(np.diff(times), times[0])


def test_nothing_escapes_where_every_curvature_is_positive():
    assert (
        abs(theory.blind_escape_rate(theory.circulant(theory.markov_autocovariance(8, 0.5)))) < EXACT_FLOAT64
    )


def test_a_millionth_of_an_error_and_a_flipped_sign_are_found(monkeypatch):
    rate = c05_escape.blind_escape_rate
    monkeypatch.setattr(c05, "feature_curvature", planted(c05.feature_curvature))
    monkeypatch.setattr(c05_escape, "blind_escape_rate", lambda curving: rate(-curving))
    assert measure(lambda key: c05.curvature_gap(key), jax.random.key(0)) > EXACT_FLOAT64
    assert measure(lambda key: c05_escape.saddle_gap(key), jax.random.key(0)) > EXACT_FLOAT64
    assert not measure(lambda key: c05_escape.escape_gap(key), jax.random.key(0)) <= ASYMPTOTIC_EXPONENT


def test_a_direction_of_a_single_position_is_refused():
    one = jnp.ones((1, 1))
    with pytest.raises(ValueError, match=r"direction must be a square floating-point matrix.*pass one row"):
        theory.feature_curvature(one, one, one, one[0], one)
