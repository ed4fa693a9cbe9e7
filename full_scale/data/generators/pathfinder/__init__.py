"""Pathfinder (Linsley et al. 2018): do two discs lie on the same long contour? Made as in Long Range Arena.

Label 1: the discs lie on both ends of one of the two long contours; label 0: on the start of one and the far
end of the other. Labels are drawn before anything else, and both kinds of image hold the same contours.
Sample i depends on (settings, seed, i) alone.
"""

from pathlib import Path

import numpy as np

from full_scale.data.generators import shards
from full_scale.data.generators.pathfinder.distractors import short_contours
from full_scale.data.generators.pathfinder.geometry import Geometry, geometry
from full_scale.data.generators.pathfinder.images import discs, drawn, to_bytes
from full_scale.data.generators.pathfinder.pairs import long_contours
from full_scale.data.generators.pathfinder.settings import PRESETS, PathfinderSettings
from full_scale.data.generators.shards import ShardedGenerator
from full_scale.data.generators.splitmix import below, outputs, stream

__all__ = ["PRESETS", "SHARDED_GENERATOR", "PathfinderSettings", "generate", "load", "prepare"]

NAME = "pathfinder"
LABEL, CONTOUR, MARGIN, PAIRS, DISTRACTORS = range(5)
"""Positions in a sample's stream."""

Arrays = dict[str, np.ndarray]


def generate(
    config: PathfinderSettings, *, seed: int, start: int, count: int
) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Samples start..start + count - 1 of a seed: images (n, H, W) uint8, labels (n,) uint8, metadata.

    Metadata, one row a sample: `discs` (n, 2, 2) rows and columns of the two discs, `margin`, `tries` of the
    pair of long contours (of those whose first direction leaves room), `short_contours` that found room.
    """
    keys = outputs(stream(seed), np.arange(start, start + count))
    labels = below(2, keys, LABEL).astype(np.uint8)
    margins = np.array(config.margins)[below(len(config.margins), keys, MARGIN)]
    images = np.zeros((count, config.window, config.window), np.uint8)
    facts = {
        "discs": np.zeros((count, 2, 2), np.int16),
        "margin": margins.astype(np.uint8),
        "tries": np.zeros(count, np.int64),
        "short_contours": np.zeros(count, np.uint8),
    }
    for margin in sorted(set(config.margins)):
        rows = np.flatnonzero(margins == margin)
        if len(rows):
            _fill(geometry(config, margin), keys, labels, rows, images, facts)
    return images, labels, facts


def _fill(tables: Geometry, keys, labels, rows, images, facts) -> None:
    """Make the images of one margin, in place."""
    settings, keys = tables.settings, keys[rows]
    pairs = long_contours(tables, outputs(keys, PAIRS))
    directions, starts = short_contours(tables, pairs.sheets, outputs(keys, DISTRACTORS))
    flat = lambda array: array.reshape(len(rows), -1)
    long = drawn(tables, pairs.directions, pairs.starts) * (
        settings.paddle_contrast * settings.snake_contrast
    )
    short = drawn(tables, flat(directions), flat(starts)) * settings.snake_contrast
    contour = below(2, keys, CONTOUR)
    far = np.where(labels[rows] == 1, contour, 1 - contour)
    every = np.arange(len(rows))
    ends = np.stack([pairs.starts[every, contour], pairs.starts[every, far - 2]], axis=1)
    where = tables.coordinates(ends)
    images[rows] = to_bytes(settings, np.max([long, short, discs(settings, *where)], axis=0))
    facts["discs"][rows] = np.stack(where, axis=-1)
    facts["tries"][rows] = pairs.tries
    facts["short_contours"][rows] = (directions[:, :, 0] >= 0).sum(1)


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """What `generate` returned, from a prepared folder, every shard against its hash. Raises UserError."""
    arrays = shards.load(Path(folder), NAME)
    return arrays.pop("images"), arrays.pop("labels"), arrays


def _shard(settings: PathfinderSettings, seed: int, start: int, count: int) -> Arrays:
    images, labels, facts = generate(settings, seed=seed, start=start, count=count)
    return {"images": images, "labels": labels, **facts}


SHARDED_GENERATOR = ShardedGenerator(NAME, _shard)
prepare = SHARDED_GENERATOR.prepare
