"""Each named quantity of theory.md: prediction, toy, Transformer, and a verdict from stored results.

`rows` has one row per quantity, on docs-order where it is measured there; `by_task` every stored measurement
by task and setting; `by_head` those by layer and head, along training without a prediction; `missing` what is
not stored, with the command that makes it; `validation` whether the diagnosis's predicted gains came true.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from full_scale.comparison import along, places
from full_scale.comparison.missing import missing
from full_scale.comparison.places import Measured
from full_scale.comparison.predictions import PREDICTIONS, Prediction
from full_scale.comparison.verdicts import combined, verdict
from sims.store import Result

__all__ = ["PREDICTIONS", "Prediction", "combined", "run", "verdict"]
CONTROL_ROW = "digits"  # the control whose tie is among the headline rows


def run(results: Mapping[str, Result]) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """All rows; what is not stored is None."""
    return {
        "rows": [row for prediction in PREDICTIONS for row in headline(prediction, results)],
        "by_task": [
            row(prediction, found, results)
            for prediction in PREDICTIONS
            for found in places.measured(prediction, results)
        ],
        "by_head": [
            row(prediction, found, results)
            for prediction in PREDICTIONS
            for found in places.per_head(prediction, results)
        ]
        + along.rows(results),
        "missing": missing(results),
        "validation": validation(results),
    }, {}


def headline(prediction: Prediction, results: Mapping[str, Result]) -> list[dict[str, object]]:
    """The first measurement on docs-order, or an empty row; for the gain the control's too."""
    found = list(places.measured(prediction, results))
    first = next((each for each in found if each.task == "docs-order"), None)
    rows = [row(prediction, first, results)]
    if prediction.name == "gain":
        control = next((each for each in found if each.task == CONTROL_ROW), None)
        rows.append(row(prediction, control, results, task=CONTROL_ROW) | {"name": f"gain_{CONTROL_ROW}"})
    return rows


def row(
    prediction: Prediction,
    found: Measured | None,
    results: Mapping[str, Result],
    *,
    task: str = "docs-order",
) -> dict[str, object]:
    """The prediction beside its measurements."""
    predicted = prediction.on(found.task if found else task)
    measured = {"toy": places.toy(predicted, results), "transformer": found.interval if found else None}
    verdicts = {kind: verdict(predicted, each) for kind, each in measured.items() if each is not None}
    return {
        "name": prediction.name,
        "task": found.task if found else task,
        "setting": found.setting if found else "",
        "layer": found.layer if found else None,
        "head": found.head if found else None,
        "result": found.result if found else None,
        "meaning": prediction.meaning,
        "prediction": predicted.value,
        "range": [None if np.isinf(bound) else bound for bound in (predicted.low, predicted.high)],
        "prediction_source": prediction.source,
        **measured,
        "verdicts": verdicts,
        "verdict": combined(verdicts.values()),
        "note": prediction.note,
    }


def validation(results: Mapping[str, Result]) -> dict[str, Any] | None:
    """Predicted against measured gain of the diagnosis's study, or None where it is not stored."""
    if "validation" not in results:
        return None
    values: Any = results["validation"].values
    kept = ("task", "half", "verdict", "verdict_chosen", "right", "predicted_gain", "measured_gain")
    rows = [{name: each.get(name) for name in kept} for each in values["rows"]]
    return {
        "rows": rows,
        **{name: values.get(name) for name in ("spearman", "right", "misses", "thresholds")},
    }
