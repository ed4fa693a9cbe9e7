"""The paper's questions on one GPU, in calls of `--minutes` that go on from each other in `--out`.

Runs are taken in order of importance; one that would not fit into what is left is not begun, one that is
stopped goes on from its checkpoint. What is kept of a finished run is a small file; models are kept only for
what goes on from them, so that the folder can travel.
"""

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.studies import gpu_table
from full_scale.studies.arm_comparison import trial_seeds
from full_scale.studies.gpu_budget import Budget, Kept, Spent
from full_scale.studies.gpu_tasks import STUDIED
from full_scale.studies.gpu_units import TaskUnits, Unit, needed
from full_scale.studies.plan import Probing, require_probing
from full_scale.training import trials
from full_scale.training.trials import Progress
from sims.limits import at_least
from sims.store import UserError

description = "image, pathfinder, ListOps and IMDB on one GPU in calls of --minutes; --plan shows a call"
seconds = 600.0


@dataclasses.dataclass(frozen=True)
class Config:
    """What a call runs."""

    task: tuple[str, ...] = ("image", "pathfinder", "listops", "text")
    """Of image, pathfinder, listops, text, smoke; data as `sptlab data prepare` stores them."""
    minutes: float = 10.0
    """This call's time, loading and compiling included."""
    plan: bool = False
    """Show what a call would do, without training."""
    seeds: int = 3
    """Runs of each arm."""
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    """Label-phase learning rates, tried for labels alone and after pretraining on one more seed."""
    depths: tuple[int, ...] = (1, 2, 4, 6)
    """Layers of the label-only arms."""
    steps: int | None = None
    """Optimiser steps of a run, in place of the study's."""
    probe_every: Probing = "auto"
    """Steps between probes of every head's score gradients; auto: under 5 % of the time; 0: no probes."""

    def __post_init__(self) -> None:
        at_least(1, seeds=self.seeds, rates=len(self.rates))
        require_probing(self.probe_every)
        if not self.minutes > 0:
            raise UserError(f"minutes must be positive: got {self.minutes}; try 10")
        for name in self.task:
            if name not in STUDIED:
                raise UserError(f"expected tasks among {', '.join(STUDIED)}: got {name}")

    @classmethod
    def smoke(cls) -> "Config":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls(("smoke",), seeds=2, rates=(1e-2,), depths=(2,))

    @property
    def stored_as(self) -> str:
        """Name of the result."""
        return "gpu_study_plan" if self.plan else "gpu_study"

    def units(self, name: str, *, key: PRNGKeyArray) -> TaskUnits:
        """One task's runs."""
        seeds = trial_seeds(self.seeds, key=key)
        return TaskUnits(name, seeds, self.rates, self.depths, self.steps, self.probe_every)


def run(
    config: Config,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab train gpu-study",
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Train what fits, and every task's table so far; kept in the folder `gpu` of --out."""
    budget = Budget(60 * config.minutes, report)
    tasks = [config.units(name, key=key) for name in config.task]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if checkpoint is None else checkpoint.parents[2] / "gpu"
        if config.plan:
            return gpu_table.planned(tasks, Kept(folder), budget), {}
        failed = {task.name: trained(task, Kept(folder), budget, command=command) for task in tasks}
        return gpu_table.values(tasks, Kept(folder), budget, failed), {}


def trained(task: TaskUnits, kept: Kept, budget: Budget, *, command: str) -> dict[str, str]:
    """Do the task's runs that fit; returns the reasons of those that failed, by run."""
    failed: dict[str, str] = {}
    rows = kept.rows(task)
    while (unit := following(task, rows, failed, kept, budget)) is not None:
        name = trials.name_of(unit.trial)
        try:
            rows[unit.trial] = done(unit, kept, budget, command=command)
        except Spent:
            break
        except (UserError, RuntimeError, NotImplementedError, ValueError) as error:
            failed[name] = f"{unit.arm}: {str(error).splitlines()[0][:200]}"
        kept.tidy(task.units(rows), rows)
    return failed


def following(
    task: TaskUnits, rows: dict[Any, Any], failed: dict[str, str], kept: Kept, budget: Budget
) -> Unit | None:
    """The most important run that can be done now and fits."""
    for unit in task.units(rows):
        waits = unit.source is not None and not kept.has(unit.source)
        if unit.trial in rows and not (unit.kind == "pretraining" and missing(unit, task, rows, kept)):
            continue
        if waits or trials.name_of(unit.trial) in failed:
            continue
        if budget.fits(task.name, unit, kept.remaining(unit), rows):
            return unit
    return None


def missing(unit: Unit, task: TaskUnits, rows: dict[Any, Any], kept: Kept) -> bool:
    """Whether a pretrained model is needed again, but did not travel."""
    return needed(unit.trial, task.units(rows), rows) and not kept.has(unit.trial)


def done(unit: Unit, kept: Kept, budget: Budget, *, command: str) -> dict[str, Any]:
    """Train, and keep what is reported of it."""
    clock = budget.clock(unit)
    started = time.monotonic()
    trials.run_stored(unit.trial, kept.trials, command, clock)
    return kept.add(unit, clock.seconds_per_step(), time.monotonic() - started)


shown = gpu_table.shown
