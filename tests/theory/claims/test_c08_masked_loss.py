"""C8: the masked loss and its gradients in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c08_masked_loss import claim as c08
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C8").passed, verdict("C8")


@given(lengths())
def test_masked_loss_and_gradients_are_those_of_the_model_at_every_length(setting: Setting):
    length, value = setting.length, float(setting.numbers.normal())
    sequences = setting.normal(8, length)

    def model(scores, value):
        """Every sequence, every position hidden in turn, through the minimal model."""
        positions, value_map = jnp.arange(length), jnp.full((1, 1), value)
        error = lambda each, i: theory.masked_error(
            scores, value_map, each[:, None], i, positions == i, jnp.zeros(1)
        )
        return jax.vmap(jax.vmap(error, (None, 0)), (0, None))(sequences, positions).mean()

    @compiled
    def gaps(scores):
        moments = sequences.T @ sequences / 8
        loss, slopes = jax.value_and_grad(model, argnums=(0, 1))(scores, value)
        return (
            relative_gap(theory.reconstruction_loss(scores, value, moments), loss),
            relative_gap(theory.reconstruction_score_gradient(scores, value, moments), slopes[0]),
            relative_gap(theory.reconstruction_value_gradient(scores, value, moments), slopes[1]),
        )

    assert max(gaps(setting.normal(length, length))) <= EXACT_FLOAT64


def test_without_other_masks_the_general_loss_is_the_scalar_one():
    scores, root = np.random.default_rng(0).normal(size=(2, 6, 6))
    covariance = jnp.asarray(root @ root.T)
    general = theory.masked_loss(
        jnp.asarray(scores), jnp.full((1, 1), 0.7), covariance[:, None, :, None], 0.0, jnp.zeros(1)
    )
    scalar = theory.reconstruction_loss(jnp.asarray(scores), 0.7, covariance)
    assert general == pytest.approx(float(scalar), rel=EXACT_FLOAT64)


@pytest.mark.parametrize("form", ["reconstruction_score_gradient", "reconstruction_value_gradient"])
def test_a_millionth_of_an_error_is_found(form, monkeypatch):
    monkeypatch.setattr(c08, form, planted(getattr(c08, form)))
    gaps = {
        "reconstruction_score_gradient": lambda key: c08.population_gap(c08.hide_position, key),
        "reconstruction_value_gradient": c08.value_gap,
    }
    assert measure(lambda key: gaps[form](key), jax.random.key(0)) > EXACT_FLOAT64
