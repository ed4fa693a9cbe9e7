"""What a diagnosis does and where its verdict's lines are drawn."""

import dataclasses

from sims.limits import at_least
from sims.store import UserError


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """The verdict's lines. Chosen on the validation's choosing half, tested on fresh tasks.

    full_scale/stored/validation.json holds how they did on either.
    """

    gain: float = 0.02
    """Held-out accuracy that reconstruction's pattern must add for it to be worth pretraining."""
    reached: float = 0.05
    """Accuracy above a constant guess that counts as having found something at all."""
    standard_errors: float = 3.0
    """z: the sign of a gradient counts as known at so many standard errors.   [C16]"""
    expressible: float = 0.2
    """Share of the signal along reconstruction's own direction that positions must be able to express."""
    signal: float = 1e-3
    """SNR per sequence below which reconstruction shows no pattern."""


@dataclasses.dataclass(frozen=True)
class DiagnosisConfig:
    """How much is computed, and the lines of the verdict."""

    fits: int = 4
    """Independent initialisations; intervals are over them."""
    steps: int | None = None
    """Optimiser steps of each fit; by default 800, fewer where sequences are long or the model is large."""
    batch: int | None = None
    """Sequences per step; by default 50, fewer where sequences are longer than 128."""
    learning_rate: float | None = None
    """Peak rate of the fits; by default 0.02 at width 32, and 1/width of that."""
    train_most: int = 20_000
    """At most this many training sequences are used, drawn at random."""
    held_out_most: int = 2_000
    """At most this many held-out sequences are used."""
    thresholds: Thresholds = Thresholds()
    """The verdict's lines."""

    def __post_init__(self) -> None:
        at_least(2, fits=self.fits)
        at_least(32, train_most=self.train_most, held_out_most=self.held_out_most)
        for name in ("steps", "batch"):
            if getattr(self, name) is not None:
                at_least(1, **{name: getattr(self, name)})
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise UserError(f"learning_rate must be positive: got {self.learning_rate}; try 0.01")
