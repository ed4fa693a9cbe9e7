"""Each named quantity of theory.md: prediction, toy, Transformer, and a verdict from stored results.

A prediction is a range, the same for every run. It holds when every measured 95% interval lies in the
range, fails when one lies wholly outside, and is undecided otherwise (also where nothing is measured).
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from sims.intervals import mean_interval
from sims.store import Result

IntervalJson = Mapping[str, object]
INFINITY = float("inf")


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One row: what is predicted, and where its measurements are stored."""

    name: str
    meaning: str
    value: float | str
    """The number predicted, or words where only a range is."""
    low: float
    high: float
    source: str
    """Claims behind it."""
    toy: tuple[str, ...] = ()
    """Result name and keys of the toy's interval."""
    transformer: tuple[str, ...] = ()
    """The same for the Transformer; a last part @last takes the final column of an array."""
    note: str = ""


PREDICTIONS = (
    Prediction(
        "visible_share",
        "key-bias share of the label gradient's energy near uniform attention",
        1.0, 0.8, 1.0, "C1, C2",
        ("blindness", "toy", "visible_share"),
        ("docs_order_probes", "states", "initialisation", "visible_share_label"),
        "an isotropic direction would have 1/L; residual and MLP let labels see more than a key bias (C6)",
    ),
    Prediction(
        "visible_share_reconstruction",
        "the same share of the reconstruction gradient, averaged over sequences",
        0.0, 0.0, 0.2, "C9",
        ("blindness", "toy", "visible_share_reconstruction"),
        ("docs_order_probes", "states", "adiabatic", "visible_share_reconstruction"),
        "C9 is for a ring; text windows have ends and positions",
    ),
    Prediction(
        "proximity_alignment",
        "cosine of minus the reconstruction gradient with the data's law, by distance",
        1.0, 0.8, 1.0, "C10, C11",
        ("blindness", "toy", "proximity_alignment"),
        ("docs_order_probes", "states", "adiabatic", "proximity_alignment_reconstruction"),
        "the law of letters is that of vectors: tr(V^T Sigma(r)) with V = sum of Sigma(s)",
    ),
    Prediction(
        "proximity_alignment_scalar",
        "the same with the plain autocovariance of the layer's input",
        1.0, 0.8, 1.0, "C10",
        ("blindness", "toy", "proximity_alignment"),
        ("docs_order_probes", "states", "adiabatic", "proximity_alignment_scalar_reconstruction"),
        "holds for scalar tokens; equal letters avoid each other in English, so its sign is wrong for text",
    ),
    Prediction(
        "proximity_alignment_label",
        "cosine of minus the label gradient with the law",
        0.0, -0.5, 0.5, "C2, C19",
        ("blindness", "toy", "proximity_alignment_label"),
        ("docs_order_probes", "states", "adiabatic", "proximity_alignment_label"),
    ),
    Prediction(
        "snr_reconstruction",
        "SNR per sequence of the reconstruction gradient along lag 1, everything else fitted",
        "above 0.1", 0.1, INFINITY, "C16, C19",
        ("adiabatic_toy", "toy", "snr_reconstruction"),
        ("docs_order_probes", "states", "adiabatic", "snr_reconstruction"),
    ),
    Prediction(
        "snr_label",
        "the same for labels",
        0.0, -INFINITY, 0.1, "C16, C19",
        ("adiabatic_toy", "toy", "snr_label"),
        ("docs_order_probes", "states", "adiabatic", "snr_label"),
    ),
    Prediction(
        "snr_ratio",
        "SNR of reconstruction over SNR of labels along lag 1, everything else fitted",
        "above 1", 1.0, INFINITY, "C7, C16, C19",
        ("adiabatic_toy", "toy", "snr_ratio"),
        ("docs_order_probes", "states", "adiabatic", "snr_ratio"),
        "no upper end where the label's SNR is compatible with 0",
    ),
    Prediction(
        "proximity_index",
        "attention within a window of 2, over uniform attention, after SPT",
        "above 1.5", 1.5, INFINITY, "C10, C12, C13",
        ("reduced_flow", "toy", "proximity_index"),
        ("docs_order_probes", "proximity_index_spt", "@last"),
    ),
    Prediction(
        "proximity_index_label",
        "the same after label-only training",
        1.0, 0.75, 1.25, "C2, C5",
        ("reduced_flow", "toy", "proximity_index_label"),
        ("docs_order_probes", "proximity_index_label_only", "@last"),
        "flat only while labels stay on their plateau",
    ),
    Prediction(
        "fit_gap",
        "training accuracy of SPT minus that of labels alone, on docs-order",
        "above 0.1", 0.1, 1.0, "C19",
        transformer=("docs_order", "fit_gap"),
        note="the gap is one of optimisation, not of generalisation",
    ),
    Prediction(
        "gain_digits",
        "test accuracy of SPT minus that of labels alone, on digits (control)",
        0.0, -0.05, 0.05, "C19",
        transformer=("digits", "gain"),
        note="labels reach nearly everything at uniform attention: nothing to add",
    ),
)  # fmt: skip


def run(results: Mapping[str, Result]) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """One row per prediction; what is not stored is None."""
    return {"rows": [row(prediction, results) for prediction in PREDICTIONS]}, {}


def row(prediction: Prediction, results: Mapping[str, Result]) -> dict[str, object]:
    """The prediction beside its measurements."""
    measured = {kind: found(getattr(prediction, kind), results) for kind in ("toy", "transformer")}
    judged = [verdict(prediction, interval) for interval in measured.values() if interval is not None]
    bounds = [None if np.isinf(bound) else bound for bound in (prediction.low, prediction.high)]
    return {
        "name": prediction.name,
        "meaning": prediction.meaning,
        "prediction": prediction.value,
        "range": bounds,
        "prediction_source": prediction.source,
        **measured,
        "verdict": combined(judged),
        "note": prediction.note,
    }


def found(path: tuple[str, ...], results: Mapping[str, Result]) -> IntervalJson | None:
    """The interval at a path, or None where it is not stored."""
    if not path or path[0] not in results:
        return None
    result = results[path[0]]
    if path[-1] == "@last":
        array = result.arrays.get(path[1])
        return None if array is None else mean_interval(array[:, -1]).as_json()
    node: object = result.values
    for key in path[1:]:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else None


def verdict(prediction: Prediction, interval: IntervalJson) -> str:
    """Whether the interval lies in the predicted range; an absent bound is unbounded."""
    if interval["estimate"] is None and interval["low"] is None:
        return "undecided"
    low = -INFINITY if interval["low"] is None else float(interval["low"])
    high = INFINITY if interval["high"] is None else float(interval["high"])
    slack = 1e-9  # a share of exactly 1 may be stored as 1 + rounding
    if low >= prediction.low - slack and high <= prediction.high + slack:
        return "holds"
    return "fails" if high < prediction.low - slack or low > prediction.high + slack else "undecided"


def combined(judged: list[str]) -> str:
    """holds when all do, fails when one does."""
    if "fails" in judged:
        return "fails"
    return "holds" if judged and set(judged) == {"holds"} else "undecided"
