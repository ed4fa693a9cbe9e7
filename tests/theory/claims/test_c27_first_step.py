"""C27: the first step of the scores through absolute encodings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from theory.claims.c27_first_step import claim as c27
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C27").passed, verdict("C27")


def test_centred_encodings_take_no_step_for_labels():
    positions = theory.ring_positions(8, [1, 2])
    key_bias = jnp.broadcast_to(jax.random.normal(jax.random.key(0), (1, 8)), (8, 8))
    step = theory.mean_step_of_scores(key_bias, positions, 1.0)
    np.testing.assert_allclose(step, jnp.zeros((8, 8)), atol=1e-10)


def test_the_number_of_the_statement_is_that_of_vaswanis_encodings():
    share = float(theory.first_step_visible_share(theory.sinusoidal_positions(12, 16)))
    assert share == pytest.approx(0.998, abs=5e-4)


def test_half_of_the_step_is_found(monkeypatch):
    right = theory.mean_step_of_scores
    monkeypatch.setattr(c27, "mean_step_of_scores", lambda *args: right(*args) / 2)
    assert measure(lambda key: c27.mean_gap(c27.balanced_maps, key), jax.random.key(0)) > EXACT_FLOAT64
