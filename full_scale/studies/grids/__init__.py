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

from full_scale.data.dataset import Dataset, Description
from full_scale.studies.arm_comparison import OverSeeds, over_seeds, trial_seeds
from full_scale.studies.grids import accounting, head_probes
from full_scale.studies.grids.head_probes import ArmProbes
from full_scale.studies.grids.plan import GridPlan, Probing, require_probing
from full_scale.studies.grids.shares import Shares, shares
from full_scale.studies.grids.tuning import TriedRate, tuned_rates
from full_scale.studies.grids.variants import STARTED, Variant, grid
from full_scale.studies.presets import preset_named
from full_scale.studies.presets.preset import Preset
from full_scale.tasks.attention_free import attention_free_accuracies
from full_scale.tasks.task import Task, load
from full_scale.training.runner import Progress, TrainedRun, part_of, run_all
from full_scale.training.start import Start
from full_scale.training.trial import TrialConfig
from sims.runs.config_validation import at_least, positive
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval

description = "arms of a grid on a preset: labels alone, SPT, transfer, priors, depth; floors, FLOPs, shares"
seconds = 240.0
Grid = Literal["arms", "transfer", "priors", "depth", "core", "all"]


@dataclasses.dataclass(frozen=True)
class GridConfig:
    """Which arms are compared, on what, and how."""

    preset: str = "cpu"
    """Task, model and hyperparameters: smoke, cpu, amos-listops, ..., h100-10min-image, ..."""
    grid: Grid = "arms"
    """Arms beside labels alone and SPT. core: those that qk_share, prior_share and depth_share need."""
    task: str | None = None
    """Task; default: the preset's."""
    data: Path | None = None
    """File or folder of the task's data; default: data/, as `sptlab data prepare` stores it."""
    seeds: int = 5
    """Runs of each arm."""
    steps: int | None = None
    """Optimiser steps of a run, two thirds of them pretraining; default: the preset's."""
    depths: tuple[int, ...] = (1, 2, 4, 6)
    """Layers of the label-only arms in the grids `depth`, `core` and `all`."""
    rates: tuple[float, ...] = ()
    """Learning rates to choose from, by validation accuracy on one more seed; default: the preset's."""
    probe_every: Probing = "auto"
    """Steps between probes of every head's score gradients; auto: under 5% of the time; 0: none."""
    mask: Literal["positions", "blocks", "channels"] | None = None
    """What pretraining hides: single positions, blocks of 8 or whole channels; default: the preset's."""
    start_from: Path | None = None
    """Folder of `sptlab export`: an arm `started` begins with that model; all arms have its shape."""
    start_parts: tuple[str, ...] = ("positions", "qk", "vo", "mlp", "norms", "embeddings")
    """What `started` takes from it; the rest is drawn anew."""
    jobs: int | None = None
    """Runs in parallel; default: one per core."""

    def __post_init__(self) -> None:
        at_least(1, seeds=self.seeds, depths=self.depths)
        at_least(3, steps=3 if self.steps is None else self.steps)
        positive(0.01, rates=self.rates)
        require_probing(self.probe_every)
        if self.data is not None and self.task is None and preset_named(self.preset).task == "docs-order":
            raise UserError("--data needs a task that reads files: add --task, for example --task image")

    @classmethod
    def smoke(cls) -> "GridConfig":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls("smoke", "arms", seeds=2, jobs=1)

    @property
    def stored_as(self) -> str:
        """Name of the result."""
        return f"{self.grid}_{self.preset}_{self.task or preset_named(self.preset).task}"

    def chosen(self) -> tuple[Preset, Task]:
        """The preset on this task."""
        base = preset_named(self.preset)
        if self.task is not None:
            base = base.on(self.task)
        return base, base.data(**({} if self.data is None else {"data": self.data}))

    def plan(self, *, key: PRNGKeyArray) -> GridPlan:
        """All training runs of the grid."""
        chosen, task = self.chosen()
        start = Start.of(self.start_from, self.start_parts) if self.start_from else None
        if self.mask:
            chosen = dataclasses.replace(chosen, masking=dataclasses.replace(chosen.masking, kind=self.mask))
        if start:
            chosen = dataclasses.replace(chosen, model=start.config)
        variants = (*grid(self.grid, chosen.model.layers, self.depths), *([STARTED] if start else []))
        seeds = trial_seeds(self.seeds, key=key)
        return GridPlan(chosen, task, variants, seeds, self.steps, self.rates, self.probe_every, start=start)


@dataclasses.dataclass(frozen=True)
class GridArm(Stored):
    """One arm's numbers, with what it cost."""

    test_accuracy: OverSeeds
    train_accuracy: OverSeeds
    validation_accuracy: OverSeeds
    gain: Interval
    """Over labels alone, paired by seed."""
    plateau_steps: tuple[int | None, ...]
    learning_rates: tuple[float, ...]
    """By phase."""
    parameters: int
    steps: int
    sequences: int
    forward_flops: float
    backward_flops: float
    flops: float


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """The arms of a grid on one task."""

    data: Description
    preset: str
    seeds: tuple[int, ...]
    floor: dict[str, float]
    """Test accuracy of attention-free baselines."""
    arms: dict[str, GridArm]
    order: tuple[str, ...]
    """The arms as the grid has them."""
    shares: Shares
    tuning: tuple[TriedRate, ...]
    probes: dict[str, ArmProbes] | None = None
    """By arm, where training was probed."""


def run(
    config: GridConfig,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab train run",
) -> tuple[Values, dict[str, np.ndarray]]:
    """Every arm's numbers and the shares; training runs are kept in the folder beside `checkpoint`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        return compute(config.plan(key=key), folder, command=command, report=report, jobs=config.jobs)


Config = GridConfig


def compute(
    plan: GridPlan, folder: Path, *, command: str, report: Progress | None = None, jobs: int | None = None
) -> tuple[Values, dict[str, np.ndarray]]:
    """Tune where asked, train what is not stored in `folder`, and compare."""
    options = dict(command=command, jobs=jobs)
    rates, tried = tuned_rates(plan, folder, part_of(report, 0.0, 0.3), **options)
    trials = {v: [plan.trial(v, seed, rates.get(v)) for seed in plan.seeds] for v in plan.variants}
    within = part_of(report, 0.3, 1.0) if plan.rates else report
    results = iter(run_all([t for each in trials.values() for t in each], folder, report=within, **options))
    by_variant = {variant: [next(results) for _ in plan.seeds] for variant in plan.variants}
    dataset = load(plan.task)
    test, train = (
        {v.name: np.array([getattr(r.values, name) for r in runs]) for v, runs in by_variant.items()}
        for name in ("test_accuracy", "train_accuracy")
    )
    probed = {v.name: [head_probes.probed(run.arrays) for run in runs] for v, runs in by_variant.items()}
    values = Values(
        dataset.describe(),
        plan.preset.description,
        plan.seeds,
        attention_free_accuracies(dataset),
        arms={v.name: summary(by_variant[v], trials[v][0], dataset, test) for v in plan.variants},
        order=tuple(v.name for v in plan.variants),
        shares=shares(test, train),
        tuning=tuple(tried),
        probes=head_probes.summary(probed) if plan.probe_every else None,
    )
    return values, curves(by_variant) | head_probes.curves(probed)


def summary(
    results: list[TrainedRun], config: TrialConfig, dataset: Dataset, test: dict[str, np.ndarray]
) -> GridArm:
    """One arm's numbers, with what it cost."""
    scores = np.array([result.values.test_accuracy for result in results])
    return GridArm(
        **{n: over_seeds(results, n) for n in ("test_accuracy", "train_accuracy", "validation_accuracy")},
        gain=mean_interval(scores - test["label_only"]),
        plateau_steps=tuple(result.values.plateau_steps for result in results),
        learning_rates=tuple(phase.optimizer.learning_rate for phase in config.phases),
        parameters=accounting.parameters(config.model, dataset.inputs)["all"],
        **accounting.total(config, dataset.inputs).as_json(),
    )


def curves(by_variant: dict[Variant, list[TrainedRun]]) -> dict[str, np.ndarray]:
    """(seeds, evaluations) of validation accuracy and training loss, and the mean proximity index, by arm."""
    arrays: dict[str, np.ndarray] = {}
    for variant, results in by_variant.items():
        for name in ("validation_accuracy", "training_loss"):
            arrays[f"{variant.name}_{name}"] = np.stack([result.arrays[name] for result in results])
        near = [result.arrays["proximity_index"].mean((1, 2)) for result in results]
        arrays[f"{variant.name}_proximity_index"] = np.stack(near)
        if variant.longer or variant.rounds > 1:
            arrays[f"{variant.name}_steps"] = results[0].arrays["steps"]
    first = next(iter(by_variant.values()))
    return {"steps": first[0].arrays["steps"], **arrays}


def result_text(values: Values) -> str:
    """The grid's result as lines to read: accuracies with floors and intervals, costs, shares."""
    floors = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in values.floor.items())
    lines = [
        f"{values.data.task}: {values.data.source}",
        f"{len(values.seeds)} seeds, 95% intervals; test accuracy of attention-free baselines: {floors}",
        "",
        f"{'arm':24} {'test accuracy':24} {'train accuracy':24} {'steps':>7} {'FLOPs':>8} {'parameters':>10}",
    ]
    for name in values.order:
        arm = values.arms[name]
        lines.append(
            f"{name:24} {arm.test_accuracy.text():24} {arm.train_accuracy.text():24} "
            f"{arm.steps:7} {arm.flops:8.1e} {arm.parameters:10}"
        )
    return "\n".join([*lines, "", *values.shares.lines()])


__all__ = [
    "Config", "Grid", "GridArm", "GridConfig", "Values", "compute", "curves", "description", "result_text",
    "run", "seconds", "summary",
]  # fmt: skip
