"""One command per question: the arms of a grid on a preset, at equal steps, with floors, FLOPs and shares.

Runs are kept by all that decides them, so that grids, tasks and studies share them. The seeds that choose
learning rates are apart from those that are reported, and only validation data are looked at.
"""

import dataclasses
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.dataset import Dataset
from full_scale.floors import floors
from full_scale.studies import accounting, head_probes, tables
from full_scale.studies.arm_comparison import over_seeds, trial_seeds
from full_scale.studies.plan import GridPlan, Probing, require_probing
from full_scale.studies.preset import Preset
from full_scale.studies.presets import preset
from full_scale.studies.shares import shares
from full_scale.studies.tuning import tuned_rates
from full_scale.studies.variants import Variant, grid
from full_scale.tasks import Task, load
from full_scale.training.trial import TrialConfig
from full_scale.training.trials import Progress, run_all
from sims.intervals import mean_interval
from sims.limits import at_least
from sims.store import Result, UserError

description = "arms of a grid on a preset: labels alone, SPT, transfer, priors, depth; floors, FLOPs, shares"
seconds = 240.0
Grid = Literal["arms", "transfer", "priors", "depth", "core", "all"]


@dataclasses.dataclass(frozen=True)
class GridConfig:
    """What is compared."""

    preset: str = "cpu"
    """Task, model and hyperparameters: smoke, cpu, amos-listops, ..., h100-10min-image, ..."""
    grid: Grid = "arms"
    """Which arms, beside labels alone and SPT. core: what qk_share, prior_share, depth_share need."""
    task: str | None = None
    """Another task than the preset's."""
    data: Path | None = None
    """The task's files, where it reads some."""
    seeds: int = 5
    """Runs of each arm."""
    steps: int | None = None
    """Optimiser steps of a run, in place of the preset's; two thirds pretrain."""
    depths: tuple[int, ...] = (1, 2, 4, 6)
    """Layers of the label-only arms in the grids `depth`, `core` and `all`."""
    rates: tuple[float, ...] = ()
    """Learning rates tried on one more seed for each arm that trains by itself; validation data choose."""
    probe_every: Probing = "auto"
    """Steps between probes of every head's score gradients; auto: under 5 % of the time; 0: no probes."""
    jobs: int | None = None
    """Runs side by side; by default one per core."""

    def __post_init__(self) -> None:
        at_least(1, seeds=self.seeds)
        require_probing(self.probe_every)
        if self.data is not None and self.task is None and preset(self.preset).task == "docs-order":
            raise UserError("--data needs a task that reads files: add --task, for example --task image")

    @classmethod
    def smoke(cls) -> "GridConfig":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls("smoke", "arms", seeds=2, jobs=1)

    @property
    def stored_as(self) -> str:
        """Name of the result."""
        return f"{self.grid}_{self.preset}_{self.task or preset(self.preset).task}"

    def chosen(self) -> tuple[Preset, Task]:
        """The preset on this task."""
        found = preset(self.preset)
        if self.task is not None:
            found = found.on(self.task)
        return found, found.data(**({} if self.data is None else {"data": self.data}))

    def plan(self, *, key: PRNGKeyArray) -> GridPlan:
        """The runs."""
        chosen, task = self.chosen()
        variants = grid(self.grid, chosen.model.layers, self.depths)
        seeds = trial_seeds(self.seeds, key=key)
        return GridPlan(chosen, task, variants, seeds, self.steps, self.rates, self.probe_every)


def run(
    config: GridConfig,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab train run",
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Every arm's numbers and the shares; training runs are kept in the folder beside `checkpoint`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        return compute(config.plan(key=key), folder, command=command, report=report, jobs=config.jobs)


Config = GridConfig
shown = tables.shown


def compute(
    plan: GridPlan, folder: Path, *, command: str, report: Progress | None = None, jobs: int | None = None
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Tune where asked, train what is not stored in `folder`, and compare."""
    kept = dict(command=command, jobs=jobs)
    rates, tried = tuned_rates(plan, folder, part_of(report, 0.0, 0.3), **kept)
    trials = {v: [plan.trial(v, seed, rates.get(v)) for seed in plan.seeds] for v in plan.variants}
    within = part_of(report, 0.3, 1.0) if plan.rates else report
    results = iter(run_all([t for each in trials.values() for t in each], folder, report=within, **kept))
    found = {variant: [next(results) for _ in plan.seeds] for variant in plan.variants}
    dataset = load(plan.task)
    test, train = (
        {v.name: np.array([r.values[name] for r in runs]) for v, runs in found.items()}
        for name in ("test_accuracy", "train_accuracy")
    )
    values: dict[str, object] = {
        "data": dataset.describe(),
        "preset": plan.preset.description,
        "seeds": list(plan.seeds),
        "floor": floors(dataset),
        "arms": {v.name: summary(found[v], trials[v][0], dataset, test) for v in plan.variants},
        "order": [v.name for v in plan.variants],
        "shares": shares(test, train),
        "tuning": tried,
    }
    probed = {v.name: [head_probes.probed(run.arrays) for run in runs] for v, runs in found.items()}
    if plan.probe_every:
        values["probes"] = head_probes.summary(probed)
    return values, curves(found) | head_probes.curves(probed)


def part_of(report: Progress | None, low: float, high: float) -> Progress | None:
    """A hook for a stretch of the whole."""
    if report is None:
        return None
    return lambda done, total, *of, **note: report(
        low + (high - low) * done / max(total, 1), 1.0, *of, **note
    )


def summary(
    results: list[Result], config: TrialConfig, dataset: Dataset, test: dict[str, np.ndarray]
) -> dict[str, object]:
    """One arm's numbers, with what it cost."""
    scores = np.array([result.values["test_accuracy"] for result in results])
    return {
        **{n: over_seeds(results, n) for n in ("test_accuracy", "train_accuracy", "validation_accuracy")},
        "gain": mean_interval(scores - test["label_only"]).as_json(),
        "plateau_steps": [result.values["plateau_steps"] for result in results],
        "learning_rates": [phase.optimizer.learning_rate for phase in config.phases],
        "parameters": accounting.parameters(config.model, dataset.inputs)["all"],
        **accounting.total(config, dataset.inputs).as_json(),
    }


def curves(found: dict[Variant, list[Result]]) -> dict[str, np.ndarray]:
    """(seeds, evaluations) of validation accuracy and training loss, and the mean proximity index, by arm."""
    arrays: dict[str, np.ndarray] = {}
    for variant, results in found.items():
        for name in ("validation_accuracy", "training_loss"):
            arrays[f"{variant.name}_{name}"] = np.stack([result.arrays[name] for result in results])
        near = [result.arrays["proximity_index"].mean((1, 2)) for result in results]
        arrays[f"{variant.name}_proximity_index"] = np.stack(near)
        if variant.longer:
            arrays[f"{variant.name}_steps"] = results[0].arrays["steps"]
    first = next(iter(found.values()))
    return {"steps": first[0].arrays["steps"], **arrays}
