"""What of the growth depends on no image: turns, steps, stamps and starts as tables.

A *direction* is a number: 0..359 for the whole degrees -180..179 of a contour's first paddle, then one for
each point of the circle on which later paddles end. Positions are flat indices of a sheet with a frame
around the window, so that a move is an addition and a read beyond the border needs no test. Coordinates
are rounded up after each step, in float64, as in the reference: from column 3 a step straight down ends in
column 4, for the cosine of a right angle is 6e-17; from column 10 in column 10.
"""

import dataclasses
import functools
import math

import numpy as np

from full_scale.data.generators.pathfinder import stamps as stamps
from full_scale.data.generators.pathfinder.settings import PathfinderSettings

DEGREES = 360
FULL = 255
NEGLIGIBLE = 1e-20
"""cos(pi/2)^2 in float64 is 4e-33: a turn that the weight forbids."""


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Tables for one margin. `direction` rows first; `turn` numbers the possible next directions."""

    settings: PathfinderSettings
    margin: int
    frame: int
    """Pixels around the window."""
    side: int
    """Of the sheet: window + 2 frame."""
    angles: np.ndarray
    """(direction,) radians."""
    steps: np.ndarray
    """(2, direction, coordinate): flat moves from a pivot's row, and from its column, to the next pivot's;
    coordinates count from the frame's corner."""
    ends: np.ndarray
    """(direction,) from a paddle's pivot to its end."""
    turns: np.ndarray
    """(direction, turn) the next directions, the weight's support first, then fill of no weight."""
    weights: np.ndarray
    """(direction, turn)."""
    offsets: np.ndarray
    """(direction, pixel) where the room of a paddle is not 0, from its start."""
    room: np.ndarray
    """(direction, pixel) its values."""
    wide_offsets: np.ndarray
    """The same for the room dilated by the margin."""
    wide_room: np.ndarray
    lines: np.ndarray
    """(direction, row, column) the paddle as drawn from its start."""
    probes: tuple[np.ndarray, ...]
    """For each distinct set of pixels that a first paddle needs free: offsets (pixel, 2) from its start."""
    probe_of: np.ndarray
    """(degree,) which of them; -1: from some pixel of the window they all lie outside. The reference's
    dilation then has nothing to take a maximum of, and it takes the window for full."""

    def flat(self, rows, columns):
        """Flat positions of window coordinates."""
        return (np.asarray(rows) + self.frame) * self.side + np.asarray(columns) + self.frame

    def next_pivots(self, pivots, directions):
        """The pivots of the paddles that follow those at flat `pivots` in these directions."""
        rows, columns = np.divmod(pivots, self.side)
        return pivots + self.steps[0, directions, rows] + self.steps[1, directions, columns]

    def first_points(self, starts: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heads and pivots (n, 2) of first paddles that start at window coordinates (n, 2)."""
        angles, length = self.angles[degrees], self.settings.paddle_length
        heads = stepped(starts, angles, length)
        return heads, stepped(heads, opposite(angles), length + self.margin)

    def coordinates(self, flat) -> tuple[np.ndarray, np.ndarray]:
        """Window rows and columns of flat positions."""
        rows, columns = np.divmod(flat, self.side)
        return rows - self.frame, columns - self.frame


def stepped(points: np.ndarray, angles: np.ndarray, distance: int) -> np.ndarray:
    """(n, 2) coordinates one step along each angle from `points`, rounded up."""
    return np.ceil(points + distance * np.stack([np.sin(angles), np.cos(angles)], axis=-1)).astype(np.int64)


def opposite(angles: np.ndarray) -> np.ndarray:
    """The angles turned by pi, in [-pi, pi)."""
    return np.where(angles < 0, angles + math.pi, angles - math.pi)


def circle(radius: int) -> np.ndarray:
    """(point, 2): the distinct pixels under samples one pixel apart on a circle, row by row."""
    angles = np.arange(0, 360, 360.0 / (2 * radius * math.pi)) * math.pi / 180
    return np.unique(np.floor(radius * np.stack([np.sin(angles), np.cos(angles)], -1)).astype(int), axis=0)


def _turn_weights(angles: np.ndarray, following: np.ndarray, continuity: float) -> np.ndarray:
    """max(cos(min(continuity |turn|, pi/2)), 0)^2 for each pair of directions."""
    apart = np.abs(following[None, :] - angles[:, None])
    turn = np.minimum(np.minimum(apart, 2 * math.pi - apart) * continuity, math.pi / 2)
    return np.maximum(np.cos(turn), 0.0) ** 2


@functools.lru_cache(maxsize=8)
def geometry(settings: PathfinderSettings, margin: int) -> Geometry:
    """The tables of a setting at one of its margins."""
    length = settings.paddle_length
    points = circle(length + margin)
    degrees = np.arange(-180, 180) * math.pi / 180
    angles = np.concatenate([degrees, np.arctan2(points[:, 0], points[:, 1])])
    half = stamps.half_side(settings, margin)
    frame = max(half + margin, 2 * length + 3 * margin + 2)
    side = settings.window + 2 * frame
    flat = lambda steps: steps[..., 0] * side + steps[..., 1]
    starts = np.concatenate([degrees, opposite(angles[DEGREES:])])
    drawn = [stamps.paddle(settings, margin, float(angle)) for angle in starts]
    rooms = np.stack([room for _, room in drawn])
    wide = np.stack([stamps.dilated(np.pad(room, margin), margin) for room in rooms])
    turns, weights = _support(_turn_weights(angles, angles[DEGREES:], settings.continuity))
    probes, probe_of = _probes(rooms[:DEGREES], length + margin, half)
    return Geometry(
        settings=settings, margin=margin, frame=frame, side=side, angles=angles,
        steps=_steps(angles, length + 2 * margin, frame, side),
        ends=np.concatenate([np.zeros(DEGREES, np.int64), flat(points)]),
        turns=turns, weights=weights,
        **dict(zip(("offsets", "room"), _sparse(rooms, side), strict=True)),
        **dict(zip(("wide_offsets", "wide_room"), _sparse(wide, side), strict=True)),
        lines=np.stack([line for line, _ in drawn]), probes=probes, probe_of=probe_of,
    )  # fmt: skip


def _steps(angles: np.ndarray, distance: int, frame: int, side: int) -> np.ndarray:
    coordinates = np.arange(side) - frame
    every = stepped(coordinates[None, :, None], angles[:, None], distance) - coordinates[None, :, None]
    return np.stack([every[..., 0] * side, every[..., 1]])


def _support(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The directions of positive weight of each row, in their order, and these weights."""
    positive = weights > NEGLIGIBLE
    order = np.argsort(~positive, axis=1, kind="stable")[:, : positive.sum(1).max()]
    return order + DEGREES, np.where(positive, weights, 0.0)[np.arange(len(weights))[:, None], order]


def _sparse(images: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat offsets from the middle and values of the pixels that are not 0.

    Short rows repeat their last pixel: written again, it holds the same value.
    """
    half = images.shape[1] // 2
    size = (images > 0).sum((1, 2)).max()
    offsets, values = np.zeros((len(images), size), np.int64), np.zeros((len(images), size), np.uint8)
    for number, image in enumerate(images):
        rows, columns = np.nonzero(image)
        rows, columns = (
            np.pad(indices, (0, size - len(indices)), mode="edge") for indices in (rows, columns)
        )
        offsets[number], values[number] = (rows - half) * side + columns - half, image[rows, columns]
    return offsets, values


def _probes(rooms: np.ndarray, radius: int, half: int) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Pixels that a first paddle needs free: its room where full, in a square of 2 `radius` + 1 pixels.

    The reference draws it from one pixel below and right of the square's middle and dilates from the middle.
    """
    known: dict[bytes, int] = {}
    probes: list[np.ndarray] = []
    numbers = []
    for room in rooms:
        offsets = np.argwhere(room == FULL) - half + 1
        offsets = offsets[np.abs(offsets).max(1) <= radius]
        if _leaves_a_corner(offsets):
            numbers.append(-1)
            continue
        if offsets.tobytes() not in known:
            known[offsets.tobytes()] = len(probes)
            probes.append(offsets)
        numbers.append(known[offsets.tobytes()])
    return tuple(probes), np.array(numbers)


def _leaves_a_corner(offsets: np.ndarray) -> bool:
    """Whether all the pixels lie outside the window, seen from one of its corners."""
    return any(
        not ((offsets * np.array([down, across]) <= 0).all(1)).any() for down in (-1, 1) for across in (-1, 1)
    )
