"""The stored study: sweep, then both arms at their best settings, at one and two layers; and the control.

`sptlab study` makes full_scale/stored; `reproduce` runs only what it chose. At the smallest depth the
label-only arm also runs four times as long, to see whether it leaves its plateau late or not at all.
"""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale import probed_states
from full_scale.model import ModelConfig
from full_scale.studies import arm_comparison, sweep
from full_scale.studies.arm_comparison import Plan, over_seeds, trial_seeds
from full_scale.studies.arms import ARMS, Budget, trial
from full_scale.studies.sweep import SweepConfig
from full_scale.tasks import Digits, DocsOrder, Task
from full_scale.training.trials import Progress, run_all

description = "learning-rate and warm-up sweep, then both arms at their best, one and two layers, five seeds"
seconds = 2400.0
name = "study"


@dataclasses.dataclass(frozen=True)
class Config:
    """What the study runs."""

    layers: tuple[int, ...] = (1, 2)
    """Depths on docs-order."""
    seeds: int = 5
    """Runs of each arm at its best settings."""
    steps: int = 3000
    """Optimiser steps of a run on docs-order; on digits half as many."""
    longer: int = 4
    """How many times longer the label-only arm also runs."""
    fits: int = 12
    """Independent fits at frozen uniform attention, for the probes."""
    long_seeds: int = 2
    """Seeds of those longer runs."""
    sweep: SweepConfig = dataclasses.field(default_factory=SweepConfig)
    """The grid."""
    width: int = 32
    """Token width."""
    heads: int = 4
    """Attention heads."""
    jobs: int | None = None
    """Runs side by side; by default one per core."""

    @classmethod
    def smoke(cls) -> "Config":
        """Seconds, to see that all runs; its numbers mean nothing."""
        grid = SweepConfig((1e-3, 3e-3), (0.1,), (100,))
        return cls(
            (1,), seeds=2, fits=2, steps=300, longer=2, long_seeds=1, sweep=grid, width=8, heads=2, jobs=1
        )


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
    command: str = "sptlab study",
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Every part's sweep and comparison; training runs are kept in the folder beside `checkpoint`."""
    depths: dict[str, object] = {}
    values: dict[str, object] = {"depths": depths}
    arrays: dict[str, np.ndarray] = {}
    studied = parts(config)
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        for index, part in enumerate(studied):
            within = stretch(report, index / len(studied), (index + 1) / len(studied))
            found, curves = run_part(config, part, folder, command, within, key=key)
            arrays |= {f"{part.label}_{name}": array for name, array in curves.items()}
            if part.label == "digits":
                values["digits"] = found
            else:
                depths[str(part.layers)] = found
    return values, arrays


def stretch(report: Progress | None, low: float, high: float) -> Progress | None:
    """A hook for the stretch of a longer run between two shares of it."""
    return report and (
        lambda done, total, *of, **note: report(low + (high - low) * done / max(total, 1), 1, *of, **note)
    )


def run_part(
    config: Config, part: Part, folder: Path, command: str, report: Progress | None, *, key: PRNGKeyArray
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Sweep one task at one depth, then compare the arms at what the sweep chose, and probe."""
    model = ModelConfig(part.layers, config.width, config.heads, 2 * config.width)
    budget = Budget(part.steps)
    kept = dict(command=command, jobs=config.jobs)
    best, rows = sweep.run(
        config.sweep,
        budget,
        task=part.task,
        model=model,
        folder=folder,
        report=stretch(report, 0, 0.6),
        **kept,
    )
    seeds = trial_seeds(max(config.seeds, config.fits), key=key)
    plan = Plan(part.task, model, budget, best, seeds[: config.seeds], seeds)
    values, curves = arm_comparison.run(plan, folder, report=stretch(report, 0.6, 0.8), **kept)
    probes, _ = probed_states.run(plan, folder, report=stretch(report, 0.8, 0.85), **kept)
    values |= {"sweep": rows, "probes": probes["states"]}
    if part.label == f"depth{min(config.layers)}":
        values["label_only_longer"] = longer(config, plan, folder, stretch(report, 0.85, 1), command)
    return values, curves


def longer(
    config: Config, plan: Plan, folder: Path, report: Progress | None, command: str
) -> dict[str, object]:
    """The label-only arm at its best settings with several times the steps: the seeds it would take."""
    budget = dataclasses.replace(plan.budget, steps=config.longer * plan.budget.steps)
    seeds = plan.seeds[: config.long_seeds]
    settings = plan.settings["label_only"]
    runs = [
        trial("label_only", settings, budget, task=plan.task, model=plan.model, seed=seed) for seed in seeds
    ]
    results = run_all(runs, folder, command=command, report=report, jobs=config.jobs)
    return {
        "steps": budget.steps,
        "test_accuracy": over_seeds(results, "test_accuracy"),
        "train_accuracy": over_seeds(results, "train_accuracy"),
        "plateau_steps": [result.values["plateau_steps"] for result in results],
    }


def chosen(values: dict) -> dict[tuple[str, int], dict]:
    """What the stored study chose: settings by task and depth, to hold `settings.CHOSEN` to it."""
    studied = {("docs-order", int(depth)): part for depth, part in values["depths"].items()}
    studied["digits", 1] = values["digits"]
    return {where: {arm: part["arms"][arm]["settings"] for arm in ARMS} for where, part in studied.items()}
