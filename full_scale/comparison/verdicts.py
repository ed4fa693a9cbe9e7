"""Whether a measurement bears a prediction out.

A prediction is a range. It holds when the whole 95% interval lies in the range, fails when the interval lies
wholly outside, and is undecided otherwise, also where nothing is measured.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from full_scale.comparison.predictions import INFINITY, Prediction

SLACK = 1e-9  # a share of exactly 1 may be stored as 1 + rounding


def verdict(prediction: Prediction, interval: Mapping[str, Any]) -> str:
    """Whether the interval lies in the predicted range; an absent bound is unbounded."""
    if interval["low"] is None and interval["high"] is None:
        return "undecided"
    low = -INFINITY if interval["low"] is None else float(interval["low"])
    high = INFINITY if interval["high"] is None else float(interval["high"])
    if low >= prediction.low - SLACK and high <= prediction.high + SLACK:
        return "holds"
    return "fails" if high < prediction.low - SLACK or low > prediction.high + SLACK else "undecided"


def combined(judged: Iterable[str]) -> str:
    """holds when all do, fails when one does."""
    found = set(judged)
    if "fails" in found:
        return "fails"
    return "holds" if found == {"holds"} else "undecided"
