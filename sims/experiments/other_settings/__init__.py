"""Six settings beside the paper's: classes, a CLS token, first steps, many masks, open ends, images.

[C25 to C30]

In each a law of the theory and what drawn sequences say of the same number, seed by seed: the rate at which labels
leave their plateau over the number of classes; the visible dimension of a head on one position; the share of a first
step through encodings that labels see; the pull of lag 1 over the mask rate; what labels see of reconstruction on a
line; the pull on an image in raster order.
"""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from sims.experiments.other_settings import labels, reconstruction
from sims.runs.config_validation import at_least, between
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare, compare_all

DESCRIPTION = (
    "classes, a CLS token, encodings, many masks, open ends and images: six laws beside drawn sequences"
)
SECONDS = 5

Progress = Callable[[int, int], None] | None
Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Config:
    """Where the six laws are looked at."""

    classes: tuple[int, ...] = (2, 3, 4, 6)
    """Numbers of classes."""
    cls_lengths: tuple[int, ...] = (4, 6, 8)
    """Sequence lengths behind a head on one position, at least 3."""
    common: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0)
    """What all encodings have in common, over the deviation of the rest."""
    mask_rates: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8)
    """Chances that a position other than the predicted one is hidden."""
    lengths: tuple[int, ...] = (8, 16, 32)
    """Lengths of the lines."""
    side: int = 6
    """Rows and columns of the images."""
    correlation: float = 0.5
    """Correlation of neighbours: on lines, on rings, and along the rows of images."""
    sequences: int = 2_000
    """Sequences, images or draws of maps per seed."""
    seeds: int = 16
    """Independent draws of them."""

    def __post_init__(self) -> None:
        at_least(2, fewest_classes=min(self.classes, default=0), seeds=self.seeds, sequences=self.sequences)
        at_least(3, shortest_length=min(*self.lengths, *self.cls_lengths), side=self.side)
        between(0, 1, correlation=self.correlation, largest_mask_rate=max(self.mask_rates, default=0))

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls((2, 3), (4,), (0.0, 1.0), (0.0, 0.5), (8, 12), side=4, sequences=400, seeds=12)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """The six measurements, one after another."""
    parts = {
        "classes": labels.escape_rates,
        "cls": labels.visible_dimensions,
        "step": labels.step_shares,
        "masks": reconstruction.mask_pulls,
        "line": reconstruction.line_shares,
        "image": reconstruction.image_pulls,
    }
    curves = {}
    for done, (name, part) in enumerate(parts.items()):
        if report:
            report(done, len(parts))
        curves[name] = part(config, key=jax.random.fold_in(key, done))
    if report:
        report(len(parts), len(parts))
    verdicts, arrays = compare_all(curves)
    leading, band = compare(curves["line"][0], reconstruction.leading_line(config), exact=False)
    arrays["line_leading"] = band["theory"]
    arrays |= {name: np.array(getattr(config, name)) for name in AXES}
    return Values(verdicts | {"line_leading": leading}, WHERE_THEORY_LEAVES), arrays


AXES = ("classes", "cls_lengths", "common", "mask_rates", "lengths")
WHERE_THEORY_LEAVES = {"line_leading": "the share on a line is its leading order in 1/L"}

__all__ = ["AXES", "DESCRIPTION", "SECONDS", "Config", "Values", "run"]
