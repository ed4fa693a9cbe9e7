"""The paper's questions on one GPU, in calls of `--minutes` that go on from each other in `--out`.

Runs are taken in order of importance; one that would not fit into what is left is not begun, one that is
stopped goes on from its checkpoint. What is kept of a finished run is a small file; models are kept only for
what goes on from them, so that the folder can travel.
"""

import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.studies.ablations_gpu import table as gpu_table
from full_scale.studies.ablations_gpu.budget import Budget, FinishedRun, RunStore, TimeBudgetExceeded
from full_scale.studies.ablations_gpu.table import Values
from full_scale.studies.ablations_gpu.tasks import STUDIED
from full_scale.studies.ablations_gpu.units import Rows, TaskUnits, Unit, needed
from full_scale.studies.arm_comparison import trial_seeds
from full_scale.studies.grids.plan import Probing, require_probing
from full_scale.training import runner
from full_scale.training.runner import Progress
from sims.runs.config_validation import at_least, positive
from sims.runs.store import UserError

description = "the ablations on image, pathfinder, ListOps and IMDB: one GPU, in calls of --minutes"
seconds = 600.0
stored = "gpu_study"


@dataclasses.dataclass(frozen=True)
class Config:
    """What a call runs."""

    task: tuple[str, ...] = ("image", "pathfinder", "listops", "text")
    """Tasks: any of image, pathfinder, listops, text, smoke; data as `sptlab data prepare` stores them."""
    minutes: float = 10.0
    """Minutes that this call may take, loading and compiling included."""
    plan: bool = False
    """Show what a call would do, without training."""
    seeds: int = 3
    """Runs of each arm."""
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    """Learning rates of the label phase to choose from, with and without pretraining, on one more seed."""
    depths: tuple[int, ...] = (1, 2, 4, 6)
    """Layers of the label-only arms."""
    steps: int | None = None
    """Optimiser steps of a run; default: the study's."""
    probe_every: Probing = "auto"
    """Steps between probes of every head's score gradients; auto: under 5% of the time; 0: none."""

    def __post_init__(self) -> None:
        at_least(1, seeds=self.seeds, rates=len(self.rates), depths=self.depths)
        positive(0.001, rates=self.rates)
        require_probing(self.probe_every)
        positive(10.0, minutes=self.minutes)
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
    command: str = "sptlab study ablations-gpu",
) -> tuple[Values, dict[str, np.ndarray]]:
    """Train what fits, and every task's table so far; kept in the folder `gpu` of --out."""
    budget = Budget(60 * config.minutes, report)
    tasks = [config.units(name, key=key) for name in config.task]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if checkpoint is None else checkpoint.parents[1] / "gpu"
        if config.plan:
            return gpu_table.planned(tasks, RunStore(folder), budget), {}
        failed = {task.name: trained(task, RunStore(folder), budget, command=command) for task in tasks}
        return gpu_table.values(tasks, RunStore(folder), budget, failed), {}


def trained(task: TaskUnits, run_store: RunStore, budget: Budget, *, command: str) -> dict[str, str]:
    """Do the task's runs that fit; returns the reasons of those that failed, by run."""
    failed: dict[str, str] = {}
    rows = run_store.rows(task)
    while (unit := following(task, rows, failed, run_store, budget)) is not None:
        name = runner.name_of(unit.trial)
        try:
            if run := done(unit, run_store, budget, command=command):
                rows[unit.trial] = run
        except TimeBudgetExceeded:
            break
        except (UserError, RuntimeError, NotImplementedError, ValueError) as error:
            failed[name] = f"{unit.arm}: {str(error).splitlines()[0][:200]}"
        run_store.tidy(task.units(rows), rows)
    return failed


def following(
    task: TaskUnits, rows: Rows, failed: dict[str, str], run_store: RunStore, budget: Budget
) -> Unit | None:
    """The most important run that can be done now and fits."""
    for unit in task.units(rows):
        waits = unit.source is not None and not run_store.has(unit.source)
        if unit.trial in rows and not (unit.kind == "pretraining" and missing(unit, task, rows, run_store)):
            continue
        if waits or runner.name_of(unit.trial) in failed:
            continue
        if budget.fits(task.name, unit, run_store.remaining(unit), rows):
            return unit
    return None


def missing(unit: Unit, task: TaskUnits, rows: Rows, run_store: RunStore) -> bool:
    """Whether a pretrained model is needed again, but did not travel."""
    return needed(unit.trial, task.units(rows), rows) and not run_store.has(unit.trial)


def done(unit: Unit, run_store: RunStore, budget: Budget, *, command: str) -> FinishedRun | None:
    """Train, and keep what is reported of it."""
    clock = budget.clock(unit)
    started = time.monotonic()
    runner.run_stored(unit.trial, run_store.trials, command, clock)
    return run_store.add(unit, clock.seconds_per_step(), time.monotonic() - started)


result_text = gpu_table.result_text

__all__ = [
    "Config", "Values", "description", "done", "following", "missing", "result_text", "run", "seconds",
    "stored", "trained",
]  # fmt: skip
