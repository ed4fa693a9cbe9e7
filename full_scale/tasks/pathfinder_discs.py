"""Where the two discs of a Pathfinder image lie, told by their thickness: paddles are thinner."""

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import minimum_filter, uniform_filter

CORE = {
    16: 2,
    24: 2,
    32: 2,
    64: 3,
    128: 4,
    256: 7,
}  # pixels on a side of a square in a disc; paddles are thinner


def disc_distance(images: UInt8[np.ndarray, "n rows columns"]) -> Float[np.ndarray, " n"]:
    """Pixels between the two thickest places of each image that are a disc apart."""
    side = images.shape[1]
    core = CORE.get(side, max(2, side // 16))
    thick = minimum_filter(images, size=(0, core, core)).astype(np.float32)
    thick += uniform_filter(images.astype(np.float32), size=(0, core + 1, core + 1)) / 256
    first = _brightest(thick)
    grid = np.arange(side)
    near = (grid[None, :, None] - first[:, :1, None]) ** 2 + (grid[None, None, :] - first[:, 1:, None]) ** 2
    second = _brightest(np.where(near > core**2, thick, -1))
    return np.linalg.norm((first - second).astype(np.float64), axis=1)


def _brightest(images: Float[np.ndarray, "n rows columns"]) -> np.ndarray:
    """Row and column of each image's maximum."""
    flat = images.reshape(len(images), -1).argmax(axis=1)
    return np.stack(np.unravel_index(flat, images.shape[1:]), axis=1)
