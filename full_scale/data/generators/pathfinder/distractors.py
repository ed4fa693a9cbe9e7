"""Short contours among the long ones, one after another, on all images at once.

A contour that finds no start or runs into a dead end is tried again a few times, then left out. Each try has
random numbers of its own, (contour, try, position), so an image's outcome depends on no other image.
"""

import numpy as np

from full_scale.data.generators.pathfinder.geometry import DEGREES, Geometry
from full_scale.data.generators.pathfinder.growth import HALF_FREE, Sheets, extend
from full_scale.data.generators.pathfinder.pairs import touching
from full_scale.data.generators.splitmix import below, outputs

_LEAST_FREE = 0.01
"""No contour starts where a smaller part of the window is free."""


def short_contours(geometry: Geometry, sheets: Sheets, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions and flat starts of the short contours' paddles, (image, contour, paddle).

    Direction -1: the contour was left out. `sheets` are changed to hold them. `keys`: (image,) streams.
    """
    settings, images = geometry.settings, len(keys)
    shape = (images, settings.distractor_number, settings.distractor_length)
    directions, starts = np.full(shape, -1), np.zeros(shape, np.int64)
    for contour in range(settings.distractor_number):
        streams = outputs(keys, contour)
        waiting = np.arange(images)
        for trial in range(settings.distractor_retries + 1):
            stands, drawn, where, after = _contour(
                geometry, sheets, waiting, outputs(streams[waiting], trial)
            )
            done = waiting[stands]
            directions[done, contour], starts[done, contour] = drawn[stands], where[stands]
            sheets.taken[done], sheets.nearby[done] = after.taken[stands], after.nearby[stands]
            waiting = waiting[~stands]
            if not len(waiting):
                break
    return directions, starts


def _contour(geometry: Geometry, sheets: Sheets, images: np.ndarray, keys: np.ndarray):
    """One try on each image: whether it stands, directions and starts (image, paddle), the sheets with it."""
    length, retries = geometry.settings.distractor_length, geometry.settings.paddle_retries
    work = Sheets(sheets.taken[images], sheets.nearby[images])
    directions, starts = np.zeros((2, len(images), length), np.int64)
    alive, starts[:, 0], directions[:, 0], pivots = _start(geometry, work, keys)
    for paddle in range(1, length):
        lanes = np.flatnonzero(alive)
        last, where = directions[lanes, paddle - 1], starts[lanes, paddle - 1]
        position = np.full(len(lanes), (2 + paddle) * (retries + 1))
        stands, moved, turned, ends = extend(
            geometry, work, lanes, pivots[lanes], last, keys[lanes], position
        )
        alive[lanes[~stands]] = False
        work.join(geometry, lanes[stands], last[stands], where[stands])
        pivots[lanes], directions[lanes, paddle], starts[lanes, paddle] = moved, turned, ends
    lanes = np.flatnonzero(alive)
    work.join(geometry, lanes, directions[lanes, -1], starts[lanes, -1])
    return alive, directions, starts, work


def _start(geometry: Geometry, sheets: Sheets, keys: np.ndarray):
    """Whether a first paddle finds room, its start, degree, pivot; again while it leaves the window."""
    frame, side, window = geometry.frame, geometry.side, geometry.settings.window
    inner = slice(frame, side - frame)
    taken = sheets.taken.reshape(-1, side, side)[:, inner, inner]
    occupied = taken > HALF_FREE
    has_room = (~occupied).sum((1, 2)) >= _LEAST_FREE * window**2
    occupied[:, [0, -1]] = occupied[:, :, [0, -1]] = True
    degrees, positions, pivots = np.zeros((3, len(keys)), np.int64)
    waiting, outcome = np.flatnonzero(has_room), np.zeros(len(keys), bool)
    for trial in range(geometry.settings.paddle_retries + 1):
        degrees[waiting] = below(DEGREES, keys[waiting], 2 * trial)
        possible, positions[waiting] = _free_pixel(
            geometry, occupied, waiting, degrees[waiting], keys, 2 * trial + 1
        )
        waiting = waiting[possible]
        where = np.stack(np.divmod(positions[waiting], window), -1)
        points = np.stack(geometry.first_points(where, degrees[waiting]))
        inside = ((points >= 0) & (points < window)).all((0, 2))
        pivots[waiting] = geometry.flat(*points[1].T)
        outcome[waiting[inside]] = True
        waiting = waiting[~inside]
        if not len(waiting):
            break
    return outcome, geometry.flat(*np.divmod(positions, window)), degrees, pivots


def _free_pixel(
    geometry: Geometry, occupied: np.ndarray, images: np.ndarray, degrees: np.ndarray, keys, position
):
    """A pixel (row x window + column), uniform among those where a paddle of that degree would be free."""
    possible, pixels = np.zeros(len(images), bool), np.zeros(len(images), np.int64)
    probes = geometry.probe_of[degrees]
    for probe in np.unique(probes[probes >= 0]):
        rows = np.flatnonzero(probes == probe)
        free = ~touching(occupied[images[rows]], geometry.probes[probe]).reshape(len(rows), -1)
        ranks = np.cumsum(free, axis=1, dtype=np.int32)
        number = ranks[:, -1]
        chosen = below(number, keys[images[rows]], position)
        possible[rows], pixels[rows] = number > 0, (ranks <= chosen[:, None]).sum(1) % free.shape[1]
    return possible, pixels
