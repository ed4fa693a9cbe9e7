"""The probes over the states of training: initial, adiabatic, pretrained, trained; intervals over seeds."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np

from full_scale.data.dataset import Dataset, Description
from full_scale.devices.precision import single_precision
from full_scale.model import Transformer
from full_scale.probes.measures import Probed, lags, measure
from full_scale.studies.arm_comparison import OBJECTIVES, Plan
from full_scale.studies.arms import ARMS
from full_scale.tasks.task import load
from full_scale.training.runner import Progress, TrainedRun, run_all
from full_scale.training.step import Objective
from full_scale.training.trial import TrialConfig, initial_model, stored_model
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, ratio_interval, score_snr, score_snr_ratio

Runs = dict[TrialConfig, TrainedRun]
ByHead = tuple[tuple[Interval, ...], ...]
"""Interval over seeds of each layer and head."""
PRETRAINED = 1  # the snapshot at the end of the spt arm's first phase


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Every measure at every state, over seeds."""

    layers: int
    heads: int
    seeds: tuple[int, ...]
    task: str
    data: Description
    states: dict[str, dict[str, Interval]]
    per_head: dict[str, dict[str, ByHead]]


def run(
    plan: Plan, folder: Path, *, command: str, report: Progress | None = None, jobs: int | None = None
) -> tuple[Values, dict[str, np.ndarray]]:
    """Probe every state of every seed, training what is not stored in `folder`."""
    trials = plan.trials()
    results = dict(
        zip(trials, run_all(trials, folder, command=command, report=report, jobs=jobs), strict=True)
    )
    dataset = load(plan.task)
    with single_precision():
        probed = _probe_states(plan, results, dataset, report)
    values = Values(
        plan.model.layers,
        plan.model.heads,
        plan.seeds,
        dataset.name,
        dataset.describe(),
        states={state: summary(models) for state, models in probed.items()},
        per_head={state: by_head(models) for state, models in probed.items()},
    )
    return values, arrays(plan, results, probed, dataset)


def _probe_states(
    plan: Plan, results: Runs, dataset: Dataset, report: Progress | None
) -> dict[str, list[Probed]]:
    """Every state's measures, per seed."""
    by_state: dict[str, list[Probed]] = {}
    count = 2 * len(plan.fit_seeds) + 3 * len(plan.seeds)
    for done, (state, seed, models) in enumerate(states(plan, results, dataset), start=1):
        probed = measure(models, dataset, key=jax.random.key(seed), frozen_uniform=state == "adiabatic")
        by_state.setdefault(state, []).append(probed)
        if report:
            report(done, count)
    return by_state


def states(
    plan: Plan, results: Runs, dataset: Dataset
) -> Iterator[tuple[str, int, dict[Objective, Transformer]]]:
    """(state, seed, models): one model for both losses, except at the adiabatic point."""
    model = lambda config, slot=-1: stored_model(config, dataset, results[config].arrays, slot)
    both = lambda one: {objective: one for objective in OBJECTIVES}
    fits = {objective: plan.adiabatic(objective) for objective in OBJECTIVES}
    for index, seed in enumerate(plan.fit_seeds):
        yield "initialisation", seed, both(initial_model(fits["labels"][index], dataset))
        yield "adiabatic", seed, {objective: model(runs[index]) for objective, runs in fits.items()}
    for label_only, spt in zip(plan.arm("label_only"), plan.arm("spt"), strict=True):
        yield "pretrained", spt.seed, both(model(spt, PRETRAINED))
        yield "trained_label_only", spt.seed, both(model(label_only))
        yield "trained_spt", spt.seed, both(model(spt))


def summary(models: list[Probed]) -> dict[str, Interval]:
    """Interval over seeds of every measure.

    `snr_*` is the signal that independent fits agree on, as in the toy; `snr_*_per_fit` the mean over
    fits of each fit's own SNR, which noise in a head that should be 0 keeps above 0.   [C19]
    """
    numbers = {name: [model.numbers[name] for model in models] for name in models[0].numbers}
    intervals = {name: over_seeds(values) for name, values in numbers.items()}
    scores = {loss: np.array(numbers[f"score_{loss}"]) for loss in ("reconstruction", "label")}
    for loss, per_seed in scores.items():
        intervals[f"snr_{loss}_per_fit"] = intervals[f"snr_{loss}"]
        intervals[f"snr_{loss}"] = score_snr(per_seed)
    norms = (np.array(numbers[f"norm_{loss}"]) for loss in ("reconstruction", "label"))
    intervals["norm_ratio"] = ratio_interval(*norms)
    if len(models) > 1:
        intervals["snr_ratio"] = score_snr_ratio(scores["reconstruction"], scores["label"])
    return intervals


def by_head(models: list[Probed]) -> dict[str, ByHead]:
    """Interval over seeds of every measure of each layer and head."""
    by_name = {
        name: np.array([model.per_head[name] for model in models], float) for name in models[0].per_head
    }
    return {
        name: tuple(
            tuple(mean_interval(values[:, i, j]) for j in range(values.shape[2]))
            for i in range(values.shape[1])
        )
        for name, values in by_name.items()
    }


def over_seeds(values: list[float | None]) -> Interval:
    """Mean over the seeds in which the measure exists; an empty interval when it exists in none."""
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return Interval(None, None, None, n=0, method="lost in noise in every seed")
    return mean_interval(known)


def arrays(
    plan: Plan, results: Runs, probed: dict[str, list[Probed]], dataset: Dataset
) -> dict[str, np.ndarray]:
    """What the figures draw: the first seed's maps and gradients, curves over all seeds."""
    adiabatic = probed["adiabatic"]
    maps = {"initialisation": "initialisation", "spt": "trained_spt", "label_only": "trained_label_only"}
    curves = {arm: [results[config] for config in plan.arm(arm)] for arm in ARMS}
    return {
        **{f"attention_{name}": probed[state][0].attention for name, state in maps.items()},
        "attention_pretrained": probed["pretrained"][0].attention,
        "label_gradient_adiabatic": adiabatic[0].gradients["labels"],
        "reconstruction_gradient_adiabatic": adiabatic[0].gradients["reconstruction"],
        "snr_lags": np.array(lags(dataset.length)),
        **{
            f"snr_{loss}_{state}": np.stack([model.snr_by_lag[loss] for model in models])
            for state, models in probed.items()
            for loss in ("label", "reconstruction")
        },
        "steps": curves["spt"][0].arrays["steps"],
        **{
            f"proximity_index_{arm}": np.stack([r.arrays["proximity_index"].mean((1, 2)) for r in runs])
            for arm, runs in curves.items()
        },
    }
