"""C9: on stationary data the two kinds of supervision never push in a common direction."""

import jax
import jax.numpy as jnp
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths
from theory.claims.c09_orthogonal_supervision import claim as c09
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C9").passed, verdict("C9")


@given(lengths())
def test_reconstruction_gradient_is_circulant_and_orthogonal_to_labels_at_every_length(setting: Setting):
    length, value = setting.length, float(setting.numbers.normal())
    tokens, value_map, head = setting.normal(length, 3), setting.normal(3, 3), setting.normal(4, 3)
    autocovariance = setting.autocovariance()

    @compiled
    def gaps(kernel):
        scores, covariance = theory.circulant(kernel), theory.circulant(autocovariance)
        by_mask = jax.grad(theory.reconstruction_loss)(scores, value, covariance)
        by_label = jax.grad(theory.label_loss)(scores, tokens, value_map, head, jnp.asarray(2))
        size = jnp.linalg.norm(by_mask) * jnp.linalg.norm(by_label)
        around = theory.circulant(theory.circulant_kernel(by_mask))
        return relative_gap(by_mask, around), jnp.abs(jnp.vdot(by_mask, by_label)) / size

    assert max(gaps(setting.normal(length))) <= EXACT_FLOAT64


def test_a_covariance_that_is_almost_stationary_is_found():
    almost = lambda key: c09.ring_covariance(key).at[0, 0].add(1e-6)
    gap = lambda key: c09.circulant_gap(c09.ring_scores, almost, key)
    assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64
