"""One more paddle on each of many contours at once.

A sheet holds, for each image, how much of every pixel is taken (0..255) and the same dilated by the margin.
The next pivot lies `length + 2 margin` along the last paddle. The paddle ends on the circle of radius
`length + margin` around it, at a pixel drawn with weight (1 - taken nearby) x the turn's weight. It is kept
if its room plus what is taken stays below 1.8 everywhere; else it is drawn again. A paddle takes its room
only when the next one of its contour stands.
"""

import dataclasses

import numpy as np

from full_scale.data.generators.pathfinder.geometry import FULL, Geometry
from full_scale.data.generators.splitmix import uniform

_CROSSING = 1.8 * FULL
_DEAD_END = 1e-4 * FULL
HALF_FREE = 0.3 * FULL
"""A contour may start where no more than this is taken."""


@dataclasses.dataclass(frozen=True)
class Sheets:
    """What is taken, (sheet, side x side) each; changed in place."""

    taken: np.ndarray
    nearby: np.ndarray

    def join(self, geometry: Geometry, sheets: np.ndarray, direction: np.ndarray, start: np.ndarray) -> None:
        """Take the room of one paddle on each of these sheets."""
        base = (sheets * geometry.side**2 + start)[:, None]
        for target, offsets, values in (
            (self.taken, geometry.offsets, geometry.room),
            (self.nearby, geometry.wide_offsets, geometry.wide_room),
        ):
            flat, cells = target.reshape(-1), base + offsets[direction]
            flat[cells] = np.maximum(flat[cells], values[direction])


def empty(geometry: Geometry, number: int) -> Sheets:
    """Sheets on which only the border is taken; beyond it no paddle may end."""
    taken, nearby = template(geometry)
    return Sheets(np.tile(taken, (number, 1)), np.tile(nearby, (number, 1)))


def template(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """One empty sheet's two rows."""
    side, frame, padding = geometry.side, geometry.frame, geometry.settings.padding
    rows = []
    for beyond, border in ((0, padding), (FULL, padding + geometry.margin)):
        sheet = np.full((side, side), beyond, np.uint8)
        sheet[frame : side - frame, frame : side - frame] = FULL
        sheet[frame + border : side - frame - border, frame + border : side - frame - border] = 0
        rows.append(sheet.reshape(-1))
    return rows[0], rows[1]


def extend(geometry: Geometry, sheets: Sheets, lanes, pivots, directions, keys, position):
    """Draw the next paddle of a contour on each of the sheets `lanes`.

    `keys` and `position` name the random numbers: retries + 1 in a row. Returns whether it stands, its pivot,
    direction and start (that is, its end: paddles are drawn backwards).
    """
    cumulated, ends, turns, pivots = choices(geometry, sheets, lanes, pivots, directions)
    stands, chosen = np.zeros(len(lanes), bool), np.zeros(len(lanes), np.int64)
    waiting = np.flatnonzero(cumulated[:, -1] >= _DEAD_END)
    for trial in range(geometry.settings.paddle_retries + 1):
        draws = uniform(keys[waiting], position[waiting] + trial) * cumulated[waiting, -1]
        picked = (cumulated[waiting] <= draws[:, None]).sum(1)
        chosen[waiting] = picked
        free = _free(geometry, sheets, lanes[waiting], turns[waiting, picked], ends[waiting, picked])
        stands[waiting[free]] = True
        waiting = waiting[~free]
        if not len(waiting):
            break
    every = np.arange(len(lanes))
    return stands, pivots, turns[every, chosen], ends[every, chosen]


def choices(geometry: Geometry, sheets: Sheets, lanes, pivots, directions):
    """Cumulated weights (times 255), end points and directions of the possible paddles; the new pivots."""
    pivots = geometry.next_pivots(pivots, directions)
    turns = geometry.turns[directions]
    ends = pivots[:, None] + geometry.ends[turns]
    nearby = sheets.nearby.reshape(-1)[(lanes * geometry.side**2)[:, None] + ends]
    return np.cumsum((FULL - nearby) * geometry.weights[directions], axis=1), ends, turns, pivots


def _free(geometry: Geometry, sheets: Sheets, lanes, directions, starts):
    cells = (lanes * geometry.side**2 + starts)[:, None] + geometry.offsets[directions]
    taken = sheets.taken.reshape(-1)[cells].astype(np.uint16)
    return (taken + geometry.room[directions]).max(1) < _CROSSING
