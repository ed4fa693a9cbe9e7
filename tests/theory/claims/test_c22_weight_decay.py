"""C22: labels cannot hold a pretrained kernel against weight decay."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c22_weight_decay import claim as c22
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C22").passed, verdict("C22")


@given(lengths())
def test_the_label_gradient_of_an_orbit_is_zero_at_every_length(setting: Setting):
    length, value_map, head = setting.length, setting.normal(3, 3), setting.normal(4, 3)

    @compiled
    def gap(kernel, tokens):
        slope = jax.grad(theory.label_loss)
        orbit = c22.orbit(tokens)
        at = lambda each: slope(theory.circulant(kernel), each, value_map, head, jnp.asarray(2))
        slopes = jax.lax.map(at, orbit)
        return relative_gap(slopes.mean(axis=0), jnp.zeros((length, length)), scale=slopes)

    assert gap(setting.normal(length), setting.normal(length, 3)) <= EXACT_FLOAT64


def test_half_of_the_kernel_is_left_after_a_half_life():
    kernel = jnp.asarray([1.0, -2.0, 3.0])
    for factors in (1, 2):
        steps = theory.half_life(0.01, 0.1, factors)
        left = theory.forgotten_kernel(kernel, 0.01, 0.1, steps, factors)
        np.testing.assert_allclose(left, kernel / 2, rtol=EXACT_FLOAT64)
    assert theory.half_life(0.01, 0.1) == pytest.approx(2 * theory.half_life(0.01, 0.1, 2))


def test_small_steps_decay_exponentially():
    kernel = jnp.asarray([1.0, -2.0, 3.0])
    gaps = [
        relative_gap(theory.forgotten_kernel(kernel, rate, 0.1, 10 / rate), kernel * jnp.exp(-1.0))
        for rate in (0.02, 0.01)
    ]
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.01)  # first order in the step


def test_a_millionth_of_an_error_is_found(monkeypatch):
    monkeypatch.setattr(c22, "forgotten_kernel", planted(c22.forgotten_kernel))
    assert measure(lambda key: c22.free_decay_gap(c22.orbit, key), jax.random.key(0)) > EXACT_FLOAT64


def test_a_kernel_of_one_lag_is_refused():
    with pytest.raises(ValueError, match="kernel must be a floating-point vector of at least 2 lags"):
        theory.forgotten_kernel(jnp.zeros(1), 0.1, 0.1, 1)
