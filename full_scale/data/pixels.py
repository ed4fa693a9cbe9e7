"""Images as sequences of raw grey values: pooled, read row by row, standardised by the model."""

import dataclasses
import math

import numpy as np
from jaxtyping import UInt8

from full_scale.data.dataset import PARTS, Dataset, Inputs, Split
from full_scale.data.labelled import Labelled
from full_scale.data.splits import Rows
from sims.runs.store import UserError

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
    training_tokens = splits["train"].tokens
    mean, deviation = scale or (
        round(float(training_tokens.mean()), 3),
        round(float(training_tokens.std()), 3) or 1.0,
    )
    inputs = Inputs(
        tokens.shape[1], classes, levels=LEVELS, mean=mean, deviation=deviation, grid=(grid, grid)
    )
    return Dataset(name, **splits, inputs=inputs, source=source)


def in_patches(dataset: Dataset, patch: int) -> Dataset:
    """Each square of `patch` x `patch` pixels as one token of standardised values; 1: the pixels as they are.

    Tokens (n, length, patch^2) in row order of the squares, and of the pixels inside each.
    """
    if patch == 1:
        return dataset
    inputs = dataset.inputs
    rows, columns = (side // patch for side in inputs.grid or (1, inputs.length))

    def cut(split: Split) -> Split:
        blocks = split.tokens.reshape(len(split), rows, patch, columns, patch).swapaxes(2, 3)
        values = blocks.reshape(len(split), rows * columns, patch**2).astype(np.float32)
        return Split((values - np.float32(inputs.mean)) / np.float32(inputs.deviation), split.labels)

    parts = {part: cut(getattr(dataset, part)) for part in PARTS}
    smaller = Inputs(rows * columns, inputs.classes, channels=patch**2, grid=(rows, columns))
    return dataclasses.replace(
        dataset, **parts, inputs=smaller, source=f"{dataset.source}; {patch} x {patch} pixels a token"
    )


def whole(tokens: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """The images (n, row, column) of tokens that are pixels or patches, in the units of the tokens."""
    rows, columns = grid
    patch = 1 if tokens.ndim == 2 else math.isqrt(tokens.shape[2])
    blocks = tokens.reshape(len(tokens), rows, columns, patch, patch).swapaxes(2, 3)
    return blocks.reshape(len(tokens), rows * patch, columns * patch)


def joined(*parts: Labelled) -> tuple[UInt8[np.ndarray, "n rows columns"], np.ndarray]:
    """Images and labels of several parts, one after another."""
    return np.concatenate([part.examples for part in parts]), np.concatenate([part.labels for part in parts])
