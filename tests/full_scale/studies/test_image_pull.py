"""The study of reconstruction's first gradient on images: its measures, and what the stored one says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory
from full_scale.stored import STORED
from full_scale.studies.image_pull import Config, Values, measured, result_text, run, signed, within_borders
from sims.runs import store
from sims.runs.store import UserError
from theory.claims.checks.tolerances import EXACT_FLOAT64

SIDE = 4
IMAGE = jnp.outer(theory.markov_autocovariance(SIDE, 0.6), theory.markov_autocovariance(SIDE, 0.4))


def test_on_a_torus_the_law_is_all_of_the_gradient_and_labels_see_nothing():
    numbers, (pull, autocovariance) = measured(theory.torus_circulant(IMAGE), Config(side=SIDE))
    assert numbers["cosine_torus"] == pytest.approx(1, abs=EXACT_FLOAT64)
    assert numbers["visible_share"] < EXACT_FLOAT64
    assert numbers["displacement_share"] == pytest.approx(1)
    assert numbers["raster_share"] == pytest.approx(numbers["raster_share_predicted"])
    assert np.allclose(autocovariance, IMAGE)
    assert np.allclose(pull, theory.torus_proximity_law(0.5, IMAGE))


def test_borders_are_seen_and_a_stationary_image_between_them_is_the_law_with_borders():
    apart = np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE)))
    moments = jnp.asarray(np.kron(0.8**apart, 0.6**apart))
    assert np.allclose(within_borders(moments, SIDE), moments)
    numbers, _ = measured(moments, Config(side=SIDE))
    assert numbers["cosine_borders"] == pytest.approx(1, abs=EXACT_FLOAT64)
    assert numbers["cosine_torus"] < 0.99 and numbers["visible_share"] > 1e-3
    assert numbers["visible_share_borders"] == pytest.approx(numbers["visible_share"])
    assert numbers["correlation_right"] == pytest.approx(0.6)
    assert numbers["correlation_below"] == pytest.approx(0.8)


def test_displacements_go_the_shorter_way():
    assert [signed(lag, 32) for lag in (1, 31, 32, 33, 992)] == [(0, 1), (0, -1), (1, 0), (1, 1), (-1, 0)]


def test_it_runs_on_drawn_images_and_is_read_as_computed():
    values, arrays = run(Config.smoke(), key=jax.random.key(0))
    assert Values.from_json(store.plain(values)) == values
    assert arrays["pull"].shape == (4, 4) and values.images == 400


def test_too_few_drawn_images_are_refused():
    with pytest.raises(UserError, match="drawn must be 0 or at least 2 per group: got 3 for 2 groups"):
        Config(groups=2, drawn=3)


def test_in_the_stored_study_images_are_pulled_to_neighbours_a_row_apart_and_within_it():
    values = Values.from_json(store.load(STORED, "image_pull").values)
    assert set(values.largest_displacements[:4]) == {(0, 1), (0, -1), (1, 0), (-1, 0)}
    assert {1, 32} <= set(values.largest_raster_lags)
    assert values.cosine_borders.low > values.cosine_torus.high
    assert len(result_text(values).splitlines()) == 12
