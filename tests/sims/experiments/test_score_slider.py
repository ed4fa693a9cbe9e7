"""What the page's slider shows: which loss moves along which direction of the scores, and by how much."""

import jax
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64

from sims.experiments import score_slider
from sims.experiments.score_slider.contrast_dial import contrast_dial
from sims.runs.store import UserError

PLACES = {name: place for place, name in enumerate(score_slider.DIRECTIONS)}


@pytest.fixture(scope="module")
def found():
    return score_slider.run(score_slider.Config.smoke(), key=jax.random.key(2))


def along(arrays, loss, name):
    return arrays[f"{loss}_mean"][PLACES[name]]


def test_the_label_loss_does_not_move_along_neighbours_at_any_magnitude(found):
    values, arrays = found
    assert np.ptp(along(arrays, "label", "neighbours")) < EXACT_FLOAT64
    assert abs(values.slope["label"]["neighbours"]) < EXACT_FLOAT64


def test_reconstruction_falls_along_neighbours(found):
    values, arrays = found
    curve = along(arrays, "reconstruction", "neighbours")
    assert values.slope["reconstruction"]["neighbours"] < -0.01
    assert curve[-1] < 0.8 * curve[len(curve) // 2] < 0.8 * curve[0]


def test_a_key_bias_is_seen_by_labels_and_not_by_reconstruction_at_first_order(found):
    values, arrays = found
    slopes = {loss: values.slope[loss]["key_bias"] for loss in values.slope}
    assert slopes["label"] < -0.01 and abs(slopes["reconstruction"]) < EXACT_FLOAT64
    assert np.ptp(along(arrays, "label", "key_bias")) > 0.1


def test_a_random_query_dependent_direction_moves_labels_but_without_slope(found):
    values, arrays = found
    assert abs(values.slope["label"]["random"]) < EXACT_FLOAT64
    assert np.ptp(along(arrays, "label", "random")) > 1e-3


def test_a_row_shift_changes_nothing(found):
    values, arrays = found
    weights = arrays["attention"][PLACES["row_shift"]]
    assert np.allclose(weights, 1 / values.length, rtol=EXACT_FLOAT64, atol=0)
    for loss in ("label", "reconstruction"):
        assert np.ptp(along(arrays, loss, "row_shift")) < EXACT_FLOAT64


def test_both_losses_lie_on_their_laws_and_another_law_does_not(found):
    values, arrays = found
    assert [verdict.inside for verdict in values.inside.values()] == [1.0, 1.0]
    wrong = 1.5 * arrays["reconstruction_theory"]
    assert (wrong > arrays["reconstruction_high"]).any()


def test_the_middle_of_the_slider_is_uniform_attention(found):
    _, arrays = found
    middle = len(arrays["magnitudes"]) // 2
    assert arrays["magnitudes"][middle] == 0
    assert np.ptp(arrays["attention"][:, middle]) < EXACT_FLOAT64


def test_a_pixel_turns_to_those_that_resemble_it_and_labels_cannot_tell(found):
    _, arrays = found
    attention, loss = arrays["image_attention"], arrays["image_reconstruction"]
    side = attention.shape[-1]
    middle = side // 2
    np.testing.assert_allclose(attention[0], 1 / side**2, rtol=EXACT_FLOAT64)
    np.testing.assert_allclose(arrays["image_received"], 1 / side**2, rtol=EXACT_FLOAT64)
    right, below, far = (
        attention[-1][middle, middle + 1],
        attention[-1][middle + 1, middle],
        attention[-1][0, 0],
    )
    assert right > below > 1 / side**2 > far
    assert loss[1] < loss[0]


def test_classes_that_agree_need_infinitely_many_labels_and_finitely_many_sequences_without():
    dial = contrast_dial(16, 0.5, (0.0, 0.05, 0.1))
    assert np.isinf(dial["dial_label"][0]) and np.isfinite(dial["dial_reconstruction"]).all()
    assert dial["dial_label"][1] > 3 * dial["dial_label"][2]  # like 1 / kappa^2
    assert np.ptp(dial["dial_reconstruction"]) < 0.2 * dial["dial_reconstruction"][0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": 3}, "length must be at least 4: got 3"),
        ({"steps": 10}, "steps must be odd: got 10; try 11"),
        ({"class_positions": 16}, "class_share must"),
    ],
)
def test_a_setting_that_cannot_be_shown_is_one_line(settings, message):
    with pytest.raises(UserError, match=message):
        score_slider.Config(**settings)
