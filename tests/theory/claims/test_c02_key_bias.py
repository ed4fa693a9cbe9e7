"""C2: at uniform attention the label gradient is a key bias."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths
from theory.claims.c02_key_bias import claim as c02
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C2").passed, verdict("C2")


@given(lengths())
def test_label_gradient_is_a_key_bias_at_uniform_attention_at_every_length(setting: Setting):
    length = setting.length
    tokens, value_map, head = setting.normal(length, 3), setting.normal(3, 3), setting.normal(4, 3)

    @compiled
    def gaps(shifts):
        scores = jnp.broadcast_to(shifts, (length, length))
        probabilities = jax.nn.softmax(head @ theory.pooled(scores, tokens, value_map))
        per_key = tokens @ value_map.T @ head.T @ probabilities.at[2].add(-1.0)
        law = jnp.broadcast_to((per_key - per_key.mean())[None, :], scores.shape) / length**2
        by_jax = jax.grad(theory.label_loss)(scores, tokens, value_map, head, jnp.asarray(2))
        return relative_gap(by_jax, law), jnp.abs(theory.key_bias_share(by_jax) - 1)

    assert max(gaps(setting.normal(length, 1))) <= EXACT_FLOAT64


@given(lengths())
def test_the_three_parts_of_a_direction_are_orthogonal_and_sum_to_it(setting: Setting):
    length = setting.length

    @compiled
    def gaps(direction):
        parts = theory.decompose(direction)
        pairs = [(0, 1), (0, 2), (1, 2)]
        overlap = jnp.stack([jnp.vdot(parts[p], parts[q]) for p, q in pairs]) / jnp.vdot(direction, direction)
        centred = jnp.stack([parts.doubly_centred.sum(axis=0), parts.doubly_centred.sum(axis=1)])
        return relative_gap(sum(parts), direction), jnp.abs(overlap).max(), jnp.abs(centred).max() / length

    assert max(gaps(setting.normal(length, length))) <= EXACT_FLOAT64


@pytest.mark.parametrize(("part", "share"), [("key_bias", 1.0), ("doubly_centred", 0.0)])
def test_key_bias_share_tells_the_parts_apart(part, share):
    direction = jnp.arange(25.0).reshape(5, 5) ** 2
    assert theory.key_bias_share(getattr(theory.decompose(direction), part)) == pytest.approx(
        share, abs=1e-12
    )


def test_a_pure_gauge_direction_has_no_share():
    gauge = jnp.broadcast_to(jnp.arange(5.0)[:, None], (5, 5))
    assert jnp.isnan(theory.key_bias_share(gauge))


def test_a_flipped_sign_in_the_law_is_found(monkeypatch):
    law = c02.law
    monkeypatch.setattr(c02, "law", lambda *args: -law(*args))
    assert measure(lambda key: c02.law_gap(key), jax.random.key(0)) > EXACT_FLOAT64


def test_the_certificate_fails_where_scores_depend_on_the_key(monkeypatch):
    assert [one for one in c02.doubly_centred_part() if one != 0] == []
    monkeypatch.setattr(c02, "at_gauge", lambda expression, *_: expression)
    assert [one for one in c02.doubly_centred_part() if one != 0] != []
