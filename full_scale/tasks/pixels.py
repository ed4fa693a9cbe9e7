"""Images as sequences of raw grey values: pooled, read row by row, standardised by the model."""

import numpy as np
from jaxtyping import UInt8

from full_scale.dataset import Dataset, Inputs, Split
from full_scale.readers.labelled import Labelled
from full_scale.tasks.splits import Rows
from sims.store import UserError

LEVELS = 256


def pooled(images: UInt8[np.ndarray, "n rows columns"], side: int | None) -> UInt8[np.ndarray, "n length"]:
    """Means over equal blocks, rounded, row by row; `side` rows and columns are left (None: as they are)."""
    count, rows, columns = images.shape
    side = side or rows
    if rows != columns or side < 1 or rows % side:
        fits = [divisor for divisor in range(1, rows + 1) if rows % divisor == 0]
        nearest = min(fits, key=lambda divisor: abs(divisor - side))
        raise UserError(f"side must divide an image's {rows} rows: got side={side}; try {nearest}")
    if side == rows:
        return images.reshape(count, -1)
    blocks = images.reshape(count, side, rows // side, side, rows // side)
    return np.rint(blocks.mean(axis=(2, 4), dtype=np.float32)).astype(np.uint8).reshape(count, -1)


def image_dataset(
    name: str,
    images: UInt8[np.ndarray, "n rows columns"],
    labels: np.ndarray,
    rows: Rows,
    source: str,
    *,
    side: int | None,
    scale: tuple[float, float] | None,
    classes: int,
) -> Dataset:
    """Pooled images by part. `scale`: mean and deviation in raw units; None: those of the training part."""
    tokens = pooled(images, side)
    grid = round(tokens.shape[1] ** 0.5)
    splits = {part: Split(tokens[rows[part]], labels[rows[part]]) for part in rows}
    seen = splits["train"].tokens
    mean, deviation = scale or (round(float(seen.mean()), 3), round(float(seen.std()), 3) or 1.0)
    inputs = Inputs(
        tokens.shape[1], classes, levels=LEVELS, mean=mean, deviation=deviation, grid=(grid, grid)
    )
    return Dataset(name, **splits, inputs=inputs, source=source)


def joined(*parts: Labelled) -> tuple[UInt8[np.ndarray, "n rows columns"], np.ndarray]:
    """Images and labels of several parts, one after another."""
    return np.concatenate([part.examples for part in parts]), np.concatenate([part.labels for part in parts])
