"""What a diagnosis does and where its verdict's lines are drawn."""

import dataclasses

from sims.runs.config_validation import at_least
from sims.runs.store import UserError

_SHORT = 64  # tokens below which the pilot looks once


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """The verdict's lines. Chosen on the validation's choosing half, tested on fresh tasks.

    full_scale/stored/validation.json holds how they did on either.
    """

    gain: float = 0.02
    """Held-out accuracy that reconstruction's pattern must add for it to be worth pretraining."""
    possible: float = 0.08
    """Gain that the pilot must rule out before it says that there is no need, where none was seen."""
    order: float = 0.25
    """What pairs of neighbours add to the best baseline that reads none, from which they promise a gain."""
    reached: float = 0.05
    """Accuracy above a constant guess that counts as having found something at all."""
    standard_errors: float = 3.0
    """z: the sign of a gradient counts as known at so many standard errors.   [C16]"""
    expressible: float = 0.2
    """Share of the signal along reconstruction's own direction that positions must be able to express."""
    signal: float = 1e-3
    """SNR per sequence below which reconstruction shows no pattern."""


@dataclasses.dataclass(frozen=True)
class PilotConfig:
    """How both arms are trained small and short, and the training that this is measured against."""

    seeds: int | None = None
    """Most initialisations of each arm; by default 2, 1 below 64 tokens; fewer where arms are apart. 0: no pilot."""
    steps: int | None = None
    """Optimiser steps of a run, the same for both arms, half of SPT's with labels; by default half of the user's."""
    batch: int | None = None
    """Sequences per step; by default half of the user's, a quarter from 256 tokens."""
    learning_rate: float | None = None
    """Peak rate of all runs; by default each arm's better of 0.008 and 0.02 at width 32, and 1/width of that."""
    user_steps: int = 1_500
    """Optimiser steps of one arm of the training that the pilot is to foretell."""
    user_batch: int = 50
    """Sequences per step of that training."""
    remedies: bool = False
    """Also train what may do instead: mimetic weights, ALiBi, RoPE, a joint loss, hidden blocks, hidden channels."""
    label_shares: tuple[float, ...] = ()
    """Also train both arms with fewer labels, such as 0.25 0.5; pretraining reads the rest without theirs."""

    def __post_init__(self) -> None:
        if self.seeds is not None:
            at_least(0, seeds=self.seeds)
        if not all(0 < share < 1 for share in self.label_shares):
            raise UserError(f"label_shares must lie between 0 and 1: got {self.label_shares}; try 0.25 0.5")
        at_least(1, user_steps=self.user_steps, user_batch=self.user_batch)
        if self.steps is not None:
            at_least(3, steps=self.steps)
        if self.batch is not None:
            at_least(1, batch=self.batch)
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise UserError(f"learning_rate must be positive: got {self.learning_rate}; try 0.01")

    def looks(self, length: int) -> int:
        """Most initialisations at this length: where steps are short, half a batch costs more than half a step."""
        return self.seeds if self.seeds is not None else 1 if length < _SHORT else 2


@dataclasses.dataclass(frozen=True)
class DiagnosisConfig:
    """How much is computed, and the lines of the verdict."""

    fits: int = 0
    """Initialisations of the fits with frozen attention that say why (4 or more); each costs more than the pilot."""
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
    """Where the verdict draws its lines."""
    pilot: PilotConfig = PilotConfig()
    """Both arms trained small and short: what the verdict is made of."""

    def __post_init__(self) -> None:
        if not self.fits and self.pilot.seeds == 0:
            raise UserError("a verdict needs a pilot or fits: got pilot.seeds=0 and fits=0; try fits=4")
        if self.fits:
            at_least(2, fits=self.fits)
        at_least(32, train_most=self.train_most, held_out_most=self.held_out_most)
        for name in ("steps", "batch"):
            if getattr(self, name) is not None:
                at_least(1, **{name: getattr(self, name)})
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise UserError(f"learning_rate must be positive: got {self.learning_rate}; try 0.01")
