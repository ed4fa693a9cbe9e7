"""Does the sign of the first value decide where attention goes? SPT on runs over their bags' spread.   [C24]

All tasks have the same C(1) and labels that no bag tells; the share of rings with equal counts moves the
sum of C(r) over r != 0 from above 0 to below. Settings of the CPU study, at the rate that it chose for SPT.
"""

import dataclasses
import tempfile
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

import theory
from full_scale.data.dataset import Dataset
from full_scale.devices.precision import single_precision
from full_scale.model import Transformer
from full_scale.objectives.masking import MASK_RATIO, draw_mask
from full_scale.studies import ablations
from full_scale.studies.arm_comparison import OverSeeds, trial_seeds
from full_scale.studies.grids.plan import GridPlan
from full_scale.studies.grids.variants import SPT
from full_scale.tasks.drawn import ShuffleRuns
from full_scale.tasks.task import load
from full_scale.training.runner import Progress, TrainedRun, run_all
from full_scale.training.trial import TrialConfig, stored_model
from sims import tasks as laws
from sims.runs.config_validation import at_least
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.intervals import mean_interval

description = "does the sign of the first value decide whether attention goes to neighbours? [C24]"
seconds = 900.0
stored = "value_sign"
SEQUENCES = 128  # validation sequences behind the value at uniform attention
EVERY = 50  # steps between looks at the model, of pretraining


@dataclasses.dataclass(frozen=True)
class Config:
    """What the study runs."""

    balanced: tuple[float, ...] = (0.0, 0.5, 0.8, 1.0)
    """Shares of rings with equal counts; at two thirds the sum of C(r) over r != 0 changes its sign."""
    seeds: int = 5
    """Runs per share."""
    steps: int = 1500
    """Optimiser steps of a run, two thirds of them pretraining."""
    learning_rate: float = 3e-2
    """Peak learning rate of both phases: what the CPU study chose for SPT on shuffle-runs."""
    length: int = 64
    """Tokens per sequence, a multiple of 8; a quarter as many runs."""
    jobs: int | None = None
    """Runs in parallel; default: one per core."""

    def __post_init__(self) -> None:
        at_least(1, seeds=self.seeds, balanced=len(self.balanced))
        at_least(3 * EVERY, steps=self.steps)
        if self.length % 8:
            fits = max(8, self.length // 8 * 8)
            raise UserError(f"length must be a multiple of 8: got {self.length}; try {fits}")

    @classmethod
    def smoke(cls) -> "Config":
        """Seconds, to see that all runs; its numbers mean nothing."""
        return cls((0.0, 1.0), seeds=2, steps=150, length=16, jobs=1)

    def task(self, balanced: float) -> ShuffleRuns:
        """Runs with so many bags of equal counts."""
        return ShuffleRuns(law=laws.ShuffleRuns(self.length, self.length // 4, balanced))

    def trials(self, balanced: float, *, key: PRNGKeyArray) -> list[TrialConfig]:
        """SPT on one task, a run per seed, with copies of the model along the way."""
        seeds = trial_seeds(self.seeds, key=key)
        preset = ablations.small_preset("shuffle-runs")
        plan = GridPlan(preset, self.task(balanced), (SPT,), seeds, self.steps)
        looks = plan.stretches()[0] // EVERY
        return [
            dataclasses.replace(plan.trial(SPT, seed, self.learning_rate), snapshots=looks) for seed in seeds
        ]


@dataclasses.dataclass(frozen=True)
class Row(Stored):
    """One task: its sum of C(r), the value that the theory fits, and what training came to."""

    balanced: float
    """Share of rings with equal counts."""
    sum_excess: float
    fitted_value: float
    first_value: OverSeeds
    """At the first look."""
    pretrained_value: OverSeeds
    pretrained_proximity_index: OverSeeds
    proximity_index: OverSeeds
    """After the labels."""
    test_accuracy: OverSeeds


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """A row per task, and the seeds of all."""

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]


def run(
    config: Config,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab study value-sign",
) -> tuple[Values, dict[str, np.ndarray]]:
    """One row per task; training runs are kept in the folder beside `checkpoint`."""
    trials = {share: config.trials(share, key=key) for share in config.balanced}
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        every = [trial for each in trials.values() for trial in each]
        results = iter(run_all(every, folder, command=command, report=report, jobs=config.jobs))
        by_share = {share: [next(results) for _ in each] for share, each in trials.items()}
    arrays = {"balanced": np.array(config.balanced)}
    rows = []
    for index, share in enumerate(config.balanced):
        row, curves = measured(share, trials[share], by_share[share], key=key)
        rows.append(row)
        arrays |= {f"{name}_{index}": curve for name, curve in curves.items()}
    return Values(tuple(rows), tuple(trial.seed for trial in trials[config.balanced[0]])), arrays


def measured(
    balanced: float, trials: list[TrialConfig], results: list[TrainedRun], *, key: PRNGKeyArray
) -> tuple[Row, dict[str, np.ndarray]]:
    """One task's row, and by seed the value and the proximity index along pretraining."""
    dataset, looks = load(trials[0].task), trials[0].snapshots
    values = np.array([value_path(*each, dataset, key=key) for each in zip(trials, results, strict=True)])
    near = np.stack([result.arrays["proximity_index"].mean((1, 2)) for result in results])
    accuracy = np.array([result.values.test_accuracy for result in results])
    law = trials[0].task.law.process.autocovariance  # type: ignore[attr-defined]
    summaries = {
        "first_value": values[:, 1],
        "pretrained_value": values[:, -1],
        "pretrained_proximity_index": near[:, looks],
        "proximity_index": near[:, -1],
        "test_accuracy": accuracy,
    }
    row = Row(
        balanced,
        sum_excess=float(theory.sum_excess(law)),
        fitted_value=float(theory.masked_fitted_value(law, MASK_RATIO)),
        **{
            name: OverSeeds(**vars(mean_interval(each)), per_seed=tuple(each.tolist()))
            for name, each in summaries.items()
        },
    )
    return row, {"value": values, "proximity_index": near}


def value_path(trial: TrialConfig, result: TrainedRun, dataset: Dataset, *, key: PRNGKeyArray) -> list[float]:
    """The value at uniform attention before pretraining and at each look."""
    with single_precision():
        tokens = jnp.asarray(dataset.validation.tokens[:SEQUENCES], jnp.int32)
        keys = jax.random.split(key, len(tokens))
        models = (stored_model(trial, dataset, result.arrays, slot) for slot in range(trial.snapshots + 1))
        return [float(value_at_uniform(model, tokens, keys)) for model in models]


@eqx.filter_jit
def value_at_uniform(
    model: Transformer, tokens: Int[Array, "number length"], keys: Key[Array, " number"]
) -> Float[Array, ""]:
    """v of E x_i = (v/L) sum of visible x_k: L/4 of what one visible token adds to a hidden one's log-odds.

    Log-odds are twice the mean to first order, and the token goes from -1 to +1; attention frozen uniform,
    so that only embeddings, values, output map and readout speak.   [C11, C24]
    """
    length = tokens.shape[1]

    def one(sequence: Int[Array, " length"], key: PRNGKeyArray) -> Float[Array, ""]:
        mask_key, position_key = jax.random.split(key)
        position = jax.random.randint(position_key, (), 0, length)
        hidden = draw_mask(length, key=mask_key).at[position].set(False)

        def log_odds(sign: int) -> Float[Array, " length"]:
            logits = model.token_logits(sequence.at[position].set(sign), hidden, frozen_uniform=True)
            return logits[:, 1] - logits[:, 0]

        counted = hidden.astype(jnp.float32)
        return counted @ (log_odds(1) - log_odds(0)) / jnp.maximum(counted.sum(), 1)

    return length / 4 * jax.vmap(one)(tokens, keys).mean()


def result_text(values: Values) -> str:
    """The study's table as text."""
    names = (
        "first_value",
        "pretrained_value",
        "pretrained_proximity_index",
        "proximity_index",
        "test_accuracy",
    )
    lines = [
        f"{'balanced':>8} {'sum C(r)':>8} {'theory v*':>9} " + " ".join(f"{name:26}" for name in names),
    ]
    for row in values.rows:
        cells = " ".join(f"{getattr(row, name).text():26}" for name in names)
        lines.append(f"{row.balanced:8.2f} {row.sum_excess:8.3f} {row.fitted_value:9.3f} {cells}")
    return "\n".join(lines)
