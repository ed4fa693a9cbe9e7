"""What probes saw along the training of a grid's arms, by layer and head: rows without a prediction.

Predictions are stated at the initialisation and at the adiabatic point; here each head stands as it was at
the first and at the last probe of every arm.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sims.store import Result

MEANINGS = {
    "proximity_index": "attention within a window of 2, over uniform attention",
    "visible_share_label": "key-bias share of the label gradient's energy",
    "visible_share_reconstruction": "key-bias share of the reconstruction gradient's energy",
    "proximity_alignment_label": "cosine of minus the label gradient with the law of the layer's input",
    "proximity_alignment_reconstruction": "cosine of minus the reconstruction gradient with that law",
    "snr_label": "SNR per sequence of the label gradient along lag 1",
    "snr_reconstruction": "SNR per sequence of the reconstruction gradient along lag 1",
    "snr_ratio": "SNR of reconstruction over SNR of labels along lag 1",
}
SUFFIX = ", training"
STUDIES = ("cpu_study", "gpu_study")  # grids by task
UNJUDGED: dict[str, object] = {
    "prediction": "none", "range": [None, None], "prediction_source": "", "toy": None, "verdicts": {},
    "verdict": "", "note": "",
}  # fmt: skip


def rows(results: Mapping[str, Result]) -> list[dict[str, object]]:
    """One row per name, arm, probe, layer and head, a name's rows together."""
    found = [row for name, result in results.items() for row in of_result(name, result)]
    return sorted(found, key=lambda row: list(MEANINGS).index(str(row["name"]).removesuffix(SUFFIX)))


def of_result(result: str, stored: Result) -> Iterator[dict[str, object]]:
    """Those of a grid; of the GPU study's tasks each."""
    values: Any = stored.values
    grids = values["tasks"].values() if result in STUDIES else [values] if "shares" in values else []
    for grid in grids:
        for arm, probes in grid.get("probes", {}).items():
            for when, step in zip(("first", "last"), probes["steps"], strict=True):
                place = {"task": grid["data"]["task"], "setting": f"{arm}, step {step}", "result": result}
                yield from of_state(probes[when], place)


def of_state(measured: Mapping[str, Any], place: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Every name's layers and heads at one probe."""
    for name, layers in measured.items():
        for layer, heads in enumerate(layers):
            for head, interval in enumerate(heads):
                where = {"layer": layer, "head": head, "transformer": interval}
                yield {"name": f"{name}{SUFFIX}", "meaning": MEANINGS[name], **place, **where, **UNJUDGED}
