"""What probes saw along the training of a grid's arms, by layer and head: rows without a prediction.

Predictions are stated at the initialisation and at the adiabatic point; here each head stands as it was at
the first and at the last probe of every arm.
"""

import dataclasses
from collections.abc import Iterator, Mapping

from full_scale.comparison.rows import Row
from full_scale.studies import ablations, ablations_gpu, grids
from full_scale.studies.ablations_gpu.table import TaskTable
from full_scale.studies.grids.head_probes import ByHead
from sims.runs.store import Result

_MEANINGS = {
    "proximity_index": "attention within a window of 2, over uniform attention",
    "visible_share_label": "key-bias share of the label gradient's energy",
    "visible_share_reconstruction": "key-bias share of the reconstruction gradient's energy",
    "proximity_alignment_label": "cosine of minus the label gradient with the law of the layer's input",
    "proximity_alignment_reconstruction": "cosine of minus the reconstruction gradient with that law",
    "snr_label": "SNR per sequence of the label gradient along lag 1",
    "snr_reconstruction": "SNR per sequence of the reconstruction gradient along lag 1",
    "snr_ratio": "SNR of reconstruction over SNR of labels along lag 1",
}
_SUFFIX = ", training"
_STUDIES: dict[str, type[ablations.Values | ablations_gpu.Values]] = {
    "cpu_study": ablations.Values,
    "gpu_study": ablations_gpu.Values,
}  # grids by task


def rows(results: Mapping[str, Result]) -> list[Row]:
    """One row per name, arm, probe, layer and head, a name's rows together."""
    unsorted = [row for name, result in results.items() for row in _of_result(name, result)]
    return sorted(unsorted, key=lambda row: list(_MEANINGS).index(row.name.removesuffix(_SUFFIX)))


def grids_in(name: str, result: Result) -> list[grids.Values | TaskTable]:
    """The grids that a result holds: itself, or those of a study's tasks."""
    if name in _STUDIES:
        return list((_STUDIES[name].from_json(result.values).tasks or {}).values())
    return [grids.Values.from_json(result.values)] if {"shares", "data"} <= result.values.keys() else []


def _of_result(name: str, result: Result) -> Iterator[Row]:
    for grid in grids_in(name, result):
        for arm, probes in (grid.probes or {}).items():
            for measured, step in zip((probes.first, probes.last), probes.steps, strict=True):
                where = Row(
                    "", grid.data.task, f"{arm}, step {step}", None, None, name, toy=None, transformer=None
                )
                yield from _of_state(measured, where)


def _of_state(measured: Mapping[str, ByHead], where: Row) -> Iterator[Row]:
    """Every name's layers and heads at one probe."""
    for name, layers in measured.items():
        named = dataclasses.replace(where, name=f"{name}{_SUFFIX}", meaning=_MEANINGS[name])
        for layer, heads in enumerate(layers):
            for head, interval in enumerate(heads):
                yield dataclasses.replace(named, layer=layer, head=head, transformer=interval)
