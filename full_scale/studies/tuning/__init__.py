"""The stored study: sweep, then both arms at their best settings, at one and two layers; and the control.

`sptlab study tuning` makes full_scale/stored; `reproduce` runs only what it chose. At the smallest depth the
label-only arm also runs four times as long, to see whether it leaves its plateau late or not at all.
"""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.model import ModelConfig
from full_scale.studies import arm_comparison, training_states
from full_scale.studies.arm_comparison import ArmComparison, OverSeeds, Plan, over_seeds, trial_seeds
from full_scale.studies.arms import ARMS, Arm, Budget, Settings, trial
from full_scale.studies.tuning import sweep
from full_scale.studies.tuning.sweep import SweepConfig, SweepRow
from full_scale.tasks.digits import Digits
from full_scale.tasks.order import DocsOrder
from full_scale.tasks.task import Task
from full_scale.training.runner import Progress, part_of, run_all
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

description = "which learning rates and warm-ups suit each arm, and what both arms reach at their best"
seconds = 2400.0
stored = "study"


@dataclasses.dataclass(frozen=True)
class Config:
    """What the study runs."""

    layers: tuple[int, ...] = (1, 2)
    """Numbers of layers on docs-order."""
    seeds: int = 5
    """Runs of each arm at its best settings."""
    steps: int = 3000
    """Optimiser steps of a run on docs-order; on digits half as many."""
    longer: int = 4
    """Also train the label-only arm this many times longer."""
    fits: int = 12
    """Independent fits at frozen uniform attention, for the probes."""
    long_seeds: int = 2
    """Seeds of those longer runs."""
    sweep: SweepConfig = dataclasses.field(default_factory=SweepConfig)
    """Learning rates and warm-ups that are tried."""
    width: int = 32
    """Token width."""
    heads: int = 4
    """Attention heads."""
    jobs: int | None = None
    """Runs in parallel; default: one per core."""

    @classmethod
    def smoke(cls) -> "Config":
        """Seconds, to see that all runs; its numbers mean nothing."""
        grid = SweepConfig((1e-3, 3e-3), (0.1,), (100,))
        return cls(
            (1,), seeds=2, fits=2, steps=300, longer=2, long_seeds=1, sweep=grid, width=8, heads=2, jobs=1
        )


@dataclasses.dataclass(frozen=True)
class Longer(Stored):
    """Runs of labels alone with more steps."""

    steps: int
    test_accuracy: OverSeeds
    train_accuracy: OverSeeds
    plateau_steps: tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class TunedComparison(ArmComparison):
    """Both arms at the settings that a sweep chose."""

    sweep: tuple[SweepRow, ...] = dataclasses.field(kw_only=True)
    probes: dict[str, dict[str, Interval]] = dataclasses.field(kw_only=True)
    """Every measure by state of training."""
    label_only_longer: Longer | None = None
    """At the smallest depth."""


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """docs-order by depth, and the control."""

    depths: dict[str, TunedComparison]
    digits: TunedComparison


@dataclasses.dataclass(frozen=True)
class Part:
    """One task at one depth."""

    label: str
    task: Task
    layers: int
    steps: int


def parts(config: Config) -> list[Part]:
    """All that is studied."""
    docs = [Part(f"depth{depth}", DocsOrder(), depth, config.steps) for depth in config.layers]
    return [*docs, Part("digits", Digits(), 1, config.steps // 2)]


def run(
    config: Config,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab study tuning",
) -> tuple[Values, dict[str, np.ndarray]]:
    """Every part's sweep and comparison; training runs are kept in the folder beside `checkpoint`."""
    compared: dict[str, TunedComparison] = {}
    arrays: dict[str, np.ndarray] = {}
    studied = parts(config)
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        for index, part in enumerate(studied):
            within = part_of(report, index / len(studied), (index + 1) / len(studied))
            compared[part.label], curves = _run_part(config, part, folder, command, within, key=key)
            arrays |= {f"{part.label}_{name}": array for name, array in curves.items()}
    digits = compared.pop("digits")
    return Values({label.removeprefix("depth"): each for label, each in compared.items()}, digits), arrays


def _run_part(
    config: Config, part: Part, folder: Path, command: str, report: Progress | None, *, key: PRNGKeyArray
) -> tuple[TunedComparison, dict[str, np.ndarray]]:
    """Sweep one task at one depth, then compare the arms at what the sweep chose, and probe."""
    model = ModelConfig(part.layers, config.width, config.heads, 2 * config.width)
    budget = Budget(part.steps)
    options = dict(command=command, jobs=config.jobs)
    best, rows = sweep.run(
        config.sweep,
        budget,
        task=part.task,
        model=model,
        folder=folder,
        report=part_of(report, 0, 0.6),
        **options,
    )
    seeds = trial_seeds(max(config.seeds, config.fits), key=key)
    plan = Plan(part.task, model, budget, best, seeds[: config.seeds], seeds)
    compared, curves = arm_comparison.run(plan, folder, report=part_of(report, 0.6, 0.8), **options)
    probed, _ = training_states.run(plan, folder, report=part_of(report, 0.8, 0.85), **options)
    values = TunedComparison(**vars(compared), sweep=tuple(rows), probes=probed.states)
    if part.label == f"depth{min(config.layers)}":
        alone = longer(config, plan, folder, part_of(report, 0.85, 1), command)
        values = dataclasses.replace(values, label_only_longer=alone)
    return values, curves


def longer(config: Config, plan: Plan, folder: Path, report: Progress | None, command: str) -> Longer:
    """The label-only arm at its best settings with several times the steps: the seeds it would take."""
    budget = dataclasses.replace(plan.budget, steps=config.longer * plan.budget.steps)
    seeds = plan.seeds[: config.long_seeds]
    settings = plan.settings["label_only"]
    runs = [
        trial("label_only", settings, budget, task=plan.task, model=plan.model, seed=seed) for seed in seeds
    ]
    results = run_all(runs, folder, command=command, report=report, jobs=config.jobs)
    return Longer(
        budget.steps,
        over_seeds(results, "test_accuracy"),
        over_seeds(results, "train_accuracy"),
        tuple(result.values.plateau_steps for result in results),
    )


def chosen(values: Values) -> dict[tuple[str, int], dict[Arm, Settings]]:
    """What the stored study chose: settings by task and depth, to hold `settings.CHOSEN` to it."""
    studied = {("docs-order", int(depth)): part for depth, part in values.depths.items()}
    studied["digits", 1] = values.digits
    return {where: {arm: part.arms[arm].settings for arm in ARMS} for where, part in studied.items()}


__all__ = [
    "Config", "Longer", "Part", "TunedComparison", "Values", "chosen", "description", "longer", "parts",
    "run", "seconds", "stored",
]  # fmt: skip
