"""Small drawings that images are composed of: a paddle, the room it takes, a disc. Values 0..255.

Drawn `antialias` times larger, without smoothing, and reduced by Lanczos, as the reference does.
"""

import math

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from full_scale.data.generators.pathfinder.settings import PathfinderSettings

Stamp = UInt8[np.ndarray, "side side"]


def half_side(settings: PathfinderSettings, margin: int) -> int:
    """A paddle's stamp has 2 h + 1 pixels on a side, its start in the middle."""
    return settings.paddle_length + math.ceil(settings.paddle_thickness) + margin


def paddle(settings: PathfinderSettings, margin: int, radians: float) -> tuple[Stamp, Stamp]:
    """A line from the middle of the stamp along the angle (rows grow downwards), and that line dilated."""
    scale, half = settings.antialias, half_side(settings, margin)
    middle, length = half * scale, settings.paddle_length * scale
    end = math.ceil(middle + length * math.sin(radians)), math.ceil(middle + length * math.cos(radians))
    fine = Image.new("L", (2 * middle + 1, 2 * middle + 1), 0)
    thickness = round(settings.paddle_thickness * scale)
    ImageDraw.Draw(fine).line([(middle, middle), (end[1], end[0])], fill=255, width=thickness)
    line = np.array(fine)
    return _reduced(line, 2 * half + 1), _reduced(dilated(line, margin * scale), 2 * half + 1)


def disk(radius: int) -> list[tuple[int, int]]:
    """Offsets (row, column) within a distance."""
    offsets = range(-radius, radius + 1)
    return [(row, column) for row in offsets for column in offsets if row**2 + column**2 <= radius**2]


def dilated(image: UInt8[np.ndarray, "rows columns"], radius: int) -> UInt8[np.ndarray, "rows columns"]:
    """The largest value within a radius; nothing comes from beyond the border."""
    padded, (rows, columns) = np.pad(image, radius), image.shape
    shifted = [
        padded[radius + row : radius + row + rows, radius + column : radius + column + columns]
        for row, column in disk(radius)
    ]
    return np.max(shifted, axis=0)


def disc(settings: PathfinderSettings, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """A disc at row `rows[0]` of a sheet of `rows[1]` rows, and the same for columns."""
    scale = settings.antialias
    down = (np.arange(rows[1] * scale) - rows[0] * scale)[:, None]
    across = (np.arange(columns[1] * scale) - columns[0] * scale)[None, :]
    inside = down**2 + across**2 <= (settings.marker_radius * scale) ** 2
    sheet = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))
    return np.array(sheet.resize((columns[1], rows[1]), Image.Resampling.LANCZOS))


def _reduced(image: UInt8[np.ndarray, "rows columns"], side: int) -> Stamp:
    return np.array(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))
