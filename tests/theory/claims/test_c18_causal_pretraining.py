"""C18: what next-token prediction says to causal scores, and what labels share with it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c18_causal_pretraining import claim as c18
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64

KEY = jax.random.key(0)


def test_every_check_passes(verdict):
    assert verdict("C18").passed, verdict("C18")


@given(lengths(3))
def test_the_law_is_the_next_token_gradient_at_every_length(setting: Setting):
    length, value = setting.length, float(setting.numbers.normal())
    skip = float(setting.numbers.normal())

    @compiled
    def gap(autocovariance):
        loss = lambda scores: theory.next_token_loss(scores, value, c18.on_a_line(autocovariance), skip)
        gradient = jax.grad(loss)(jnp.zeros((length, length)))
        return relative_gap(-gradient, theory.next_token_law(value, autocovariance, skip))

    assert gap(setting.autocovariance()) <= EXACT_FLOAT64


def test_small_values_pull_along_the_lags_as_the_harmonic_numbers_say():
    length, value = 20, 1e-9
    autocovariance = 0.7 ** np.arange(length)
    found = theory.next_token_lag_law(value, jnp.asarray(autocovariance)) * (length - 1) / value
    means = np.cumsum(autocovariance[1:]) / np.arange(1, length)
    for lag in range(1, length):
        keys = np.arange(lag, length)
        expected = (1 / keys).sum() * autocovariance[lag] - (means[lag - 1 :] / keys).sum()
        assert found[lag] == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_the_future_and_the_last_query_hear_nothing():
    scores, root = (jnp.asarray(np.random.default_rng(seed).normal(size=(7, 7))) for seed in (0, 1))
    gradient = compiled(jax.grad(theory.next_token_loss))(scores, 0.7, root @ root.T, 0.3)
    assert jnp.abs(jnp.triu(gradient, 1)).max() == 0.0
    assert jnp.abs(gradient[-1]).max() == 0.0
    assert jnp.abs(gradient[0]).max() < EXACT_FLOAT64  # one key: no choice
    assert jnp.abs(gradient[1:-1]).max() > 0.01


@pytest.mark.parametrize("correlation", [-0.5, 0.3, 0.9])
def test_the_fitted_readout_of_a_markov_process_is_its_skip_and_no_attention_does_better(correlation):
    powers = correlation ** jnp.arange(9.0)
    skip, value = theory.fitted_readout(powers)
    assert (float(skip), float(value)) == pytest.approx((correlation, 0.0), abs=1e-12)
    innovation = (1 - correlation**2) / 2
    scores = jnp.asarray(np.random.default_rng(0).normal(size=(9, 9)))
    for value in (-0.1, 0.0, 0.1):
        loss = compiled(theory.next_token_loss)(scores, value, c18.on_a_line(powers), correlation)
        assert loss >= innovation - EXACT_FLOAT64
        assert (loss < innovation + EXACT_FLOAT64) == (value == 0.0)


def test_labels_see_two_in_length_of_causal_directions():
    length, numbers = 6, np.random.default_rng(0)
    tokens = jnp.asarray(numbers.normal(size=(40, length, 3)))
    scores, identity, head = jnp.asarray(numbers.normal(size=(length, length))), jnp.eye(3), jnp.ones(3)
    for at in (jnp.zeros_like(scores), scores):
        pull = lambda each, at=at: theory.causal_label_gradient(at, each, identity, head).ravel()
        assert np.linalg.matrix_rank(jax.vmap(pull)(tokens), tol=1e-10) == length - 1
    directions = jnp.asarray(numbers.normal(size=(2000, length, length)))
    shares = compiled(jax.vmap(theory.causal_visible_share))(directions)
    assert shares.mean() == pytest.approx(2 / length, abs=0.02)


def test_the_visible_share_is_one_for_labels_and_does_not_fall_with_length_for_next_tokens():
    tokens = jnp.asarray(np.random.default_rng(0).normal(size=(7, 3)))
    label = theory.causal_label_gradient(jnp.zeros((7, 7)), tokens, jnp.eye(3), jnp.ones(3))
    assert theory.causal_visible_share(label) == pytest.approx(1.0, rel=1e-10)
    share = compiled(lambda powers: theory.causal_visible_share(theory.next_token_law(1e-3, powers)))
    shares = [float(share(0.5 ** jnp.arange(1.0 * n))) for n in (128, 512)]
    assert shares == pytest.approx([0.3, 0.3], abs=0.03)


@pytest.mark.parametrize(
    ("form", "gap"),
    [
        ("next_token_law", lambda key: c18.law_gap(c18.flat_scores, c18.on_a_line, key)),
        ("next_token_lag_law", lambda key: c18.law_gap(c18.flat_scores, c18.on_a_line, key)),
        ("next_token_score_gradient", c18.gradient_gap),
        ("causal_overlap", c18.overlap_gap),
        ("causal_label_gradient", c18.overlap_gap),
        ("fitted_readout", lambda key: c18.silence_gap(c18.decaying, key)),
    ],
)
def test_a_millionth_of_an_error_is_found(form, gap, monkeypatch):
    monkeypatch.setattr(c18, form, planted(getattr(c18, form)))
    assert measure(lambda key: gap(key), KEY) > EXACT_FLOAT64


def test_scores_that_are_not_square_are_refused():
    with pytest.raises(ValueError, match=r"scores must be a square floating-point matrix.*; pass one row"):
        theory.causal_weights(jnp.zeros((3, 4)))
