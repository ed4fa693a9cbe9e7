"""One task at one size: what every arm came to, when it left its plateau, and where its attention went."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from full_scale.data.dataset import Dataset, Inputs
from full_scale.devices.precision import single_precision
from full_scale.diagnosis.directions import dominant_offset, nearest, offsets
from full_scale.probes.online_metrics import attention_maps
from full_scale.studies import grids
from full_scale.studies.grids.plan import GridPlan
from full_scale.studies.grids.variants import (
    BOTH,
    DECAYED,
    LABEL_ONLY,
    MIMETIC,
    PRIORS,
    SCORES,
    SPT,
    SPT_LONGER,
    TWICE,
    Variant,
    depths,
)  # fmt: skip
from full_scale.studies.paper.sizes import stored_as
from full_scale.tasks.task import load
from full_scale.training.runner import Progress, TrainedRun, run_all
from full_scale.training.trial import stored_model
from sims.runs.errors import UserError
from sims.runs.provenance import commit
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, proportion_interval

LEFT = 0.05  # validation accuracy above a constant guess from which a run has left its plateau
_READ = 256  # test sequences whose attention is averaged
_MAPPED = (LABEL_ONLY, SPT)
_ALIBI, _ROPE, _TIED_QK, _TIED_QKVO = PRIORS


def variants(layers: int, depth: tuple[int, ...], chosen: tuple[str, ...] = ()) -> tuple[Variant, ...]:
    """The arms, the most informative first; of those beside the first two only the chosen, if any are named."""
    replaced = (_ALIBI, _ROPE, _TIED_QKVO, MIMETIC, BOTH)
    other = depths(tuple(each for each in depth if each != layers))
    beside = {each.name: each for each in (*SCORES, SPT_LONGER, TWICE, DECAYED, *replaced, *other)}
    if unknown := [name for name in chosen if name not in beside]:
        raise UserError(f"expected arms among {', '.join(beside)}: got {', '.join(unknown)}")
    return (LABEL_ONLY, SPT, *(beside[name] for name in chosen or beside))


@dataclasses.dataclass(frozen=True)
class Left(Stored):
    """Whether an arm's runs leave the plateau, at a constant guess, and beat what needs no attention."""

    steps: tuple[int | None, ...]
    """First evaluated step at LEFT above a constant guess, pretraining included, by seed; None: never."""
    never_share: Interval
    beats_floors_share: Interval
    """Share of seeds whose test accuracy is above every attention-free baseline's."""


@dataclasses.dataclass(frozen=True)
class Attention(Stored):
    """Where an arm's trained attention goes, averaged over layers, heads and test sequences."""

    near: Interval
    """Mean attention at the nearest positions over uniform attention: lag 1, or an image's four neighbours."""
    lags: tuple[int, ...]
    """The distance of the largest mean attention, by seed; each key's own mean is taken off."""
    offsets: tuple[tuple[int, int], ...] | None = None
    """Of images: (rows, columns)."""


@dataclasses.dataclass(frozen=True)
class SizeTable(Stored):
    """One task at one size."""

    task: str
    size: str
    tier: int
    commit: dict[str, str | bool | None]
    """Of the code that put it together."""
    grid: grids.Values
    left: dict[str, Left]
    """By arm."""
    attention: dict[str, Attention]
    """Of labels alone and of SPT."""
    best: dict[str, Interval] | None = None
    """By arm, validation accuracy at the best evaluation of each run: what stopping early would reach."""
    best_gain: Interval | None = None
    """Of SPT over labels alone at their best evaluations, paired by seed."""

    @property
    def stored_as(self) -> str:
        """Task and size as arrays name them."""
        return stored_as(self.task, self.size)

    @property
    def labelled(self) -> int | None:
        """How many training sequences keep their label, about; None: all."""
        number = self.size.partition(", ")[2].removesuffix(" labels")
        return int(number.replace(",", "")) if self.size.endswith(" labels") else None


def measured(
    name: tuple[str, str, int],
    plan: GridPlan,
    folder: Path,
    *,
    command: str,
    report: Progress | None,
    jobs: int | None,
) -> tuple[SizeTable, dict[str, np.ndarray]]:
    """Train what is not stored in `folder`, and put the arms together."""
    how = dict(command=command, jobs=jobs)
    values, curves = grids.compute(plan, folder, report=report, **how)
    dataset = load(plan.task)
    best = max(values.floor.values())
    left = {arm: _left(arm, values, curves, best) for arm in values.order}
    rates = {arm: values.arms[arm.name].learning_rates[0] for arm in _MAPPED}
    with single_precision():
        attention = {
            arm.name: _attention(
                plan, run_all(_trials(plan, arm, rates[arm]), folder, **how), arm, rates[arm], dataset
            )
            for arm in _MAPPED
        }
    reached = {arm: curves[f"{arm}_validation_accuracy"].max(axis=1) for arm in values.order}
    stopped = {arm: mean_interval(each.astype(np.float64)) for arm, each in reached.items()}
    best_gain = mean_interval((reached[SPT.name] - reached[LABEL_ONLY.name]).astype(np.float64))
    return SizeTable(*name, commit(), values, left, attention, stopped, best_gain), curves


def _trials(plan: GridPlan, arm: Variant, rate: float) -> list:
    return [plan.trial(arm, seed, rate) for seed in plan.seeds]


def _left(arm: str, values: grids.Values, curves: Mapping[str, np.ndarray], best: float) -> Left:
    """When the arm's runs left the plateau, from their curves."""
    steps = curves.get(f"{arm}_steps", curves["steps"])
    above = curves[f"{arm}_validation_accuracy"] >= values.floor["constant"] + LEFT
    first = tuple(int(steps[1 + row.argmax()]) if row.any() else None for row in above[:, 1:])
    beats = [accuracy > best for accuracy in values.arms[arm].test_accuracy.per_seed]
    never = sum(each is None for each in first)
    return Left(first, proportion_interval(never, len(first)), proportion_interval(sum(beats), len(beats)))


def _attention(
    plan: GridPlan, runs: list[TrainedRun], arm: Variant, rate: float, dataset: Dataset
) -> Attention:
    """Mean attention of the arm's trained models."""
    tokens, inputs = jnp.asarray(dataset.test.tokens[:_READ]), dataset.inputs
    lengths = None if dataset.test.lengths is None else jnp.asarray(dataset.test.lengths[:_READ])
    trials = _trials(plan, arm, rate)
    maps = [
        np.asarray(attention_maps(stored_model(trial, dataset, run.arrays), tokens, False, lengths))
        for trial, run in zip(trials, runs, strict=True)
    ]
    mean = [np.asarray(each.mean(axis=(0, 1)), np.float64) for each in maps]
    dominant = [dominant_offset(each - each.mean(axis=0), inputs) for each in mean]
    near = mean_interval(np.array([near_attention(each, inputs) for each in mean]))
    steps = tuple(each.offset for each in dominant if each.offset is not None)
    return Attention(near, tuple(each.lag for each in dominant), steps or None)


def near_attention(weights: Float[np.ndarray, "query key"], inputs: Inputs) -> float:
    """Mean attention that a query pays to each of its nearest positions, over 1 / length."""
    looked = offsets(inputs, inputs.length)
    member = looked.members[looked.names.index(nearest(inputs))]
    queries = np.arange(inputs.length)
    paid = [
        weights[queries[rows], queries[rows] + step]
        for rows, step in zip(looked.rows[member > 0], looked.signed[member > 0], strict=True)
    ]
    return float(np.concatenate(paid).mean() * inputs.length)
