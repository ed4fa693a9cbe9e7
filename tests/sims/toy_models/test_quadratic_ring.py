"""Rings by their power spectra: the layer's pooled squares, the saddle of a set, and when labels leave it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from tolerances import EXACT_FLOAT64

from sims.experiments import escape
from sims.experiments.escape import clocks as escape_clocks
from sims.processes import ar1, sample, spectrum
from sims.statistics.bands import compare
from sims.toy_models.quadratic_ring import (
    Parameters,
    label_loss,
    paired_rings,
    plateau_of,
    pooled_squares,
    spectra,
)
from theory import circulant, pooled_features

VALUE = jnp.asarray(-2.0)


@pytest.fixture(scope="module")
def clocks():
    config = dataclasses.replace(escape.Config.smoke(), pairs=256, seeds=6)
    return escape_clocks.times(config, 16, 1e-3, key=jax.random.key(3))


@pytest.mark.heavy
def test_what_the_laws_leave_grows_with_the_size_by_their_order(clocks):
    """Reconstruction's first, and of labels over both ways out the second: of one way it were the first."""
    leaves = ("hidden_ratio", 1, escape_clocks.SHARES), ("delay", 0, escape_clocks.HALVES)
    for order, (name, exact, shares) in enumerate(leaves, start=1):
        gaps = clocks[name][:, None] - exact
        assert escape.order_of(gaps, shares) == pytest.approx(order, abs=0.25)


@pytest.mark.heavy
def test_labels_leave_their_plateau_when_the_saddle_says_and_not_when_its_rate_is_wrong(clocks):
    ratio = clocks["early"] / clocks["early_predicted"]
    right, _ = compare(ratio[:, None], np.ones(1))
    wrong, _ = compare(ratio[:, None], np.full(1, 1.3))
    assert right.inside == 1 and wrong.inside == 0
    assert (clocks["label"] > 5 * clocks["hidden"]).all()


def test_power_spectra_give_the_pooled_squares_of_the_layer():
    tokens = sample(spectrum(ar1(6, 0.5).autocovariance), 3, key=jax.random.key(0))
    amplitude = jax.random.normal(jax.random.key(1), (6,))
    scores = circulant(amplitude / jnp.sqrt(6.0))
    by_layer = jax.vmap(lambda ring: pooled_features(scores, ring[:, None], VALUE[None, None], jnp.square)[0])
    by_spectra = pooled_squares(amplitude, VALUE, spectra(tokens))
    np.testing.assert_allclose(by_spectra, by_layer(tokens), rtol=EXACT_FLOAT64 * 100)


def test_the_saddle_of_a_set_is_that_of_its_hessian():
    rings = paired_rings(spectrum(ar1(6, 0.5).autocovariance), 20, key=jax.random.key(0))
    centre = pooled_squares(jnp.zeros(6), VALUE, rings.powers).mean()
    flat, restore = ravel_pytree(Parameters(jnp.zeros(()), jnp.zeros(()), jnp.zeros(6)))
    hessian = jax.jit(jax.hessian(lambda x: label_loss(restore(x), VALUE, rings, centre)))(flat)
    lowest = float(jnp.linalg.eigvalsh(hessian)[0])
    assert float(plateau_of(rings, VALUE, 6).rate()) == pytest.approx(-lowest, rel=1e-9)


def test_a_start_is_followed_until_it_has_grown_to_the_size_asked_for():
    left = escape_clocks.steps_until(lambda x, _: 2 * x, jnp.abs, jnp.asarray(1.0), jnp.asarray(12.0))
    assert float(left) == pytest.approx(np.log2(12))
    sizes = jnp.asarray([12.0, 3.0])
    several = escape_clocks.moments(lambda x, _: 2 * x, jnp.abs, jnp.asarray(1.0), sizes)
    np.testing.assert_allclose(several, np.log2(sizes), rtol=EXACT_FLOAT64)
