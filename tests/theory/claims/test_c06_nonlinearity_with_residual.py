"""C6: a residual and a nonlinearity together let labels see query-dependent directions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c06_nonlinearity_with_residual import claim as c06
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64, FINITE_DIFFERENCE

WIDTH = 3
NUMBERS = np.random.default_rng(0)


def test_every_check_passes(verdict):
    assert verdict("C6").passed, verdict("C6")


@given(lengths())
def test_the_law_is_the_label_gradient_at_every_length(setting: Setting):
    length = setting.length
    tokens, value_map, target = (
        setting.normal(length, WIDTH),
        setting.normal(WIDTH, WIDTH),
        setting.normal(WIDTH),
    )

    @compiled
    def gaps(scores):
        def loss(scores):
            vector = theory.pooled_features(scores, tokens, value_map, jnp.tanh)
            return jnp.sum((vector - target) ** 2) / 2

        gradient, stream = jax.grad(loss)(scores), tokens + (value_map @ tokens.mean(axis=0))[None, :]
        pulled = theory.pulled_back(jnp.tanh, stream, jnp.tanh(stream).mean(axis=0) - target)
        whole = theory.uniform_score_gradient(tokens, value_map, pulled)
        centred = theory.query_dependent_gradient(tokens, value_map, pulled)
        return relative_gap(gradient, whole), relative_gap(
            theory.decompose(gradient).doubly_centred, centred, scale=whole
        )

    assert max(gaps(jnp.zeros((length, length)))) <= EXACT_FLOAT64


@given(lengths())
def test_a_linear_feature_gives_a_key_bias_at_every_length(setting: Setting):
    value_map, head_gradient = setting.normal(WIDTH, WIDTH), setting.normal(WIDTH)

    @compiled
    def gaps(tokens):
        pulled = theory.pulled_back(lambda stream: stream @ value_map, tokens, head_gradient)
        centred = theory.query_dependent_gradient(tokens, value_map, pulled)
        whole = theory.uniform_score_gradient(tokens, value_map, pulled)
        share = jnp.abs(theory.opening(tokens, value_map, pulled))
        return relative_gap(centred, jnp.zeros_like(centred), scale=whole), share

    assert max(gaps(setting.normal(setting.length, WIDTH))) <= EXACT_FLOAT64


@pytest.mark.parametrize("width", [1, 2, 4])
def test_what_one_sample_opens_has_the_rank_of_the_width(width):
    tokens, value_map = (
        jnp.asarray(NUMBERS.normal(size=(9, width))),
        jnp.asarray(NUMBERS.normal(size=(width, width))),
    )
    pulled = jnp.asarray(NUMBERS.normal(size=(9, width)))
    assert np.linalg.matrix_rank(theory.query_dependent_gradient(tokens, value_map, pulled)) == width


def test_scalar_squares_cannot_tell_left_from_right():
    tokens, value_map = jnp.asarray(NUMBERS.normal(size=(7, 1))), jnp.full((1, 1), 0.7)
    left, right = np.eye(7, k=1), np.eye(7, k=-1)

    @compiled
    def sides(scores):
        pull = lambda feature_map: jax.grad(
            lambda s: theory.pooled_features(s, tokens, value_map, feature_map)[0]
        )(scores)
        along = theory.decompose(jnp.asarray(left - right)).doubly_centred
        return jnp.sum(along * pull(lambda h: h + h**2)), jnp.sum(along * pull(jnp.exp))

    blind, seen = sides(jnp.zeros((7, 7)))
    assert abs(blind) < EXACT_FLOAT64
    assert abs(seen) > 1e-3


def test_a_millionth_of_an_error_and_a_flipped_sign_are_found(monkeypatch):
    gap = lambda key: c06.law_gap(lambda _: c06.flat_scores(), key)
    for name in ("uniform_score_gradient", "query_dependent_gradient", "opening"):
        with monkeypatch.context() as patch:
            patch.setattr(c06, name, planted(getattr(c06, name)))
            assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64, name
    law = c06.query_dependent_gradient
    monkeypatch.setattr(c06, "query_dependent_gradient", lambda *args: -law(*args))
    assert measure(lambda key: c06.difference_gap(key), jax.random.key(0)) > FINITE_DIFFERENCE


def test_queries_of_another_number_are_refused():
    with pytest.raises(
        ValueError, match=r"pulled must have as many positions as tokens.*cut or pad pulled to 5"
    ):
        theory.uniform_score_gradient(jnp.zeros((5, 2)), jnp.eye(2), jnp.zeros((4, 2)))
