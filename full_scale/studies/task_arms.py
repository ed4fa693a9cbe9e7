"""Comparisons of the arms on one task: a frozen config, and what is computed of its plan.

`checkpoint` is a folder; training runs are kept beside it, keyed by all that decides them, so that
experiments share them and a killed one goes on.
"""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.model import ModelConfig
from full_scale.studies.arm_comparison import OBJECTIVES, Plan, trial_seeds
from full_scale.studies.arms import Arm, Budget, Settings
from full_scale.studies.settings import chosen
from full_scale.tasks.digits import Digits
from full_scale.tasks.order import DocsOrder
from full_scale.tasks.task import Task
from full_scale.training.runner import Progress
from full_scale.training.step import Objective
from full_scale.training.trial import TrialConfig
from sims.runs.store import UserError
from sims.runs.typed import Stored

Outcome = tuple[Stored, dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class ArmsConfig:
    """What every comparison of the arms takes."""

    seeds: int = 3
    """Runs of each arm."""
    fits: int = 6
    """Independent fits at frozen uniform attention, for the probes (at least as many as seeds)."""
    layers: int = 1
    """Attention blocks."""
    width: int = 32
    """Token width."""
    heads: int = 4
    """Attention heads; must divide the width."""
    steps: int = 1200
    """Optimiser steps of a run, pretraining included; a multiple of 50."""
    label_only_learning_rate: float | None = None
    """Peak learning rate of the label-only arm; default: as `sptlab study tuning` chose."""
    spt_learning_rate: float | None = None
    """Peak learning rate of the SPT arm; default: as `sptlab study tuning` chose."""
    fit_steps: int = 300
    """Optimiser steps of each fit at frozen uniform attention; a multiple of 50."""
    jobs: int | None = None
    """Runs in parallel; default: one per core."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError(f"seeds must be at least 1: got {self.seeds}; try 3")
        Budget(self.steps)
        ModelConfig(self.layers, self.width, self.heads)

    def plan(self, task: Task, name: str, *, key: PRNGKeyArray) -> Plan:
        """All runs of this comparison."""
        model = ModelConfig(self.layers, self.width, self.heads, 2 * self.width)
        rates: dict[Arm, float | None] = {
            "label_only": self.label_only_learning_rate,
            "spt": self.spt_learning_rate,
        }
        settings = {
            arm: Settings(rates[arm] or best.learning_rate, best.warmup)
            for arm, best in chosen(name, self.layers).items()
        }
        seeds = trial_seeds(max(self.seeds, self.fits), key=key)
        return Plan(task, model, Budget(self.steps), settings, seeds[: self.seeds], seeds, self.fit_steps)


@dataclasses.dataclass(frozen=True)
class DocsOrderArms(ArmsConfig):
    """Real order of letters against the same letters permuted, on real prose."""

    text: tuple[Path, ...] = ()
    """Your own UTF-8 text files; default: prose that comes with Python."""
    length: int = 64
    """Letters per window."""

    @classmethod
    def smoke(cls) -> "DocsOrderArms":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls(seeds=2, fits=2, width=8, heads=2, steps=150, fit_steps=50, length=16, jobs=1)

    def task_plan(self, *, key: PRNGKeyArray) -> Plan:
        """The runs on these data."""
        return self.plan(DocsOrder(self.text, self.length), "docs-order", key=key)


@dataclasses.dataclass(frozen=True)
class DigitsArms(ArmsConfig):
    """Real labels: scikit-learn's digits as 64 pixel values, a control in which a tie is expected."""

    seeds: int = 4
    """Runs of each arm: a tie needs a narrow interval."""
    fits: int = 4
    """Independent fits at frozen uniform attention."""
    steps: int = 900
    """Optimiser steps of a run, pretraining included; a multiple of 50."""
    fit_steps: int = 600
    """Optimiser steps of each fit at frozen uniform attention; a multiple of 50."""

    @classmethod
    def smoke(cls) -> "DigitsArms":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls(seeds=2, fits=2, width=8, heads=2, steps=150, fit_steps=50, jobs=1)

    def task_plan(self, *, key: PRNGKeyArray) -> Plan:
        """The runs on these data."""
        return self.plan(Digits(), "digits", key=key)


@dataclasses.dataclass(frozen=True)
class TrainingExperiment:
    """One thing that `sptlab train` can run."""

    Config: type
    compute: Callable[..., Outcome]
    description: str
    seconds: float
    """On two cores, installation apart."""
    fitted: tuple[Objective, ...] = OBJECTIVES
    """The losses whose fits at uniform attention it needs."""

    def trials(self, config: DocsOrderArms | DigitsArms, *, key: PRNGKeyArray) -> list[TrialConfig]:
        """The training runs that `run` needs."""
        return config.task_plan(key=key).trials(self.fitted)

    def run(
        self,
        config: DocsOrderArms | DigitsArms,
        *,
        key: PRNGKeyArray,
        report: Progress | None = None,
        checkpoint: Path | None = None,
        command: str = "sptlab train",
    ) -> Outcome:
        """Values and arrays; training runs are kept in the folder beside `checkpoint`, if given."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
            plan = config.task_plan(key=key)
            return self.compute(plan, folder, command=command, report=report, jobs=config.jobs)
