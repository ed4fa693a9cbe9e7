"""One stretch of training: objective, steps, masks, and which parts start anew or stay fixed."""

import dataclasses
from typing import Literal

from full_scale.objectives.masking import Masking
from full_scale.objectives.optimizers import OptimizerConfig
from sims.runs.config_validation import at_least
from sims.runs.store import UserError

Objective = Literal["labels", "reconstruction", "next_token", "both"]


@dataclasses.dataclass(frozen=True)
class Phase:
    """One stretch of training under one objective, with a fresh optimiser."""

    objective: Objective
    """labels; reconstruction of masked tokens; the next token (causal); both labels and reconstruction."""
    steps: int
    """Optimiser steps."""
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    frozen_uniform: bool = False
    """Attention frozen uniform in every layer (the adiabatic point of C19)."""
    batch: int | None = None
    """Sequences per step; None: the trial's."""
    masking: Masking = dataclasses.field(default_factory=Masking)
    """What reconstruction hides."""
    label_weight: float = 1.0
    """Of the label loss beside reconstruction's, for `both`."""
    reset: tuple[str, ...] = ()
    """Parts drawn anew before the phase, as `full_scale.model.parts` names them: qk, mlp.2, all."""
    freeze: tuple[str, ...] = ()
    """Parts that this phase does not train."""

    def __post_init__(self) -> None:
        at_least(1, steps=self.steps)
        if self.batch is not None:
            at_least(1, batch=self.batch)
        if self.label_weight < 0:
            raise UserError(f"label_weight must not be negative: got {self.label_weight}; try 1")

    @property
    def pretrains(self) -> bool:
        """Whether no label is read."""
        return self.objective in ("reconstruction", "next_token")

    @property
    def unlabelled(self) -> str:
        """What the loss beside that of the labels reconstructs; empty for labels alone."""
        return {"labels": "", "both": "reconstruction"}.get(self.objective, self.objective)
