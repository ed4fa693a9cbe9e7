"""Predicted against measured, by method: verdicts, intervals, ranks, cost; and every miss."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from full_scale.diagnosis.pilot.gain import LEVEL
from full_scale.studies.pilot_validation.arms import ARMS, Measured
from full_scale.studies.pilot_validation.predictions import METHODS, Predictions
from full_scale.studies.validation.agreement import spearman
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, proportion_interval

LINE = 0.02  # measured gain above which pretraining was worth it, and within which "undecided" is no mistake


@dataclasses.dataclass(frozen=True)
class Row(Stored):
    """One set: what was predicted, and what training came to."""

    predictions: Predictions
    commit: dict[str, str | bool | None]
    """Of the predictions."""
    measured: Measured
    gain: Interval
    """Measured test accuracy of SPT less that of labels alone, over seeds."""
    fresh: bool
    """Whether it had no part in choosing."""
    real: bool
    right: dict[str, bool]
    """Whether training bears each method's verdict out."""


@dataclasses.dataclass(frozen=True)
class Score(Stored):
    """How well one method did, over fresh sets."""

    right: Interval
    right_with_gain: Interval
    """Among sets whose measured gain is above two points."""
    right_without: Interval
    covered: Interval
    """Share of measured gains that the predicted interval holds; n = 0 where a method predicts none."""
    rank: Interval
    """Spearman's correlation of predicted and measured gain."""
    rank_real: Interval
    """The same over real sets alone."""
    seconds: float
    """CPU time, sum over the sets."""
    cost: float
    """The same over that of training both arms once."""


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """The study."""

    rows: tuple[Row, ...]
    scores: dict[str, Score]
    """By method."""
    misses: tuple[str, ...]
    """Fresh sets on which the pilot is wrong."""
    untrained: tuple[str, ...]
    """Sets that are predicted, and not trained yet."""
    missing: dict[str, str]
    """Why sets are not there."""
    config: dict[str, object]
    known: dict[str, Score] | None = None
    """By method, over the sets of the first study: their gains were known when today's diagnosis was made."""


def scored(rows: Sequence[Row]) -> dict[str, Score]:
    """The score of every method that predicted one of these sets."""
    methods = [name for name in METHODS if any(name in each.predictions.every for each in rows)]
    return {name: score(rows, name) for name in methods}


def row(predictions: Predictions, commit: dict, measured: Measured, fresh: bool, real: bool) -> Row:
    """One set."""
    gain = mean_interval(np.subtract(*(np.array(measured.accuracy[arm]) for arm in ARMS[::-1])))
    right = {name: is_right(each.verdict, gain.estimate or 0.0) for name, each in predictions.every.items()}
    return Row(predictions, commit, measured, gain, fresh, real, right)


def is_right(verdict: str, gain: float) -> bool:
    """To pretrain first where the gain is above the line; undecided, where it lies within it; else any other."""
    if verdict == "undecided":
        return abs(gain) <= LINE
    return (verdict == "pretrain first") == (gain > LINE)


def score(rows: Sequence[Row], method: str) -> Score:
    """A method's score over these sets, those that it predicted."""
    known = [each for each in rows if method in each.predictions.every]
    paid = lambda each: (each.gain.estimate or 0.0) > LINE
    right = lambda some: share_of([each.right[method] for each in some])
    pairs = lambda some: np.array(
        [[each.predictions.every[method].gain.estimate, each.gain.estimate] for each in some], float
    ).reshape(-1, 2)
    seconds = sum(each.predictions.every[method].seconds for each in known)
    return Score(
        right=right(known),
        right_with_gain=right([each for each in known if paid(each)]),
        right_without=right([each for each in known if not paid(each)]),
        covered=share_of([_covers(each, method) for each in known if _predicts(each, method)]),
        rank=spearman(pairs(known), LEVEL),
        rank_real=spearman(pairs([each for each in known if each.real]), LEVEL),
        seconds=seconds,
        cost=seconds / max(sum(each.measured.seconds for each in known), 1e-9),
    )


def share_of(right: Sequence[bool]) -> Interval:
    """A share with its Clopper-Pearson interval; empty of none."""
    return proportion_interval(sum(right), len(right)) if right else Interval(None, None, None, n=0)


def _predicts(each: Row, method: str) -> bool:
    """Whether the method gives an interval of the gain; the statistic's is of something else."""
    return method != "statistic" and each.predictions.every[method].gain.low is not None


def _covers(each: Row, method: str) -> bool:
    """Whether the predicted interval holds the measured gain."""
    predicted = each.predictions.every[method].gain
    return bool(predicted.low <= each.gain.estimate <= predicted.high)  # type: ignore[operator]


def table(values: Values) -> str:
    """One line per set, then one per method."""
    lines = [f"{'set':22} {'labels':>6} {'spt':>6} {'measured gain':>24} {'pilot':>24}  verdicts"]
    for each in values.rows:
        labels, spt = (np.mean(each.measured.accuracy[arm]) for arm in ARMS)
        by_method = each.predictions.every
        verdicts = ", ".join(
            f"{name} {one.verdict}" + " (wrong)" * (not each.right[name]) for name, one in by_method.items()
        )
        lines.append(
            f"{each.predictions.set + '*' * (not each.fresh):22} {labels:6.3f} {spt:6.3f} {each.gain.text():>24} "
            f"{by_method['pilot'].gain.text():>24}  {verdicts}"
        )
    lines.append("(* had a part in choosing, or was trained before it was predicted: not counted)")
    scores = [
        *values.scores.items(),
        *(("known, " + name, one) for name, one in (values.known or {}).items()),
    ]
    for name, one in scores:
        lines.append(
            f"{name}: right {_share(one.right)}, with a gain {_share(one.right_with_gain)}, without "
            f"{_share(one.right_without)}; intervals hold {_share(one.covered)}; rank {one.rank.text()}, real "
            f"{one.rank_real.text()}; {one.seconds:.0f} CPU s, {one.cost:.2f} of training both arms"
        )
    lines.append(f"predicted and not trained: {', '.join(values.untrained) or 'none'}")
    return "\n".join([*lines, *(f"missing {name}: {why}" for name, why in values.missing.items())])


def _share(interval: Interval) -> str:
    """k of n."""
    return f"{round((interval.estimate or 0.0) * interval.n)} of {interval.n}"
