"""What a preset is: a task, a model and both phases' hyperparameters."""

import dataclasses
from collections.abc import Mapping

from full_scale.model import ModelConfig
from full_scale.objectives.masking import Masking
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.objectives.phases import Objective, Phase
from full_scale.tasks import TASKS
from full_scale.tasks.task import Task
from sims.runs.store import UserError


@dataclasses.dataclass(frozen=True)
class Stage:
    """One phase's hyperparameters; its length in epochs of the task, or in steps."""

    optimizer: OptimizerConfig
    batch: int
    epochs: float | int | None = None
    steps: int | None = None
    warmup_steps: int | None = None
    """In place of the optimiser's share."""

    def count(self, size: int, every: int) -> int:
        """Steps on a training set of this size, in whole evaluations."""
        steps = self.steps if self.epochs is None else self.epochs * size / self.batch
        return max(1, round((steps or 0) / every)) * every

    def phase(self, objective: Objective, steps: int, **more) -> Phase:
        """The phase of so many steps; where warm-up would take more than half of them, half."""
        optimizer = self.optimizer
        if self.warmup_steps is not None:
            optimizer = dataclasses.replace(optimizer, warmup=min(0.5, self.warmup_steps / steps))
        return Phase(objective, steps, optimizer, **more)


@dataclasses.dataclass(frozen=True)
class Preset:
    """What is trained on what, and how."""

    task: str
    model: ModelConfig
    pretraining: Stage
    labels: Stage
    """After pretraining; labels alone take both phases' steps with it, unless `label_only` is given."""
    description: str
    label_only: OptimizerConfig | None = None
    masking: Masking = dataclasses.field(default_factory=Masking)
    every: int = 1000
    """Steps between evaluations."""
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    """Of the task, where they differ from its own."""

    def data(self, **settings: object) -> Task:
        """The task's config."""
        return TASKS[self.task](**{**self.settings, **settings})

    def on(self, task: str) -> "Preset":
        """The same on another task, with that task's tuned settings where there are some."""
        if task not in TASKS:
            raise UserError(f"expected a task among {', '.join(TASKS)}: got {task}")
        return self if task == self.task else dataclasses.replace(self, task=task, settings={})
