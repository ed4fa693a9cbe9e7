"""Predicted against measured: rank correlation, verdicts, thresholds from one half of the tasks."""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy import stats

from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.initialisation import LOSSES, VerdictInputs
from full_scale.diagnosis.result import Explained
from full_scale.diagnosis.verdict import Kind, judged
from sims.runs.store import load
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, proportion_interval

_WORTH = 0.04  # measured gain in test accuracy from which pretraining was worth it
_FOUND = 0.05  # accuracy above a constant guess from which an arm has learned something
RESAMPLES = 4_000
_GRID = {"gain": (0.02, 0.04, 0.06, 0.1), "reached": (0.03, 0.05, 0.1)}
Half = Literal["choose", "test", "fresh"]


@dataclasses.dataclass(frozen=True)
class Before(Stored):
    """What an earlier study had predicted of a task."""

    verdict: Kind
    half: Half
    predicted_gain: Interval


@dataclasses.dataclass(frozen=True)
class Measurement(Stored):
    """What training came to on a task."""

    measured_gain: Interval
    accuracy: dict[str, float]
    """Mean over seeds, by arm."""
    rates: dict[str, float]
    """Learning rate by arm."""
    before: Before | None = None
    """Where an earlier study measured it."""


@dataclasses.dataclass(frozen=True)
class Row(Measurement):
    """One task: what was predicted, what was measured, what would have been right."""

    task: str = dataclasses.field(kw_only=True)
    half: Half = dataclasses.field(kw_only=True)
    verdict: Kind = dataclasses.field(kw_only=True)
    """As it was predicted."""
    verdict_chosen: Kind = dataclasses.field(kw_only=True)
    """With the thresholds in use."""
    right: Kind = dataclasses.field(kw_only=True)
    """The verdict that training bears out."""
    predicted_gain: Interval = dataclasses.field(kw_only=True)
    floors: dict[str, float] = dataclasses.field(kw_only=True)
    commit: dict[str, str | bool | None] = dataclasses.field(kw_only=True)
    """Of the prediction."""
    sequences: int = dataclasses.field(kw_only=True)
    evidence: tuple[VerdictInputs, ...] = dataclasses.field(kw_only=True)
    snr: dict[str, Interval] = dataclasses.field(kw_only=True)
    """By loss."""

    @property
    def missed(self) -> bool:
        """Whether training contradicted the verdict."""
        return self.verdict_chosen != self.right


@dataclasses.dataclass(frozen=True)
class Agreement(Stored):
    """How predictions and measurements agree."""

    rows: tuple[Row, ...]
    spearman: Interval
    thresholds: dict[str, float]
    """Chosen on one half of the tasks."""
    right: dict[str, Interval]
    """Share of right verdicts, by half."""
    right_as_stored: Interval
    """With the thresholds that predicted."""
    misses: tuple[str, ...]
    spearman_by_half: dict[str, Interval] | None = None
    """Not computed in the first study."""


@dataclasses.dataclass(frozen=True)
class Values(Agreement):
    """The study."""

    missing: dict[str, str] = dataclasses.field(kw_only=True)
    """Why tasks are not there."""
    config: dict[str, object] = dataclasses.field(kw_only=True)


def measured(arms: dict[str, Any]) -> Measurement:
    """What training came to on a task: the gain over seeds, each arm's mean accuracy and its rate."""
    gains = np.array(arms["spt"]["test"]) - np.array(arms["label_only"]["test"])
    reached = {arm: float(np.mean(arms[arm]["test"])) for arm in ("label_only", "spt")}
    return Measurement(mean_interval(gains), reached, arms["rates"])


def earlier(study: Path | None) -> dict[str, Measurement]:
    """What an earlier study measured, by task, and what it had predicted."""
    if study is None:
        return {}
    prior = lambda each: Before(each.verdict_chosen, each.half, each.predicted_gain)
    return {
        each.task: Measurement(each.measured_gain, each.accuracy, each.rates, prior(each))
        for each in Values.from_json(load(study.parent, study.stem).values).rows
    }


def row(name: str, prediction: Explained, commit: dict, measurement: Measurement, half: Half) -> Row:
    """One task: what was predicted, what was measured, what would have been right."""
    verdict, floors = prediction.verdict, prediction.floors
    return Row(
        **vars(measurement),
        task=name,
        half=half,
        verdict=verdict.kind,
        verdict_chosen=verdict.kind,
        right=truth(measurement.measured_gain, measurement.accuracy, floors["constant"]),
        predicted_gain=verdict.gain,
        floors=floors,
        commit=commit,
        sequences=prediction.data.sizes["train"],
        evidence=tuple(fit.narrowed(VerdictInputs) for fit in prediction.fits),
        snr={loss: prediction.numbers[f"snr_{loss}_expressible"] for loss in LOSSES},
    )


def truth(gain: Interval, reached: dict[str, float], constant: float) -> Kind:
    """The verdict that training bears out."""
    if max(reached.values()) - constant < _FOUND:
        return "neither sees anything"
    worth = (gain.estimate or 0) >= _WORTH and (
        gain.low is None or gain.low > 0 or (gain.estimate or 0) > 2 * _WORTH
    )
    return "pretrain first" if worth else "no need"


def summary(rows: list[Row]) -> Agreement:
    """Correlation over all tasks; thresholds chosen on one half, verdicts on the other; every miss."""
    halves = {half: [r for r in rows if r.half == half] for half in get_args(Half)}
    chosen = choose(halves["choose"]) if halves["choose"] else Thresholds()
    scored = {half: _share_right(part, chosen) for half, part in halves.items() if part}
    verdicts = tuple(dataclasses.replace(r, verdict_chosen=_verdict_of(r, chosen)) for r in rows)
    return Agreement(
        verdicts,
        spearman(pairs(rows)),
        dataclasses.asdict(chosen),
        scored,
        share_of([r.verdict == r.right for r in rows]),
        tuple(r.task for r in verdicts if r.missed),
        {half: spearman(pairs(part)) for half, part in halves.items() if part},
    )


def pairs(rows: Sequence[Row]) -> np.ndarray:
    """Predicted and measured gain of every task."""
    return np.array([[r.predicted_gain.estimate, r.measured_gain.estimate] for r in rows], float)


def _verdict_of(stored: Row, thresholds: Thresholds) -> Kind:
    """The verdict that these thresholds give on the stored evidence."""
    return judged(stored.evidence, stored.sequences, stored.floors, thresholds, "").kind


def _share_right(rows: Sequence[Row], thresholds: Thresholds) -> Interval:
    """Share of verdicts that training bears out."""
    return share_of([_verdict_of(each, thresholds) == each.right for each in rows])


def share_of(right: list[bool]) -> Interval:
    """A share with its Clopper-Pearson interval."""
    return proportion_interval(sum(right), len(right))


def choose(rows: Sequence[Row]) -> Thresholds:
    """The grid's thresholds with most verdicts right; among equals those nearest the defaults."""
    default = Thresholds()
    options = [
        dataclasses.replace(default, **dict(zip(_GRID, values, strict=True)))
        for values in itertools.product(*_GRID.values())
    ]
    distance = lambda lines: sum(abs(np.log(getattr(lines, n) / getattr(default, n))) for n in _GRID)
    return max(options, key=lambda lines: (_share_right(rows, lines).estimate or 0, -distance(lines)))


def spearman(pairs: np.ndarray, level: float = 0.95) -> Interval:
    """Rank correlation of two columns with a percentile bootstrap over rows."""
    if len(pairs) < 3 or np.ptp(pairs, axis=0).min() == 0:
        return Interval(None, None, None, level, len(pairs), "too few tasks that differ")
    rows = np.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    correlations = rank_correlations(pairs[rows])
    low, high = np.quantile(correlations[np.isfinite(correlations)], [(1 - level) / 2, (1 + level) / 2])
    estimate = float(rank_correlations(pairs[None])[0])
    return Interval(estimate, float(low), float(high), level, len(pairs), "Spearman, bootstrap over tasks")


def rank_correlations(samples: Float[np.ndarray, "sample n 2"]) -> Float[np.ndarray, " sample"]:
    """Spearman's rho of every sample of pairs; not a number where a column does not vary."""
    ranks = stats.rankdata(samples, axis=1)
    off = ranks - ranks.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return off.prod(axis=2).sum(axis=1) / np.sqrt((off**2).sum(axis=1).prod(axis=1))


def table(values: Values) -> str:
    """One line per task, then how well it went."""
    mark = lambda interval: "     ?" if interval.estimate is None else f"{interval.estimate:6.3f}"
    lines = [
        "task                    half    verdict                right                  predicted measured"
    ]
    for each in values.rows:
        miss = "  MISS" if each.missed else ""
        lines.append(
            f"{each.task:23} {each.half:7} {each.verdict_chosen:22} {each.right:22} "
            f"{mark(each.predicted_gain)}    {mark(each.measured_gain)}{miss}"
        )
    rank = values.spearman
    lines.append(f"rank correlation {rank.estimate} [{rank.low}, {rank.high}]")
    lines.append(f"thresholds {values.thresholds}")
    lines += [f"{half}: {part.estimate:.2f} of {part.n} right" for half, part in values.right.items()]
    return "\n".join([*lines, *(f"missing {name}: {why}" for name, why in values.missing.items())])
