"""Pathfinder's images have the reference's statistics, and their labels are fair."""

import dataclasses
import math

import numpy as np
import pytest

from full_scale.data.generators import pathfinder, splitmix
from full_scale.data.generators.pathfinder import PRESETS, PathfinderSettings, generate
from full_scale.data.generators.pathfinder.geometry import DEGREES, geometry
from full_scale.data.generators.pathfinder.pairs import first_starts, long_contours
from sims.runs.store import UserError
from tests.tolerances import monte_carlo

REFERENCE_IMAGES = 300
REFERENCE = {
    6: {
        "gray": 12.9,
        "deviation": 43,
        "zero": 77,
        "above 40": 87,
        "from 128": 5.2,
        "tries": 25,
        1: 15.1,
        0: 14.8,
    },
    9: {"gray": 15.4, "deviation": 46, "zero": 73, "above 40": 105, "from 128": 6.3},
    14: {
        "gray": 20.1,
        "deviation": 51,
        "zero": 66,
        "above 40": 140,
        "from 128": 8.5,
        "tries": 279,
        1: 13.5,
        0: 12.8,
    },
}
"""The reference's own images: mean gray, deviation over all pixels, share of zeros (%), pixels above 40 in an
image, share from 128 (%), pairs of long contours tried, mean distance of the discs by label."""
ROUNDED = {"gray": 0.1, "from 128": 0.1, 1: 0.1, 0: 0.1}
DISTRACTORS = {6: 10, 9: 6, 14: 5}
SEED_DISTANCE = 7
SMALL = PathfinderSettings(contour_length=6)


def settings(length: int, **changed) -> PathfinderSettings:
    return dataclasses.replace(PRESETS[32], contour_length=length, distractors=DISTRACTORS[length], **changed)


def samples(config: PathfinderSettings, count: int) -> dict:
    """One number per image (or per image of a label) whose mean is the statistic."""
    images, labels, facts = generate(config, seed=5, start=0, count=count)
    pixels = images.reshape(count, -1).astype(float)
    spread = ((pixels - pixels.mean()) ** 2).mean(1)
    apart = np.hypot(*(facts["discs"][:, 0] - facts["discs"][:, 1]).T.astype(float))
    return {
        "gray": pixels.mean(1),
        "deviation": math.sqrt(spread.mean()) + (spread - spread.mean()) / (2 * math.sqrt(spread.mean())),
        "zero": 100 * (pixels == 0).mean(1),
        "above 40": (pixels > 40).sum(1),
        "from 128": 100 * (pixels >= 128).mean(1),
        # the reference also tries first directions for which it finds no room
        "tries": facts["tries"] * DEGREES / len(first_starts(geometry(config, 1))),
        1: apart[labels == 1],
        0: apart[labels == 0],
    }


def missed(length: int, config: PathfinderSettings, count: int) -> set:
    """The reference's statistics that images of these settings miss by more than chance and rounding."""
    found = samples(config, count)
    wrong = set()
    for name, value in REFERENCE[length].items():
        draws, images = found[name], REFERENCE_IMAGES / 2 if name in (0, 1) else REFERENCE_IMAGES
        error = draws.std() * math.sqrt(1 / len(draws) + 1 / images)
        if abs(draws.mean() - value) > monte_carlo(error) + ROUNDED.get(name, 1.0) / 2:
            wrong.add(name)
    return wrong


@pytest.mark.parametrize("length", REFERENCE)
def test_images_have_the_statistics_of_the_reference(length):
    assert not missed(length, settings(length), 400)


@pytest.mark.parametrize(
    "fault",
    [{"paddle_contrast": 1.0}, {"snake_contrast": 1.0}, {"continuity": 0.0}, {"byte_scaling": "clip"},
     {"marker_radius": 2.5}],
    ids=str,
)  # fmt: skip
def test_a_wrong_setting_misses_them(fault):
    assert missed(14, settings(14, **fault), 200)


def test_a_short_contour_too_many_is_a_statistic_too():
    assert missed(6, dataclasses.replace(settings(6), distractors=30), 200)


def test_contours_start_in_the_middle_and_stay_inside():
    tables = geometry(settings(14), 1)
    pairs = long_contours(tables, splitmix.outputs(splitmix.stream(0), np.arange(200)))
    places = np.stack(tables.coordinates(pairs.starts))
    assert set(places[:, :, 0].ravel()) == {14, 15, 16}
    assert places[:, :, 1].min() >= 7 and places[:, :, 1].max() <= 23
    assert places[:, :, -2:].min() == 2 and places[:, :, -2:].max() == 29
    apart = np.hypot(*(places[:, :, 0] - places[:, :, 1]).astype(float))
    assert np.abs(apart - SEED_DISTANCE).max() < math.sqrt(0.5)


def test_labels_are_fair_and_say_where_the_discs_lie():
    config, count = SMALL, 300
    _, labels, facts = generate(config, seed=2, start=0, count=count)
    keys = splitmix.outputs(splitmix.stream(2), np.arange(count))
    tables = geometry(config, 1)
    pairs = long_contours(tables, splitmix.outputs(keys, pathfinder.PAIRS))
    ends = np.stack(tables.coordinates(pairs.starts[:, [0, 1, -2, -1]]), -1)
    near, far = (facts["discs"][:, disc, None, :] == ends for disc in (0, 1))
    contour = np.where(near.all(-1)[:, 0], 0, 1)
    clear = (pairs.starts[:, -2] != pairs.starts[:, -1]) & (near.all(-1).sum(1) == 1)
    assert clear.mean() > 0.98  # two last paddles may end on one pixel: they do not see each other
    same = far.all(-1)[np.arange(count), 2 + contour]
    np.testing.assert_array_equal(same[clear], labels[clear] == 1)
    assert abs(labels.mean() - 0.5) < monte_carlo(0.5 / math.sqrt(count))
    assert abs(contour.mean() - 0.5) < monte_carlo(0.5 / math.sqrt(count))


def test_settings_that_cannot_be_drawn_are_refused():
    with pytest.raises(UserError, match=r"try paddle_thickness=0\.5"):
        PathfinderSettings(paddle_thickness=0.3)
    with pytest.raises(UserError, match="try seed_distance=7"):
        PathfinderSettings(seed_distance=8)
    with pytest.raises(UserError, match="margins of at least 1"):
        PathfinderSettings(margins=())


@pytest.mark.parametrize("window", [64, 128])
def test_larger_windows_are_drawn(window):
    images, labels, facts = generate(PRESETS[window], seed=0, start=0, count=3)
    assert images.shape == (3, window, window) and (images.max((1, 2)) == 255).all()
    assert set(facts["margin"]) <= set(PRESETS[window].margins) and set(labels) <= {0, 1}


def test_random_numbers_are_splitmix64():
    found = splitmix.outputs(np.array([1234567], np.uint64), np.arange(3))
    assert found.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
