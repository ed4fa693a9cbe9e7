"""C30: the proximity law in two dimensions, and what raster order makes of it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from theory.claims.c30_image_torus import claim as c30
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import EXACT_FLOAT64

IMAGE = jnp.asarray(np.random.default_rng(0).normal(size=(3, 5)))


def test_every_check_passes(verdict):
    assert verdict("C30").passed, verdict("C30")


def test_an_image_of_one_row_is_a_ring():
    autocovariance = theory.markov_autocovariance(7, 0.6)
    law = theory.torus_proximity_law(0.7, autocovariance[None])
    assert law.shape == (1, 7)
    assert jnp.abs(law[0] - theory.proximity_law(0.7, autocovariance)).max() <= EXACT_FLOAT64
    assert jnp.abs(theory.raster_kernel(autocovariance[None]) - autocovariance).max() <= EXACT_FLOAT64


def test_a_kernel_comes_back_from_its_scores_and_queries_stand_in_rows():
    scores = theory.torus_circulant(IMAGE)
    assert jnp.abs(theory.torus_kernel(scores, 3, 5) - IMAGE).max() <= EXACT_FLOAT64
    assert scores[0, 1] == IMAGE[0, 1] and scores[0, 5] == IMAGE[1, 0] and scores[4, 5] == IMAGE[1, 1]


def test_raster_lags_hold_all_of_what_lies_in_columns_and_less_the_further_along_rows():
    at = lambda place: float(theory.raster_share(jnp.zeros((4, 8)).at[place].set(1.0)))
    assert at((2, 0)) == 1
    assert at((0, 1)) == at((0, 7)) == pytest.approx((7 / 8) ** 2 + (1 / 8) ** 2)
    assert at((0, 1)) > at((0, 2)) > at((0, 4)) == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: theory.torus_circulant(jnp.zeros((1, 1))),
            r"kernel must be .* of at least 2 pixels: got shape=\(1, 1\)",
        ),
        (lambda: theory.torus_proximity_law(1.0, jnp.zeros((1, 1))), "autocovariance must be .* 2 pixels"),
        (lambda: theory.torus_kernel(jnp.zeros((6, 6)), 2, 2), r"height x width = 4 positions: got 6; give"),
    ],
)
def test_what_is_no_image_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_law_with_rows_and_columns_exchanged_is_found(monkeypatch):
    law = theory.torus_proximity_law
    swapped = lambda value, image: law(value, image[::-1])
    monkeypatch.setattr(c30, "torus_proximity_law", swapped)
    gap = functools.partial(c30.law_gap, c30.on_a_torus, c30.as_an_image)
    assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64


def test_a_raster_that_wraps_into_the_row_before_is_found():
    back = lambda image: theory.raster_kernel(image[::-1])[::-1]
    gap = functools.partial(c30.raster_gap, back)
    assert measure(gap, jax.random.key(0)) > EXACT_FLOAT64
