"""C3: labels cannot feel cyclic proximity, at any magnitude."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths
from theory.claims.c03_circulant_invisibility import claim as c03
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C3").passed, verdict("C3")


@given(lengths())
def test_label_loss_is_constant_along_circulant_scores_at_every_length(setting: Setting):
    length = setting.length
    tokens, value_map, head = setting.normal(length, 3), setting.normal(3, 3), setting.normal(4, 3)
    magnitude = 10.0 ** setting.numbers.uniform(-2, 2)

    @compiled
    def gap(kernel):
        loss = lambda scores: theory.label_loss(scores, tokens, value_map, head, jnp.asarray(2))
        return relative_gap(loss(theory.circulant(magnitude * kernel)), loss(jnp.zeros((length, length))))

    assert gap(setting.normal(length)) <= EXACT_FLOAT64


@pytest.mark.parametrize("length", [2, 3, 8])
def test_circulant_follows_its_definition_and_its_kernel_is_recovered(length):
    kernel = np.arange(1.0, length + 1)
    matrix = np.asarray(theory.circulant(jnp.asarray(kernel)))
    for query in range(length):
        for key in range(length):
            assert matrix[query, key] == kernel[(key - query) % length]
    np.testing.assert_allclose(theory.circulant_kernel(jnp.asarray(matrix)), kernel, rtol=1e-15)


def test_a_ring_that_is_cut_open_is_found():
    cut = lambda kernel: theory.circulant(kernel).at[0, -1].set(0.0)
    assert measure(lambda key: c03.loss_gap(cut, key), jax.random.key(0)) > EXACT_FLOAT64
