"""Label-only against SPT-then-labels on one task: equal steps, batch, model, data and seeds.

Numbers are over seeds: means with Student-t intervals, shares with Clopper-Pearson intervals.
"""

import dataclasses
from pathlib import Path

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.data.dataset import Description
from full_scale.model import ModelConfig
from full_scale.studies.arms import ARMS, Arm, Budget, Settings, trial
from full_scale.studies.settings import ADIABATIC
from full_scale.tasks.attention_free import attention_free_accuracies
from full_scale.tasks.task import Task, load
from full_scale.training.runner import Progress, TrainedRun, run_all
from full_scale.training.step import Objective, OptimizerConfig, Phase
from full_scale.training.trial import TrialConfig
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, proportion_interval

OBJECTIVES: tuple[Objective, ...] = ("labels", "reconstruction")
COMPARED: tuple[Objective, ...] = ("labels",)
"""The fits at uniform attention that a comparison shows; those of reconstruction are for the probes alone."""
_ADIABATIC_STEPS = 0.4  # of the budget


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
    fit_steps: int | None = None
    """Optimiser steps of each adiabatic fit; None: two fifths of the budget's."""

    def arm(self, arm: Arm) -> list[TrialConfig]:
        """The arm's run for every seed."""
        kind = dict(task=self.task, model=self.model)
        return [trial(arm, self.settings[arm], self.budget, seed=seed, **kind) for seed in self.seeds]

    def adiabatic(self, objective: Objective) -> list[TrialConfig]:
        """All but attention fitted under one loss, attention frozen uniform, per fit seed.   [C19]"""
        every = self.budget.every
        steps = self.fit_steps or max(1, round(_ADIABATIC_STEPS * self.budget.steps / every)) * every
        optimizer = OptimizerConfig(ADIABATIC.learning_rate, ADIABATIC.warmup)
        phase = Phase(objective, steps, optimizer, frozen_uniform=True)
        return [
            TrialConfig(self.task, self.model, (phase,), seed, self.budget.batch, every)
            for seed in self.fit_seeds
        ]

    def trials(self, objectives: tuple[Objective, ...] = OBJECTIVES) -> list[TrialConfig]:
        """Every run: seed after seed of both arms, then the fits of these objectives.

        Neighbours in the list differ in their program, so that workers side by side compile each once.
        """
        arms = zip(*(self.arm(arm) for arm in ARMS), strict=True)
        fits = zip(*(self.adiabatic(objective) for objective in objectives), strict=True)
        return [one for group in (*arms, *fits) for one in group]


@dataclasses.dataclass(frozen=True)
class OverSeeds(Interval):
    """The mean over runs with its interval, and every run's value."""

    per_seed: tuple[float, ...] = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class Plateau(Stored):
    """Steps until runs left their plateau; None where they never did."""

    per_seed: tuple[int | None, ...]
    median: float | None
    never_share: Interval


@dataclasses.dataclass(frozen=True)
class ArmSummary(Stored):
    """One arm's accuracies and plateau lengths, and the settings it ran with."""

    settings: Settings
    test_accuracy: OverSeeds
    train_accuracy: OverSeeds
    validation_accuracy: OverSeeds
    plateau_steps: Plateau


@dataclasses.dataclass(frozen=True)
class ArmComparison(Description):
    """Both arms on one task, beside what needs no attention."""

    depth: int = dataclasses.field(kw_only=True)
    seeds: tuple[int, ...] = dataclasses.field(kw_only=True)
    budget_steps: int = dataclasses.field(kw_only=True)
    pretraining_steps: int = dataclasses.field(kw_only=True)
    floor: dict[str, float] = dataclasses.field(kw_only=True)
    """Test accuracy of attention-free baselines."""
    uniform_attention: dict[str, OverSeeds] = dataclasses.field(kw_only=True)
    """Accuracies of fits with attention frozen uniform."""
    arms: dict[str, ArmSummary] = dataclasses.field(kw_only=True)
    gain: Interval = dataclasses.field(kw_only=True)
    """Test accuracy of SPT minus that of labels alone."""
    fit_gap: Interval = dataclasses.field(kw_only=True)
    """The same of training accuracy."""


def trial_seeds(count: int, *, key: PRNGKeyArray) -> tuple[int, ...]:
    """The first `count` seeds that follow from a key: more seeds keep the earlier ones."""
    draws = [jax.random.key_data(jax.random.fold_in(key, index))[-1] for index in range(count)]
    return tuple(int(draw) & 0x7FFFFFFF for draw in draws)


def run(
    plan: Plan, folder: Path, *, command: str, report: Progress | None = None, jobs: int | None = None
) -> tuple[ArmComparison, dict[str, np.ndarray]]:
    """Run what is not stored in `folder` and compare the arms."""
    trials = plan.trials(COMPARED)
    stored = run_all(trials, folder, command=command, report=report, jobs=jobs)
    results = dict(zip(trials, stored, strict=True))
    arms = {arm: [results[one] for one in plan.arm(arm)] for arm in ARMS}
    at_uniform = [results[one] for one in plan.adiabatic("labels")]
    dataset = load(plan.task)
    values = ArmComparison(
        **vars(dataset.describe()),
        depth=plan.model.layers,
        seeds=plan.seeds,
        budget_steps=plan.budget.steps,
        pretraining_steps=plan.budget.pretraining,
        floor=attention_free_accuracies(dataset),
        uniform_attention={"test_accuracy": over_seeds(at_uniform, "test_accuracy")},
        arms={arm: summary(arms[arm], plan.settings[arm]) for arm in ARMS},
        gain=gain(arms, "test_accuracy"),
        fit_gap=gain(arms, "train_accuracy"),
    )
    return values, curves(arms)


def over_seeds(results: list[TrainedRun], name: str) -> OverSeeds:
    """Interval of the mean of one value over the runs, and every run's value."""
    values = tuple(getattr(result.values, name) for result in results)
    return OverSeeds(**vars(mean_interval(np.array(values))), per_seed=values)


def summary(results: list[TrainedRun], settings: Settings) -> ArmSummary:
    """Accuracies and plateau lengths of one arm over seeds."""
    plateau = tuple(result.values.plateau_steps for result in results)
    never = sum(steps is None for steps in plateau)
    median = float(np.median([np.inf if steps is None else steps for steps in plateau]))
    return ArmSummary(
        settings,
        test_accuracy=over_seeds(results, "test_accuracy"),
        train_accuracy=over_seeds(results, "train_accuracy"),
        validation_accuracy=over_seeds(results, "validation_accuracy"),
        plateau_steps=Plateau(
            plateau,
            median if np.isfinite(median) else None,
            proportion_interval(never, len(plateau)),
        ),
    )


def gain(arms: dict[Arm, list[TrainedRun]], name: str) -> Interval:
    """SPT minus label-only, paired by seed."""
    spt, label_only = (
        np.array([getattr(result.values, name) for result in arms[arm]]) for arm in ("spt", "label_only")
    )
    return mean_interval(spt - label_only)


def curves(arms: dict[Arm, list[TrainedRun]]) -> dict[str, np.ndarray]:
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
