"""Label-only against SPT-then-labels on one task: equal steps, batch, model, data and seeds.

Numbers are over seeds: means with Student-t intervals, shares with Clopper-Pearson intervals.
"""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.floors import floors
from full_scale.model import ModelConfig
from full_scale.studies.arms import ARMS, Arm, Budget, Settings, trial
from full_scale.studies.settings import ADIABATIC
from full_scale.tasks import Task, load
from full_scale.training.train import Objective, OptimizerConfig, Phase
from full_scale.training.trial import TrialConfig
from full_scale.training.trials import Progress, run_all
from sims.intervals import mean_interval, proportion_interval
from sims.store import Result

OBJECTIVES: tuple[Objective, ...] = ("labels", "reconstruction")
ADIABATIC_STEPS = 0.4  # of the budget: 1,200 of 3,000 steps


@dataclasses.dataclass(frozen=True)
class Plan:
    """All runs of one comparison."""

    task: Task
    model: ModelConfig
    budget: Budget
    settings: dict[Arm, Settings]
    seeds: tuple[int, ...]
    fit_seeds: tuple[int, ...]
    """Seeds of the adiabatic fits, which are cheap; they begin with `seeds`."""

    def arm(self, arm: Arm) -> list[TrialConfig]:
        """The arm's run for every seed."""
        kind = dict(task=self.task, model=self.model)
        return [trial(arm, self.settings[arm], self.budget, seed=seed, **kind) for seed in self.seeds]

    def adiabatic(self, objective: Objective) -> list[TrialConfig]:
        """All but attention fitted under one loss, attention frozen uniform, per fit seed.   [C19]"""
        every = self.budget.every
        steps = max(1, round(ADIABATIC_STEPS * self.budget.steps / every)) * every
        optimizer = OptimizerConfig(ADIABATIC.learning_rate, ADIABATIC.warmup)
        phase = Phase(objective, steps, optimizer, frozen_uniform=True)
        return [
            TrialConfig(self.task, self.model, (phase,), seed, self.budget.batch, every)
            for seed in self.fit_seeds
        ]

    def trials(self) -> list[TrialConfig]:
        """Every run, the slowest first."""
        arms = [one for arm in ARMS for one in self.arm(arm)]
        return arms + [one for objective in OBJECTIVES for one in self.adiabatic(objective)]


def trial_seeds(count: int, *, key: PRNGKeyArray) -> tuple[int, ...]:
    """The first `count` seeds that follow from a key: more seeds keep the earlier ones."""
    draws = [jax.random.key_data(jax.random.fold_in(key, index))[-1] for index in range(count)]
    return tuple(int(draw) & 0x7FFFFFFF for draw in draws)


def run(
    plan: Plan, folder: Path, *, command: str, report: Progress | None = None, jobs: int | None = None
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Run what is not stored in `folder` and compare the arms."""
    results = dict(
        zip(
            plan.trials(),
            run_all(plan.trials(), folder, command=command, report=report, jobs=jobs),
            strict=True,
        )
    )
    arms = {arm: [results[one] for one in plan.arm(arm)] for arm in ARMS}
    at_uniform = [results[one] for one in plan.adiabatic("labels")]
    dataset = load(plan.task)
    values = {
        **dataset.describe(),
        "depth": plan.model.layers,
        "seeds": list(plan.seeds),
        "budget_steps": plan.budget.steps,
        "pretraining_steps": plan.budget.pretraining,
        "floor": floors(dataset),
        "uniform_attention": {"test_accuracy": over_seeds(at_uniform, "test_accuracy")},
        "arms": {arm: summary(arms[arm], plan.settings[arm]) for arm in ARMS},
        "gain": gain(arms, "test_accuracy"),
        "fit_gap": gain(arms, "train_accuracy"),
    }
    return values, curves(arms)


def over_seeds(results: list[Result], name: str) -> dict[str, object]:
    """Interval of the mean of one value over the runs, and every run's value."""
    values = [result.values[name] for result in results]
    return {**mean_interval(np.array(values)).as_json(), "per_seed": values}


def summary(results: list[Result], settings: Settings) -> dict[str, object]:
    """One arm's numbers."""
    plateau: list[Any] = [result.values["plateau_steps"] for result in results]
    never = sum(steps is None for steps in plateau)
    median = float(np.median([np.inf if steps is None else steps for steps in plateau]))
    return {
        "settings": dataclasses.asdict(settings),
        "test_accuracy": over_seeds(results, "test_accuracy"),
        "train_accuracy": over_seeds(results, "train_accuracy"),
        "validation_accuracy": over_seeds(results, "validation_accuracy"),
        "plateau_steps": {
            "per_seed": plateau,
            "median": median if np.isfinite(median) else None,
            "never_share": proportion_interval(never, len(plateau)).as_json(),
        },
    }


def gain(arms: dict[Arm, list[Result]], name: str) -> dict[str, object]:
    """SPT minus label-only, paired by seed."""
    spt, label_only = (
        np.array([result.values[name] for result in arms[arm]]) for arm in ("spt", "label_only")
    )
    return mean_interval(spt - label_only).as_json()


def curves(arms: dict[Arm, list[Result]]) -> dict[str, np.ndarray]:
    """(seeds, evaluations) curves of both arms over the optimiser steps, pretraining included."""
    arrays: dict[str, np.ndarray] = {"steps": arms["spt"][0].arrays["steps"]}
    for arm, results in arms.items():
        loss = np.stack([result.arrays["training_loss"] for result in results])
        pretraining = results[0].arrays["pretraining"]
        arrays[f"{arm}_validation_accuracy"] = np.stack(
            [result.arrays["validation_accuracy"] for result in results]
        )
        arrays[f"{arm}_label_loss"] = np.where(pretraining, np.nan, loss)
        if arm == "spt":
            arrays["spt_reconstruction_loss"] = np.where(pretraining, loss, np.nan)
    return arrays
