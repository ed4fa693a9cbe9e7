"""Pathfinder and ListOps at sizes for processors without a GPU: what is cut and what is kept."""

import numpy as np
import pytest

from full_scale.data.generators import listops, pathfinder
from full_scale.data.labelled import Labelled
from full_scale.data.pixels import whole
from full_scale.tasks.attention_free import distances
from full_scale.tasks.pathfinder import SCALE, Pathfinder
from full_scale.tasks.pathfinder_discs import disc_distance
from sims.runs.store import UserError

SMALL = ((16, 4), (24, 6))


def images(window: int, count: int = 40) -> tuple[np.ndarray, np.ndarray, dict]:
    return pathfinder.generate(pathfinder.PRESETS[window], seed=0, start=0, count=count)


@pytest.mark.parametrize(("window", "contour"), SMALL)
def test_small_windows_hold_two_long_contours_and_both_labels(window: int, contour: int) -> None:
    settings = pathfinder.PRESETS[window]
    pixels, labels, known = images(window)
    assert settings.contour_length == contour and pixels.shape == (40, window, window)
    assert set(labels.tolist()) == {0, 1}
    assert known["discs"].min() >= 0 and known["discs"].max() < window
    assert (known["discs"][:, 0] != known["discs"][:, 1]).any(axis=1).all()


@pytest.mark.parametrize(("window", "contour"), SMALL)
def test_the_discs_of_small_windows_lie_where_they_are_seen(window: int, contour: int) -> None:
    pixels, _, known = images(window)
    first, second = known["discs"].astype(float).swapaxes(0, 1)
    errors = disc_distance(pixels) - np.linalg.norm(first - second, axis=1)
    assert np.median(np.abs(errors)) < 1.5


def test_patches_hold_every_pixel_once() -> None:
    pixels, labels, _ = images(16)
    task = Pathfinder(window=16, contour_length=4, patch=2)
    parts = {"all": Labelled(pixels, labels.astype("int32"), ("apart", "joined"))}
    cut, plain = task.build(parts, "made"), Pathfinder(window=16, contour_length=4).build(parts, "made")
    assert cut.train.tokens.shape == (32, 64, 4) and cut.inputs.grid == (8, 8) and cut.inputs.channels == 4
    standardised = (plain.train.tokens.astype(np.float32) - SCALE[0]) / SCALE[1]
    assert np.allclose(whole(cut.train.tokens, (8, 8)), standardised.reshape(-1, 16, 16))
    block = standardised.reshape(-1, 16, 16)[:, 2:4, 4:6].reshape(-1, 4)
    assert np.allclose(cut.train.tokens[:, 8 + 2], block)  # second row of patches, third patch


def test_the_discs_are_as_far_apart_in_patches_as_in_pixels() -> None:
    pixels, labels, _ = images(16)
    parts = {"all": Labelled(pixels, labels.astype("int32"), ("apart", "joined"))}
    both = [Pathfinder(window=16, contour_length=4, patch=patch).build(parts, "made") for patch in (1, 2)]
    pixelwise, patchwise = (distances(each.train, each.inputs, None) for each in both)
    assert np.array_equal(pixelwise, patchwise)


def test_contours_too_long_for_a_window_and_patches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match="expected contours of at most 4 paddles in 16 pixels: got 14"):
        Pathfinder(window=16)
    with pytest.raises(UserError, match="patch must divide the window 16: got 3; try patch=2"):
        Pathfinder(window=16, contour_length=4, patch=3)


@pytest.mark.parametrize(("variant", "longest"), [("tiny", 64), ("small", 128), ("medium", 512)])
def test_variants_of_listops_end_where_they_say(variant: str, longest: int) -> None:
    settings = listops.PRESETS[variant]
    tokens, _, known = listops.generate(settings, seed=0, start=0, count=20)
    assert tokens.shape[1] == settings.below - 1 == longest
    assert known["lengths"].min() > settings.above and known["lengths"].max() <= longest
