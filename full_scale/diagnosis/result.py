"""The stored result of a diagnosis: what was read, every number with its interval, and the verdict."""

import dataclasses

from full_scale.data.dataset import Description
from full_scale.diagnosis.contrast import LeadingContrast
from full_scale.diagnosis.initialisation import Dominant, Evidence
from full_scale.diagnosis.pilot.sequential import Pilot
from full_scale.diagnosis.quality import Quality
from full_scale.diagnosis.verdict import PretrainingVerdict
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

__all__ = ["Explained", "Values", "read"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Values(Stored):
    """What every diagnosis stores."""

    data: Description
    used: dict[str, int]
    """Sequences, by part: train, held_out."""
    read: str
    """What was read, in words."""
    quality: Quality
    model: dict[str, object]
    config: dict[str, object]
    fit: dict[str, object]
    """Steps, batch and rate of the fits, or of the pilot where there are none."""
    floors: dict[str, float]
    """Held-out accuracy without attention, by baseline."""
    numbers: dict[str, Interval]
    balanced: dict[str, float]
    """Accuracy as the mean over classes, by baseline and pattern."""
    rare: bool
    """Whether some class is."""
    notes: tuple[str, ...]
    fits: tuple[Evidence, ...]
    """Empty where none were asked for."""
    pilot: Pilot | None
    verdict: PretrainingVerdict


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explained(Values):
    """With fits: also what they tell of why."""

    directions: tuple[str, ...]
    """The distances that are looked along."""
    nearest: str
    """The one that is proximity."""
    kappa: float | None
    """Class contrast of neighbours; None where it is lost in noise."""
    leading_contrast: LeadingContrast | None = None
    """Of more than two classes, where it is not lost in noise."""
    positions: str
    """What they can express."""
    dominant: Dominant
    label_share: float
    """How well labels know the pattern's first step."""
    snr_by_offset: dict[str, tuple[Interval, ...]]
    """By loss."""


def read(content: dict[str, object]) -> Values:
    """The diagnosis that a stored result holds: `Explained` where it has fits."""
    return (Explained if content.get("fits") else Values).from_json(content)
