"""C28: the proximity law where many positions are masked."""

import jax
import jax.numpy as jnp

import theory
from theory.claims.c28_many_masks import claim as c28
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C28").passed, verdict("C28")


def test_a_law_sums_to_zero_at_every_rate():
    autocovariance = theory.markov_autocovariance(9, 0.6)
    for rate in (0.0, 0.15, 0.9):
        assert abs(float(theory.masked_proximity_law(0.7, autocovariance, rate).sum())) <= EXACT_FLOAT64


def test_a_law_without_the_masks_variance_is_found(monkeypatch):
    def wrong(value, autocovariance, rate):
        short = theory.proximity_law((1 - rate) * value, autocovariance)
        return short / jnp.asarray(1.0)

    monkeypatch.setattr(c28, "masked_proximity_law", wrong)
    assert measure(c28.law_gap, jax.random.key(0)) > EXACT_FLOAT64
