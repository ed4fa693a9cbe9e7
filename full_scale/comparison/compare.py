"""Each named quantity of the theory: prediction, toy, Transformer, and a verdict from stored results.

`rows` has one row per quantity, on docs-order where it is measured there; `by_task` every stored measurement
by task and setting; `by_head` those by layer and head, along training without a prediction; `missing` what is
not stored, with the command that makes it; `validation` whether the diagnosis's predicted gains came true.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping

import numpy as np

from full_scale.comparison import along, stored_measurements
from full_scale.comparison.missing import missing
from full_scale.comparison.predictions import INFINITY, PREDICTIONS, Prediction
from full_scale.comparison.rows import Gain, Gains, Row, Values
from full_scale.comparison.stored_measurements import Measured
from full_scale.stored import with_shipped
from full_scale.studies import paper
from full_scale.studies import validation as diagnosis_study
from sims.runs.cache import Session, cached
from sims.runs.store import Result
from sims.statistics.intervals import Interval

__all__ = ["PREDICTIONS", "Prediction", "Values", "combined", "compared", "run", "verdict"]
_SLACK = 1e-9  # a share of exactly 1 may be stored as 1 + rounding
_CONTROL_ROW = "digits"  # the control whose tie is among the headline rows


def run(results: Mapping[str, Result]) -> tuple[Values, dict[str, np.ndarray]]:
    """All rows; what is not stored is None."""
    every = lambda source: tuple(
        row(prediction, measurement, results)
        for prediction in PREDICTIONS
        for measurement in source(prediction, results)
    )
    headlines = tuple(row for prediction in PREDICTIONS for row in headline(prediction, results))
    by_head = every(stored_measurements.per_head) + tuple(along.rows(results))
    by_task = every(stored_measurements.measured) + tuple(diagnosed_gains(results))
    return Values(headlines, by_task, by_head, missing(results), validation(results)), {}


def diagnosed_gains(results: Mapping[str, Result]) -> list[Row]:
    """Of the paper's tasks SPT's gain beside the interval that the diagnosis gave it before training."""
    if "paper" not in results:
        return []
    study = paper.Values.from_json(results["paper"].values)
    known = next(each for each in PREDICTIONS if each.name == "gain")
    rows = []
    for name, each in study.sizes.items():
        gain, came = study.predictions[name].numbers["gain"], each.grid.shares.gain
        if gain.estimate is None or came is None:
            continue
        low = -INFINITY if gain.low is None else gain.low
        high = INFINITY if gain.high is None else gain.high
        own = dataclasses.replace(
            known, value=round(gain.estimate, 3), low=low, high=high, source="diagnosis", note="", toy=(),
            controls={},
        )  # fmt: skip
        rows.append(row(own, Measured(each.task, f"{each.size}, as diagnosed", "paper", came), results))
    return rows


def headline(prediction: Prediction, results: Mapping[str, Result]) -> list[Row]:
    """The first measurement on docs-order, or an empty row; for the gain the control's too."""
    measurements = list(stored_measurements.measured(prediction, results))
    first = next((each for each in measurements if each.task == "docs-order"), None)
    rows = [row(prediction, first, results)]
    if prediction.name == "gain":
        control = next((each for each in measurements if each.task == _CONTROL_ROW), None)
        of_control = row(prediction, control, results, task=_CONTROL_ROW)
        rows.append(dataclasses.replace(of_control, name=f"gain_{_CONTROL_ROW}"))
    return rows


def row(
    prediction: Prediction,
    measurement: Measured | None,
    results: Mapping[str, Result],
    *,
    task: str = "docs-order",
) -> Row:
    """The prediction beside its measurements."""
    predicted = prediction.on(measurement.task if measurement else task)
    measured = {
        "toy": stored_measurements.toy(predicted, results),
        "transformer": measurement.interval if measurement else None,
    }
    verdicts = {kind: verdict(predicted, each) for kind, each in measured.items() if each is not None}
    bound = lambda end: None if np.isinf(end) else end
    return Row(
        prediction.name,
        measurement.task if measurement else task,
        measurement.setting if measurement else "",
        measurement.layer if measurement else None,
        measurement.head if measurement else None,
        measurement.result if measurement else None,
        prediction.meaning,
        predicted.value,
        (bound(predicted.low), bound(predicted.high)),
        prediction.source,
        **measured,
        verdicts=verdicts,
        verdict=combined(verdicts.values()),
        note=prediction.note,
    )


def validation(results: Mapping[str, Result]) -> Gains | None:
    """Predicted against measured gain of the diagnosis's study, or None where it is not stored."""
    if "validation" not in results:
        return None
    values = diagnosis_study.Values.from_json(results["validation"].values)
    rows = tuple(each.narrowed(Gain) for each in values.rows)
    return Gains(rows, values.spearman, values.right, values.misses, values.thresholds)


def verdict(prediction: Prediction, interval: Interval) -> str:
    """Whether a measurement bears a prediction out.

    It holds when the whole 95% interval lies in the predicted range, fails when the interval lies wholly outside,
    and is undecided otherwise, also where nothing is measured. An absent bound is unbounded.
    """
    if interval.low is None and interval.high is None:
        return "undecided"
    low = -INFINITY if interval.low is None else float(interval.low)
    high = INFINITY if interval.high is None else float(interval.high)
    if low >= prediction.low - _SLACK and high <= prediction.high + _SLACK:
        return "holds"
    return "fails" if high < prediction.low - _SLACK or low > prediction.high + _SLACK else "undecided"


def combined(judged: Iterable[str]) -> str:
    """holds when all do, fails when one does."""
    outcomes = set(judged)
    if "fails" in outcomes:
        return "fails"
    return "holds" if outcomes == {"holds"} else "undecided"


@dataclasses.dataclass(frozen=True)
class ComparisonConfig:
    """What is compared: the hash of each stored result."""

    inputs: dict[str, str]


def compared(session: Session, results: Mapping[str, Result]) -> Result:
    """The comparison of these results and those shipped."""
    inputs = {name: each for name, each in with_shipped(results, session.out).items() if name != "comparison"}
    config = ComparisonConfig({name: digest(each) for name, each in inputs.items()})
    return cached(session, "comparison", config, lambda _: run(inputs), code=(run,))


def digest(result: Result) -> str:
    """Hash of a result's values and record; these hold the hash of its arrays' making."""
    text = json.dumps([result.values, result.record], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
