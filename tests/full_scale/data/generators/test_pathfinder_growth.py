"""Pathfinder's growth step, written out slowly, and the shapes that it draws."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import ndimage

from full_scale.data.generators import splitmix
from full_scale.data.generators.pathfinder import PRESETS, stamps
from full_scale.data.generators.pathfinder.geometry import circle, geometry
from full_scale.data.generators.pathfinder.growth import choices, empty
from full_scale.data.generators.pathfinder.images import discs
from full_scale.data.generators.pathfinder.pairs import long_contours
from tests.tolerances import EXACT_FLOAT64

HARD = dataclasses.replace(PRESETS[32], contour_length=14, distractors=5)


def slow_step(place, angle, distance):
    return math.ceil(place[0] + distance * math.sin(angle)), math.ceil(place[1] + distance * math.cos(angle))


def slow_flip(angle):
    return angle + math.pi if angle < 0 else angle - math.pi


def slow_choices(config, margin, taken, pivot, angle):
    """The growth step as it is described, on a whole window: {(row, column): probability}."""
    reach, radius = np.arange(-margin, margin + 1), config.paddle_length + margin
    near = ndimage.grey_dilation(
        taken, footprint=np.add.outer(reach**2, reach**2) <= margin**2, mode="nearest"
    )
    weights = {}
    for turned in np.arange(0, 360, 360 / (2 * radius * math.pi)):
        row = math.floor(pivot[0] + radius * math.sin(math.radians(turned)))
        column = math.floor(pivot[1] + radius * math.cos(math.radians(turned)))
        if 0 <= row < config.window and 0 <= column < config.window:
            turn = abs(math.atan2(row - pivot[0], column - pivot[1]) - angle)
            turn = min(min(turn, 2 * math.pi - turn) * config.continuity, math.pi / 2)
            weights[row, column] = (1 - near[row, column]) * max(math.cos(turn), 0) ** 2
    total = sum(weights.values())
    return {place: weight / total for place, weight in weights.items() if weight > 1e-12}


def slow_room(config, margin, place, angle):
    """What a paddle takes of a window, 0..1: its stamp, cut at the border."""
    stamp = stamps.paddle(config, margin, angle)[1] / 255
    half = len(stamp) // 2
    sheet = np.zeros((config.window + 2 * half,) * 2)
    sheet[place[0] : place[0] + len(stamp), place[1] : place[1] + len(stamp)] = stamp
    return sheet[half:-half, half:-half]


def fast_choices(tables, sheets, pivot, direction):
    """The same from the generator."""
    flat = np.array([tables.flat(*pivot)])
    cumulated, ends, _, _ = choices(tables, sheets, np.zeros(1, np.int64), flat, np.array([direction]))
    rows, columns = tables.coordinates(ends[0])
    chances = np.diff(cumulated[0], prepend=0) / cumulated[0, -1]
    found = zip(zip(rows.tolist(), columns.tolist(), strict=True), chances.tolist(), strict=True)
    return {place: chance for place, chance in found if chance > 1e-12}


def replayed(config, margin, directions, places):
    """Check every paddle of a pair as it was drawn; returns what is taken at the end."""
    tables, length = geometry(config, margin), config.paddle_length
    sheets, taken = empty(tables, 1), np.pad(np.zeros((config.window - 2,) * 2), 1, constant_values=1.0)
    angles = [float(tables.angles[direction]) for direction in directions]
    drawn = angles[:2] + [slow_flip(angle) for angle in angles[2:]]
    pivots = [
        slow_step(slow_step(places[c], angles[c], length), slow_flip(angles[c]), length + margin)
        for c in (0, 1)
    ]
    for paddle in range(2, len(places)):
        last, contour = paddle - 2, paddle % 2
        fast = fast_choices(tables, sheets, pivots[contour], directions[last])
        pivots[contour] = slow_step(pivots[contour], angles[last], length + 2 * margin)
        slow = slow_choices(config, margin, taken, pivots[contour], angles[last])
        assert fast.keys() == slow.keys() and places[paddle] in slow
        assert all(abs(fast[place] - slow[place]) < EXACT_FLOAT64 for place in slow)
        assert (taken + slow_room(config, margin, places[paddle], drawn[paddle])).max() < 1.8
        taken = np.maximum(taken, slow_room(config, margin, places[last], drawn[last]))
        start = np.array([tables.flat(*places[last])])
        sheets.join(tables, np.zeros(1, np.int64), directions[last : last + 1], start)
    return np.maximum(taken, slow_room(config, margin, places[-1], drawn[-1]))


@pytest.mark.parametrize("config", [HARD, PRESETS[64]], ids=["32", "64"])
def test_every_paddle_of_a_pair_was_drawn_with_the_described_weights(config):
    margin = config.margins[0]
    tables = geometry(config, margin)
    pairs = long_contours(tables, splitmix.outputs(splitmix.stream(9), np.arange(4)))
    for directions, starts, sheet in zip(pairs.directions, pairs.starts, pairs.sheets.taken, strict=True):
        places = list(zip(*(part.tolist() for part in tables.coordinates(starts)), strict=True))
        taken = replayed(config, margin, directions, places)
        inner = slice(tables.frame, tables.side - tables.frame)
        np.testing.assert_array_equal(sheet.reshape(tables.side, -1)[inner, inner], np.rint(taken * 255))


def test_the_circle_of_ends_is_one_pixel_wide_and_complete():
    for radius in (3, 6, 8):
        points = circle(radius)
        assert len(np.unique(points, axis=0)) == len(points)
        assert (np.abs(np.hypot(*(points + 0.5).T) - radius) < 1).all()


def test_discs_near_the_border_are_those_of_the_whole_window():
    config = PRESETS[32]
    places = np.array([[[0, 3], [31, 16]], [[2, 2], [29, 30]], [[15, 15], [5, 26]]])
    found = discs(config, places[:, :, 0], places[:, :, 1])
    for image, pair in zip(found, places, strict=True):
        whole = [stamps.disc(config, (row, 32), (column, 32)) for row, column in pair.tolist()]
        np.testing.assert_array_equal(image, np.max(whole, axis=0).astype(np.float32) / 255)
