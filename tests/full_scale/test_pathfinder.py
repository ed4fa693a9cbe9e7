"""Pathfinder: the reference's statistics, its growth step written out slowly, and any part of a set alone."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import ndimage
from tolerances import EXACT_FLOAT64, monte_carlo

from full_scale.generators import pathfinder, pathfinder_pairs, pathfinder_stamps, shards, splitmix
from full_scale.generators.pathfinder import PRESETS, PathfinderSettings, generate, load, prepare
from full_scale.generators.pathfinder_geometry import DEGREES, circle, geometry
from full_scale.generators.pathfinder_growth import choices, empty
from full_scale.generators.pathfinder_images import discs
from full_scale.generators.pathfinder_pairs import first_starts, long_contours
from sims.store import UserError

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
    stamp = pathfinder_stamps.paddle(config, margin, angle)[1] / 255
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


@pytest.mark.parametrize("config", [settings(14), PRESETS[64]], ids=["32", "64"])
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
        whole = [pathfinder_stamps.disc(config, (row, 32), (column, 32)) for row, column in pair.tolist()]
        np.testing.assert_array_equal(image, np.max(whole, axis=0).astype(np.float32) / 255)


def test_any_part_of_a_set_has_the_same_bytes(monkeypatch):
    whole = generate(SMALL, seed=3, start=0, count=40)
    monkeypatch.setattr(pathfinder_pairs, "SHEET_BYTES", 1 << 17)
    parts = [generate(SMALL, seed=3, start=start, count=count) for start, count in ((0, 7), (7, 1), (8, 32))]
    for number in (0, 1):
        np.testing.assert_array_equal(whole[number], np.concatenate([part[number] for part in parts]))
    for name, array in whole[2].items():
        np.testing.assert_array_equal(array, np.concatenate([part[2][name] for part in parts]))
    assert (generate(SMALL, seed=4, start=0, count=8)[0] != whole[0][:8]).any()


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_set_that_was_cut_is_finished_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(pathfinder, "SHARD", 8)
    prepare(tmp_path / "whole", SMALL, count=28, seed=1, processes=1)
    whole = contents(tmp_path / "whole")

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path / "cut", SMALL, count=28, seed=1, processes=1, report=stop)
    with pytest.raises(UserError, match="3 shards are not made"):
        load(tmp_path / "cut")
    (tmp_path / "cut" / "pathfinder-00000.npz").write_bytes(b"damaged")
    lines: list[str] = []
    prepare(tmp_path / "cut", SMALL, count=28, seed=1, processes=1, report=lines.append)
    assert contents(tmp_path / "cut") == whole and len(lines) == 4
    images, labels, _ = load(tmp_path / "cut")
    np.testing.assert_array_equal(images, generate(SMALL, seed=1, start=0, count=28)[0])
    assert images.dtype == labels.dtype == np.uint8
    prepare(tmp_path / "cut", SMALL, count=28, seed=1, report=stop)  # nothing is left to do


def test_processes_make_the_same_shards(tmp_path):
    plan = shards.Plan("pathfinder", SMALL, 1, 8, 4)
    for processes in (1, 2):
        shards.prepare(tmp_path / str(processes), plan, pathfinder._shard, processes=processes)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_a_folder_of_another_set_or_a_changed_shard_is_refused(tmp_path):
    prepare(tmp_path, SMALL, count=2, seed=1, processes=1)
    with pytest.raises(UserError, match="found other settings"):
        prepare(tmp_path, SMALL, count=2, seed=2, processes=1)
    path = tmp_path / "pathfinder-00000.npz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="found it missing or changed"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UserError, match="describe a pathfinder set"):
        load(tmp_path)
    with pytest.raises(UserError, match="sptlab data prepare pathfinder"):
        load(tmp_path / "none")


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
