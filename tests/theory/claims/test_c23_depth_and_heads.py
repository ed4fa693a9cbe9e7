"""C23: heads do not raise the visible share; linear depth does only where attention above is uneven."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c23_depth_and_heads import claim as c23
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C23").passed, verdict("C23")


@given(lengths())
def test_the_first_layers_gradient_in_closed_form_at_every_length(setting: Setting):
    length, value_maps, reader = setting.length, setting.normal(2, 3, 3), setting.normal(3)

    @compiled
    def gap(scores, tokens):
        read = lambda scores: reader @ theory.stack_pooled(scores, tokens, value_maps)
        closed = theory.stack_score_gradient(scores, tokens, value_maps, reader)
        return relative_gap(closed, jax.grad(read)(scores)[0])

    assert gap(setting.normal(2, length, length), setting.normal(length, 3)) <= EXACT_FLOAT64


def test_the_response_sums_over_subsets_of_the_layers_above():
    numbers = np.random.default_rng(0)
    scores, value_maps = numbers.normal(size=(3, 5, 5)), numbers.normal(size=(3, 2, 2))
    weights = np.asarray(jax.nn.softmax(jnp.asarray(scores), axis=-1))
    summed = np.zeros((5, 2, 2))
    for upper in itertools.chain.from_iterable(itertools.combinations((1, 2), size) for size in range(3)):
        row, value_map = np.full(5, 1 / 5), np.eye(2)
        for layer in reversed(upper):
            row, value_map = row @ weights[layer], value_map @ value_maps[layer]
        summed += row[:, None, None] * (value_map @ value_maps[0])
    found = theory.stack_response(jnp.asarray(scores), jnp.asarray(value_maps))
    np.testing.assert_allclose(found, summed, rtol=EXACT_FLOAT64)


@pytest.mark.parametrize("kernel", [[0.0] * 6, [1.0, 3.0, -2.0, 0.5, 0.0, 4.0]])
def test_under_a_circulant_layer_every_position_is_read_alike(kernel):
    above = theory.circulant(jnp.asarray(kernel))
    value_maps = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 3)))
    response = theory.stack_response(jnp.stack([jnp.zeros((6, 6)), above]), value_maps)
    np.testing.assert_allclose(response, jnp.broadcast_to(response[:1], response.shape), atol=1e-15)


def test_heads_keep_the_share_of_one_layer():
    assert theory.visible_dimension_share(4, 4, 16) == theory.isotropic_visible_share(16)
    assert theory.visible_dimension_share(1, 4, 16) == 1 / 64
    assert theory.visible_dimension(16, 1) == theory.dimensions(16).key_bias


def test_a_millionth_of_an_error_is_found(monkeypatch):
    monkeypatch.setattr(c23, "stack_score_gradient", planted(c23.stack_score_gradient))
    assert measure(lambda key: c23.gradient_gap(key), jax.random.key(0)) > EXACT_FLOAT64


@pytest.mark.parametrize("function", [theory.heads_pooled, theory.stack_pooled])
def test_a_missing_value_map_is_an_error_that_names_the_remedy(function):
    with pytest.raises(ValueError, match=r"value_maps must have as many layers as scores: got 1 for 2"):
        function(jnp.zeros((2, 4, 4)), jnp.zeros((4, 3)), jnp.zeros((1, 3, 3)))
