"""Settings of a diagnosis: the pilot, the fits, and the thresholds of the verdict."""

import dataclasses

from sims.runs.config_validation import at_least
from sims.runs.store import UserError

_SHORT = 64  # tokens below which the pilot looks once


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Thresholds of the verdict, chosen on half of the validation's tasks and tested on fresh ones.

    full_scale/stored/validation.json holds how they did on either.
    """

    gain: float = 0.02
    """Gain in held-out accuracy from which pretraining is worth it: 0.02 is 2 percentage points."""
    possible: float = 0.08
    """Gain in accuracy that the pilot's interval must exclude before the answer is `no need`."""
    order: float = 0.25
    """Accuracy that pairs of neighbours must add to the best baseline that ignores order, to count as a sign
    that pretraining helps."""
    reached: float = 0.05
    """Accuracy above always answering the most frequent class from which a model counts as having learnt."""
    standard_errors: float = 3.0
    """Standard errors from which the sign of a gradient counts as known.   [C16]"""
    expressible: float = 0.2
    """Least share, 0 to 1, of reconstruction's direction that the positions must be able to express."""
    signal: float = 1e-3
    """Signal-to-noise ratio per sequence below which reconstruction shows no pattern."""


@dataclasses.dataclass(frozen=True)
class PilotConfig:
    """How both arms are trained small and short, and the training that this is measured against."""

    seeds: int | None = None
    """Initialisations of each arm, at most; default: 2, or 1 below 64 tokens; fewer where the arms clearly differ;
    0: no pilot."""
    steps: int | None = None
    """Optimiser steps of a run, the same for both arms, half of SPT's with labels; default: half of
    --pilot.user-steps."""
    batch: int | None = None
    """Sequences per step; default: half of --pilot.user-batch, from 256 tokens on a quarter."""
    learning_rate: float | None = None
    """Peak learning rate of all runs; default: the better of 0.008 and 0.02 for each arm, times 32/width."""
    user_steps: int = 1_500
    """Optimiser steps of one arm in the training that the pilot predicts: your own."""
    user_batch: int = 50
    """Sequences per step of that training."""
    remedies: bool = False
    """Also train alternatives: mimetic weights, ALiBi, RoPE, a joint loss, masked blocks, masked channels."""
    label_shares: tuple[float, ...] = ()
    """Also train both arms with these shares of the labels, such as 0.25 0.5; pretraining still reads all."""

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
    """How much is computed, and the thresholds of the verdict."""

    fits: int = 0
    """Fits with frozen attention, which explain the answer: 4 or more initialisations, each slower than the pilot;
    0: none."""
    steps: int | None = None
    """Optimiser steps of each fit; default: 800, fewer where sequences are long or the model is large."""
    batch: int | None = None
    """Sequences per step of a fit; default: 50, fewer where sequences are longer than 128."""
    learning_rate: float | None = None
    """Peak learning rate of the fits; default: 0.02 times 32/width."""
    train_most: int = 20_000
    """Training sequences that are used at most, drawn at random."""
    held_out_most: int = 2_000
    """Held-out sequences that are used at most."""
    thresholds: Thresholds = Thresholds()
    """Thresholds of the verdict."""
    pilot: PilotConfig = PilotConfig()
    """Both arms trained small and short, on which the verdict rests."""

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
