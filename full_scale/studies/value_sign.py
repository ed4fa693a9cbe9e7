"""Does the sign of the first value decide where attention goes? SPT on runs over their bags' spread.   [C24]

All tasks have the same C(1) and labels that no bag tells; the share of rings with equal counts moves the
sum of C(r) over r != 0 from above 0 to below. Settings of the CPU study, at the rate that it chose for SPT.
"""

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

import theory
from full_scale.dataset import Dataset
from full_scale.model import Transformer
from full_scale.precision import single_precision
from full_scale.studies import cpu_study
from full_scale.studies.arm_comparison import trial_seeds
from full_scale.studies.plan import GridPlan
from full_scale.studies.tables import interval
from full_scale.studies.variants import SPT
from full_scale.tasks import ShuffleRuns, load
from full_scale.training.masking import MASK_RATIO, draw_mask
from full_scale.training.trial import TrialConfig, stored_model
from full_scale.training.trials import Progress, run_all
from sims import tasks as laws
from sims.intervals import mean_interval
from sims.limits import at_least
from sims.store import Result, UserError

description = "attention to neighbours or away from them, over the spread of a sequence's sum"
seconds = 900.0
SEQUENCES = 128  # validation sequences behind the value at uniform attention
EVERY = 50  # steps between looks at the model, of pretraining


@dataclasses.dataclass(frozen=True)
class Config:
    """What the study runs."""

    balanced: tuple[float, ...] = (0.0, 0.5, 0.8, 1.0)
    """Shares of rings with equal counts; at two thirds the sum of C(r) over r != 0 changes its sign."""
    seeds: int = 5
    """Runs of each."""
    steps: int = 1500
    """Optimiser steps of a run, two thirds of them pretraining."""
    learning_rate: float = 3e-2
    """Peak learning rate of both phases: what the CPU study chose for SPT on shuffle-runs."""
    length: int = 64
    """Tokens per sequence, a multiple of 8; a quarter as many runs."""
    jobs: int | None = None
    """Runs side by side; by default one per core."""

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
        preset = cpu_study.small_preset("shuffle-runs")
        plan = GridPlan(preset, self.task(balanced), (SPT,), seeds, self.steps)
        looks = plan.stretches()[0] // EVERY
        return [
            dataclasses.replace(plan.trial(SPT, seed, self.learning_rate), snapshots=looks) for seed in seeds
        ]


def run(
    config: Config,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
    command: str = "sptlab train value-sign",
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """One row per task; training runs are kept in the folder beside `checkpoint`."""
    trials = {share: config.trials(share, key=key) for share in config.balanced}
    with tempfile.TemporaryDirectory() as scratch:
        folder = (Path(scratch) if checkpoint is None else checkpoint.parent) / "trials"
        every = [trial for each in trials.values() for trial in each]
        results = iter(run_all(every, folder, command=command, report=report, jobs=config.jobs))
        found = {share: [next(results) for _ in each] for share, each in trials.items()}
    arrays = {"balanced": np.array(config.balanced)}
    rows = []
    for place, share in enumerate(config.balanced):
        row, curves = measured(trials[share], found[share], key=key)
        rows.append({"balanced": share, **row})
        arrays |= {f"{name}_{place}": curve for name, curve in curves.items()}
    return {"rows": rows, "seeds": [trial.seed for trial in trials[config.balanced[0]]]}, arrays


def measured(
    trials: list[TrialConfig], results: list[Result], *, key: PRNGKeyArray
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """One task's row, and by seed the value and the proximity index along pretraining."""
    dataset, looks = load(trials[0].task), trials[0].snapshots
    values = np.array([value_path(*each, dataset, key=key) for each in zip(trials, results, strict=True)])
    near = np.stack([result.arrays["proximity_index"].mean((1, 2)) for result in results])
    accuracy = np.array([result.values["test_accuracy"] for result in results])
    law = trials[0].task.law.process.autocovariance  # type: ignore[attr-defined]
    summaries = {
        "first_value": values[:, 1],
        "pretrained_value": values[:, -1],
        "pretrained_proximity_index": near[:, looks],
        "proximity_index": near[:, -1],
        "test_accuracy": accuracy,
    }
    row = {
        "sum_excess": float(theory.sum_excess(law)),
        "fitted_value": float(theory.masked_fitted_value(law, MASK_RATIO)),
        **{
            name: {**mean_interval(each).as_json(), "per_seed": each.tolist()}
            for name, each in summaries.items()
        },
    }
    return row, {"value": values, "proximity_index": near}


def value_path(trial: TrialConfig, result: Result, dataset: Dataset, *, key: PRNGKeyArray) -> list[float]:
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
        mask_key, place_key = jax.random.split(key)
        place = jax.random.randint(place_key, (), 0, length)
        hidden = draw_mask(length, key=mask_key).at[place].set(False)

        def log_odds(sign: int) -> Float[Array, " length"]:
            logits = model.token_logits(sequence.at[place].set(sign), hidden, frozen_uniform=True)
            return logits[:, 1] - logits[:, 0]

        counted = hidden.astype(jnp.float32)
        return counted @ (log_odds(1) - log_odds(0)) / jnp.maximum(counted.sum(), 1)

    return length / 4 * jax.vmap(one)(tokens, keys).mean()


def shown(values: Mapping[str, Any]) -> str:
    """The table."""
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
    for row in values["rows"]:
        cells = " ".join(f"{interval(row[name]):26}" for name in names)
        lines.append(f"{row['balanced']:8.2f} {row['sum_excess']:8.3f} {row['fitted_value']:9.3f} {cells}")
    return "\n".join(lines)
