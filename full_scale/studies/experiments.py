"""What `sptlab train` runs, by name: a frozen config whose fields are its flags, and a run.

`checkpoint` is a folder; training runs are kept beside it, keyed by all that decides them, so that
experiments share them and a killed one goes on.
"""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale import probed_states
from full_scale.model import ModelConfig
from full_scale.studies import arm_comparison, cpu_study, gpu_study, grids, value_sign
from full_scale.studies.arm_comparison import Plan, trial_seeds
from full_scale.studies.arms import Arm, Budget, Settings
from full_scale.studies.settings import chosen
from full_scale.tasks import Digits, DocsOrder, Task
from full_scale.training.trials import Progress
from sims.store import UserError

Outcome = tuple[dict[str, object], dict[str, np.ndarray]]


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
    steps: int = 3000
    """Optimiser steps of a run, pretraining included; a multiple of 50."""
    label_only_learning_rate: float | None = None
    """Peak learning rate of the label-only arm; by default the sweep's best."""
    spt_learning_rate: float | None = None
    """Peak learning rate of the spt arm; by default the sweep's best."""
    jobs: int | None = None
    """Runs side by side; by default one per core."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError(f"seeds must be at least 1: got {self.seeds}; try 3")
        if self.steps < 150 or self.steps % 50:
            fits = max(150, round(self.steps / 50) * 50)
            raise UserError(f"steps must be a multiple of 50, at least 150: got {self.steps}; try {fits}")
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
        return Plan(task, model, Budget(self.steps), settings, seeds[: self.seeds], seeds)


@dataclasses.dataclass(frozen=True)
class DocsOrderArms(ArmsConfig):
    """Real order of letters against the same letters permuted, on real prose."""

    text: tuple[Path, ...] = ()
    """Your own UTF-8 text files; by default the prose that CPython ships."""
    length: int = 64
    """Letters per window."""

    @classmethod
    def smoke(cls) -> "DocsOrderArms":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls(seeds=2, fits=2, width=8, heads=2, steps=150, length=16, jobs=1)

    def task_plan(self, *, key: PRNGKeyArray) -> Plan:
        """The runs on these data."""
        return self.plan(DocsOrder(self.text, self.length), "docs-order", key=key)


@dataclasses.dataclass(frozen=True)
class DigitsArms(ArmsConfig):
    """Real labels: scikit-learn's digits as 64 pixel values, a control in which a tie is expected."""

    seeds: int = 5
    """Runs of each arm: a tie needs a narrow interval."""
    fits: int = 5
    """Independent fits at frozen uniform attention."""
    steps: int = 1500
    """Optimiser steps of a run, pretraining included; a multiple of 50."""

    @classmethod
    def smoke(cls) -> "DigitsArms":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls(seeds=2, fits=2, width=8, heads=2, steps=150, jobs=1)

    def task_plan(self, *, key: PRNGKeyArray) -> Plan:
        """The runs on these data."""
        return self.plan(Digits(), "digits", key=key)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One thing that `sptlab train` can run."""

    Config: type
    compute: Callable[..., Outcome]
    description: str
    seconds: float
    """On two cores, installation apart."""

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


EXPERIMENTS: dict[str, Any] = {
    "run": grids,
    "docs_order": Experiment(
        DocsOrderArms, arm_comparison.run, "letters in order or permuted: labels alone against SPT", 130.0
    ),
    "docs_order_probes": Experiment(
        DocsOrderArms, probed_states.run, "what each loss sees of the scores, along docs-order training", 35.0
    ),
    "digits": Experiment(
        DigitsArms, arm_comparison.run, "handwritten digits, a control: a tie is expected", 55.0
    ),
    "cpu_study": cpu_study,
    "gpu_study": gpu_study,
    "value_sign": value_sign,
}
