"""What one initialisation of the fits measured, as it is stored."""

import dataclasses

from sims.runs.typed import Stored

LOSSES = ("label", "reconstruction")
ByOffset = tuple[float, ...]
ByHead = tuple[tuple[float, ...], ...]
"""Layer by layer."""


@dataclasses.dataclass(frozen=True)
class VerdictInputs(Stored):
    """What a verdict reads of one initialisation; by direction: top, expressible, random."""

    accuracy_uniform_held_out: float
    accuracy_pattern_held_out: float
    score_label: dict[str, float]
    snr_label: dict[str, float]
    snr_reconstruction: dict[str, float]
    accuracy_own_held_out: float | None = None
    """Not measured in the first study, which had a random pattern instead."""
    accuracy_random_held_out: float | None = None


@dataclasses.dataclass(frozen=True)
class Dominant(Stored):
    """The distance at which a direction's mean entry is largest."""

    lag: int
    profile: tuple[float, ...]
    """Mean entry by lag."""
    offset: tuple[int, int] | None = None
    """Of images: rows and columns."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence(VerdictInputs):
    """All of it."""

    positions: str
    """What they can express."""
    sequences_probed: int
    score_by_offset_label: ByOffset
    score_by_offset_reconstruction: ByOffset
    snr_by_offset_label: ByOffset
    snr_by_offset_reconstruction: ByOffset
    score_reconstruction: dict[str, float]
    visible_share_label: float
    visible_share_reconstruction: float
    escape_rate: float
    plateau_time: float | None
    """Infinite, and stored as None, where the plateau never ends."""
    reconstruction_time: float
    contrast_snr: float
    dominant: Dominant
    accuracy_uniform_train: float
    accuracy_own_train: float
    accuracy_pattern_train: float
    loss_uniform_held_out: float
    loss_own_held_out: float
    loss_pattern_held_out: float
    keys_read_label: ByHead
    keys_read_reconstruction: ByHead
    learning_rates: dict[str, float]
    """By fit."""
