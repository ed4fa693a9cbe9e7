"""The two arms at equal steps, batch and model: labels alone, and self-pretraining then labels."""

import dataclasses
from typing import Literal

from full_scale.model import ModelConfig
from full_scale.tasks.task import Task
from full_scale.training.step import OptimizerConfig, Phase
from full_scale.training.trial import TrialConfig
from sims.runs.errors import UserError

Arm = Literal["label_only", "spt"]
ARMS: tuple[Arm, ...] = ("label_only", "spt")
_PRETRAINING_SHARE = 2 / 3  # of the steps in the spt arm


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the sweep chooses, for all phases of an arm."""

    learning_rate: float
    """Peak learning rate."""
    warmup: float
    """Share of each phase spent warming up."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """Compute of one run, the same for both arms."""

    steps: int = 3000
    """Optimiser steps over all phases."""
    batch: int = 50
    """Sequences per step."""
    every: int = 50
    """Steps between evaluations."""

    def __post_init__(self) -> None:
        if self.steps < 3 * self.every or self.steps % self.every:
            nearest = max(3, round(self.steps / self.every)) * self.every
            raise UserError(
                f"steps must be a multiple of {self.every}, at least {3 * self.every}: got {self.steps}; "
                f"try {nearest}"
            )

    @property
    def pretraining(self) -> int:
        """Steps of the spt arm's reconstruction phase: two thirds, rounded to whole evaluations."""
        return round(_PRETRAINING_SHARE * self.steps / self.every) * self.every


def phases(arm: Arm, settings: Settings, budget: Budget) -> tuple[Phase, ...]:
    """The arm's phases; their steps add up to the budget's."""
    optimizer = OptimizerConfig(settings.learning_rate, settings.warmup)
    if arm == "label_only":
        return (Phase("labels", budget.steps, optimizer),)
    pretraining = budget.pretraining
    return (
        Phase("reconstruction", pretraining, optimizer),
        Phase("labels", budget.steps - pretraining, optimizer),
    )


def trial(
    arm: Arm,
    settings: Settings,
    budget: Budget,
    *,
    task: Task,
    model: ModelConfig,
    seed: int,
) -> TrialConfig:
    """One run of an arm."""
    return TrialConfig(task, model, phases(arm, settings, budget), seed, budget.batch, budget.every)
