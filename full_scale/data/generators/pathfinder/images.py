"""From contours to pixels: everything is composed by its maximum, then scaled to bytes."""

import functools
import math

import numpy as np
from jaxtyping import Float, UInt8

from full_scale.data.generators.pathfinder import stamps as stamps
from full_scale.data.generators.pathfinder.geometry import FULL, Geometry
from full_scale.data.generators.pathfinder.settings import PathfinderSettings

_LANCZOS_REACH = 4
"""Pixels beyond a disc's edge that its reduction can touch, and one."""


def drawn(
    geometry: Geometry, directions: np.ndarray, starts: np.ndarray
) -> Float[np.ndarray, "n row column"]:
    """The paddles of each image as lines, 0..1. Directions (-1: none) and flat starts: (n, paddle)."""
    half, side, frame = geometry.lines.shape[1] // 2, geometry.side, geometry.frame
    step = np.arange(-half, half + 1)
    around = (step[:, None] * side + step).reshape(-1)
    sheets = np.zeros((len(starts), side**2), np.uint8)
    flat = sheets.reshape(-1)
    for paddle in range(starts.shape[1]):
        images = np.flatnonzero(directions[:, paddle] >= 0)
        cells = (images * side**2 + starts[images, paddle])[:, None] + around
        lines = geometry.lines.reshape(len(geometry.lines), -1)[directions[images, paddle]]
        flat[cells] = np.maximum(flat[cells], lines)
    window = slice(frame, side - frame)
    return sheets.reshape(-1, side, side)[:, window, window].astype(np.float32) / FULL


def discs(settings: PathfinderSettings, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(n, row, column) two discs in each image, 0..1. Rows and columns of their middles: (n, 2)."""
    radius, window = _disc_radius(settings), settings.window
    sheets = np.zeros((len(rows), window + 2 * radius, window + 2 * radius), np.uint8)
    for sheet, middles in zip(sheets, np.stack([rows, columns], -1).tolist(), strict=True):
        for row, column in middles:
            part = sheet[row : row + 2 * radius + 1, column : column + 2 * radius + 1]
            np.maximum(part, _disc(settings, row, column), out=part)
    return sheets[:, radius:-radius, radius:-radius].astype(np.float32) / FULL


def to_bytes(settings: PathfinderSettings, images: np.ndarray) -> UInt8[np.ndarray, "n row column"]:
    """Brightness to 0..255: by each image's minimum and maximum, or 0..1 with what is brighter clipped."""
    if settings.byte_scaling == "clip":
        return (FULL * images.clip(0, 1) + 0.5).astype(np.uint8)
    low, high = images.min((1, 2), keepdims=True), images.max((1, 2), keepdims=True)
    return ((images - low) * (FULL / np.maximum(high - low, 1e-9)) + 0.5).clip(0, FULL).astype(np.uint8)


def _disc_radius(settings: PathfinderSettings) -> int:
    return math.ceil(settings.marker_radius) + _LANCZOS_REACH


def _disc(settings: PathfinderSettings, row: int, column: int) -> np.ndarray:
    """A disc on a square around it; near a border the reduction sees that the window ends."""
    room = 2 * _disc_radius(settings)
    near = lambda coordinate: (min(coordinate, room), min(settings.window - 1 - coordinate, room))
    return _disc_near(settings, near(row), near(column))


@functools.lru_cache(maxsize=4096)
def _disc_near(settings: PathfinderSettings, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    radius = _disc_radius(settings)
    sheet = stamps.disc(settings, (rows[0], sum(rows) + 1), (columns[0], sum(columns) + 1))
    padded = np.pad(sheet, radius)
    return padded[rows[0] : rows[0] + 2 * radius + 1, columns[0] : columns[0] + 2 * radius + 1]
