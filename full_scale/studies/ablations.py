"""The paper's questions at the size of two cores: four tasks, the arms of the grid `core`, five seeds.

Every arm that trains by itself runs at the best of three learning rates, chosen on another seed by validation
data; what is transferred takes SPT's rate. All arms take equal steps, but `qk_only_longer`,
whose labels train as long as labels alone do; pretraining is computed once per seed.
Two order tasks and shuffle-runs, where neighbours decide; digits, a control in which a tie is expected.
"""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.studies import grids
from full_scale.studies.arm_comparison import trial_seeds
from full_scale.studies.grids.plan import GridPlan
from full_scale.studies.grids.variants import grid
from full_scale.studies.presets import small
from full_scale.studies.presets.preset import Preset
from full_scale.tasks import TASKS
from full_scale.tasks.task import Task
from full_scale.training.runner import Progress, part_of
from sims.runs.config_validation import at_least, positive
from sims.runs.store import UserError
from sims.runs.typed import Stored

description = "what transfer, position priors and depth keep of SPT's gain, on four tasks"
seconds = 4000.0
stored = "cpu_study"
STUDIED: dict[str, dict[str, object]] = {
    "docs-order": {},
    "shuffle-runs": {},
    "digits": {},
    "imdb-order": {"source": "imdb", "most": 3000},
}


@dataclasses.dataclass(frozen=True)
class Config:
    """What the study runs."""

    tasks: tuple[str, ...] = tuple(STUDIED)
    """Tasks: any of docs-order, imdb-order, shuffle-runs, digits."""
    imdb: Path | None = None
    """IMDB reviews for imdb-order; default: data/text.npz, as `sptlab data prepare text` stores them."""
    seeds: int = 5
    """Runs of each arm."""
    steps: int = 1500
    """Optimiser steps of a run, two thirds of them pretraining where there is some."""
    depths: tuple[int, ...] = (1, 2, 4, 6)
    """Layers of the label-only arms."""
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    """Learning rates to choose from, by validation accuracy."""
    jobs: int | None = None
    """Runs in parallel; default: one per core."""

    def __post_init__(self) -> None:
        at_least(1, seeds=self.seeds, steps=self.steps, depths=self.depths)
        positive(0.01, rates=self.rates)
        for task in self.tasks:
            if task not in STUDIED:
                raise UserError(f"expected tasks among {', '.join(STUDIED)}: got {task}")

    @classmethod
    def smoke(cls) -> "Config":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls(("digits",), seeds=2, steps=150, depths=(1,), rates=(1e-2,), jobs=1)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """The arms of the grid, by task."""

    tasks: dict[str, grids.Values]


def plan(config: Config, name: str, *, key: PRNGKeyArray) -> GridPlan:
    """All training runs of one task."""
    preset, variants = small_preset(name), grid("core", 1, config.depths)
    seeds = trial_seeds(config.seeds, key=key)
    return GridPlan(preset, task(config, name), variants, seeds, config.steps, config.rates)


def small_preset(name: str) -> Preset:
    """The CPU preset of a task, with the longer warm-up for every arm: the rates are tuned around it."""
    base = small("order" if name == "imdb-order" else name)
    longer = lambda stage: dataclasses.replace(stage, warmup=0.2)
    return dataclasses.replace(
        base,
        pretraining=dataclasses.replace(base.pretraining, optimizer=longer(base.pretraining.optimizer)),
        labels=dataclasses.replace(base.labels, optimizer=longer(base.labels.optimizer)),
        label_only=longer(base.label_only or base.labels.optimizer),
    )


def task(config: Config, name: str) -> Task:
    """The config of a task by its name."""
    if name == "imdb-order":
        return TASKS["order"](**STUDIED[name], data=config.imdb)  # type: ignore[call-arg]
    return TASKS[name](**STUDIED[name])


def run(
    config: Config,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab study ablations",
) -> tuple[Values, dict[str, np.ndarray]]:
    """Every task's arms and shares; training runs are kept in the folder beside `checkpoint`."""
    by_task: dict[str, grids.Values] = {}
    arrays: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        for index, name in enumerate(config.tasks):
            within = part_of(report, index / len(config.tasks), (index + 1) / len(config.tasks))
            by_task[name], curves = grids.compute(
                plan(config, name, key=key), folder, command=command, report=within, jobs=config.jobs
            )
            arrays |= {f"{name}_{curve}": array.astype(np.float32) for curve, array in curves.items()}
    return Values(by_task), arrays


def result_text(values: Values) -> str:
    """The tables of all tasks as text."""
    return "\n\n".join(grids.result_text(each) for each in values.tasks.values())
