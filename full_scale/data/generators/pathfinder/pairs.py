"""The two long contours of each image: pairs are tried until one stands, many tries of many images at once.

Try a of image i has random numbers of its own, and the image takes its first try that stands. So which tries
run together, and in what order, changes nothing. That a try dies is known paddle by paddle, before anything
is drawn; its place goes to another try at once.
"""

import dataclasses

import numpy as np

from full_scale.data.generators.pathfinder.geometry import DEGREES, Geometry
from full_scale.data.generators.pathfinder.growth import Sheets, empty, extend, template
from full_scale.data.generators.splitmix import below, outputs

SHEET_BYTES = 6 << 20
"""For the tries in hand: more falls out of the processor's cache."""
_SEED_DRAWS = 4
"""Random numbers of a try that are set aside for its two first paddles."""


@dataclasses.dataclass(frozen=True)
class Pairs:
    """The accepted pairs; paddle p of contour c stands in column 2 p + c."""

    directions: np.ndarray
    """(image, paddle)"""
    starts: np.ndarray
    """(image, paddle) flat positions; the last two columns are the contours' far ends."""
    tries: np.ndarray
    """(image,) how many pairs were tried."""
    sheets: Sheets
    """One per image, as the short contours find them."""


def long_contours(geometry: Geometry, keys: np.ndarray) -> Pairs:
    """Each image's first pair that stands. `keys`: (image,) streams of tries."""
    pool = _Pool(geometry, keys)
    while pool.refill():
        pool.step()
    return pool.pairs()


def first_starts(geometry: Geometry) -> list[tuple[int, np.ndarray]]:
    """Every degree at which the first contour may start, with the flat positions where it may."""
    border, window = 2 * geometry.settings.seed_distance, geometry.settings.window
    lined = np.ones((1, window, window), bool)
    lined[:, border : window - border, border : window - border] = False
    free_positions = [geometry.flat(*np.nonzero(~touching(lined, probe)[0])) for probe in geometry.probes]
    degrees = np.flatnonzero(geometry.probe_of >= 0)
    starts = [(int(degree), free_positions[geometry.probe_of[degree]]) for degree in degrees]
    return [(degree, where) for degree, where in starts if len(where)]


def touching(occupied: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """(image, row, column): whether a paddle that starts there would meet an occupied pixel."""
    radius, (_, rows, columns) = int(np.abs(probe).max(initial=0)), occupied.shape
    padded = np.pad(occupied, ((0, 0), (radius, radius), (radius, radius)))
    touched = np.zeros_like(occupied)
    for row, column in probe + radius:
        touched |= padded[:, row : row + rows, column : column + columns]
    return touched


class _Pool:
    """The tries in hand, one per lane."""

    def __init__(self, geometry: Geometry, keys: np.ndarray) -> None:
        paddles, images = 2 * geometry.settings.contour_length, len(keys)
        self.geometry, self.keys, self.paddles = geometry, keys, paddles
        self.blank, self.room = template(geometry), first_starts(geometry)
        self.lanes = int(np.clip(SHEET_BYTES // (2 * geometry.side**2), 16, 128 * images))
        self.sheets = empty(geometry, self.lanes)
        self.image = np.full(self.lanes, -1)
        self.attempt, self.count = np.zeros((2, self.lanes), np.int64)
        self.key = np.zeros(self.lanes, np.uint64)
        self.pivot = np.zeros((self.lanes, 2), np.int64)
        self.direction, self.start = np.zeros((2, self.lanes, paddles), np.int64)
        self.issued = np.zeros(images, np.int64)
        self.turn = 0
        self.success_attempt = np.full(images, np.iinfo(np.int64).max)
        self.accepted = empty(geometry, images)
        self.accepted_direction, self.accepted_start = np.zeros((2, images, paddles), np.int64)

    def pairs(self) -> Pairs:
        return Pairs(self.accepted_direction, self.accepted_start, self.success_attempt + 1, self.accepted)

    def refill(self) -> bool:
        """Start tries on the idle lanes, round the images that have none standing; False: done."""
        waiting = np.flatnonzero(self.issued < self.success_attempt)
        idle = np.flatnonzero(self.image < 0)
        if len(waiting) and len(idle):
            chosen = waiting[(self.turn + np.arange(len(idle))) % len(waiting)]
            self.turn = (self.turn + len(idle)) % len(waiting)
            order = np.argsort(chosen, kind="stable")
            chosen = chosen[order]
            rank = np.arange(len(chosen)) - np.searchsorted(chosen, chosen)
            self._begin(idle, chosen, self.issued[chosen] + rank)
            np.add.at(self.issued, chosen, 1)
        return bool(len(waiting)) or bool((self.image >= 0).any())

    def _begin(self, lanes: np.ndarray, images: np.ndarray, attempts: np.ndarray) -> None:
        self.image[lanes], self.attempt[lanes] = images, attempts
        keys = self.key[lanes] = outputs(self.keys[images], attempts)
        starts, degrees = _first_paddles(self.geometry, self.room, keys)
        self.sheets.taken[lanes], self.sheets.nearby[lanes] = self.blank
        self.start[lanes, :2], self.direction[lanes, :2] = starts.T, degrees.T
        for contour in (0, 1):
            points = np.stack(self.geometry.coordinates(starts[contour]), -1)
            _, pivots = self.geometry.first_points(points, degrees[contour])
            self.pivot[lanes, contour] = self.geometry.flat(*pivots.T)
        self.count[lanes] = 2

    def step(self) -> None:
        """One more paddle on each try in hand, on the contour whose turn it is."""
        lanes = np.flatnonzero(self.image >= 0)
        count = self.count[lanes]
        last, contour = count - 2, count % 2
        position = _SEED_DRAWS + last * (self.geometry.settings.paddle_retries + 1)
        directions, starts = self.direction[lanes, last], self.start[lanes, last]
        stands, pivots, following, ends = extend(
            self.geometry,
            self.sheets,
            lanes,
            self.pivot[lanes, contour],
            directions,
            self.key[lanes],
            position,
        )
        self.image[lanes[~stands]] = -1
        rows = lanes[stands]
        self.sheets.join(self.geometry, rows, directions[stands], starts[stands])
        self.pivot[rows, contour[stands]] = pivots[stands]
        self.direction[rows, count[stands]], self.start[rows, count[stands]] = following[stands], ends[stands]
        self.count[rows] += 1
        self._keep(rows[self.count[rows] == self.paddles])

    def _keep(self, lanes: np.ndarray) -> None:
        """Store tries that stand, the earliest of each image last; later tries of the image are dropped."""
        if not len(lanes):
            return
        # the reference joins the second contour's last paddle alone
        self.sheets.join(self.geometry, lanes, self.direction[lanes, -1], self.start[lanes, -1])
        for lane in lanes[np.argsort(-self.attempt[lanes])]:
            image = self.image[lane]
            if self.attempt[lane] < self.success_attempt[image]:
                self.success_attempt[image] = self.attempt[lane]
                self.accepted_direction[image], self.accepted_start[image] = (
                    self.direction[lane],
                    self.start[lane],
                )
                self.accepted.taken[image], self.accepted.nearby[image] = (
                    self.sheets.taken[lane],
                    self.sheets.nearby[lane],
                )
        self.image[lanes] = -1
        working = np.flatnonzero(self.image >= 0)
        late = self.attempt[working] > self.success_attempt[self.image[working]]
        self.image[working[late]] = -1


def _first_paddles(geometry: Geometry, room: list[tuple[int, np.ndarray]], keys: np.ndarray):
    """Both contours' starts, flat (contour, n), and degrees (contour, n).

    The first start is uniform over the free pixels for its direction, the second on the circle around it.
    A direction that leaves no pixel free ends a try of the reference; here it is not drawn.
    """
    number = below(len(room), keys, 0)
    counts = np.array([len(where) for _, where in room])[number]
    begins = np.cumsum([0] + [len(where) for _, where in room])[number]
    first = np.concatenate([where for _, where in room])[begins + below(counts, keys, 1)]
    angle = below(DEGREES, keys, 2) * np.pi / 180
    step = np.rint(geometry.settings.seed_distance * np.stack([np.sin(angle), np.cos(angle)])).astype(
        np.int64
    )
    degrees = np.stack([np.array([degree for degree, _ in room])[number], below(DEGREES, keys, 3)])
    return np.stack([first, first + step[0] * geometry.side + step[1]]), degrees
