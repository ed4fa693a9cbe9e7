"""A diagnosis as a stage: computed, stored under the name of its data, and returned."""

from collections.abc import Callable
from pathlib import Path

from full_scale.dataset import Dataset
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data import name_of, training_command
from full_scale.diagnosis.diagnose import diagnose
from full_scale.model import ModelConfig
from sims import store
from sims.keys import stage_key


def diagnosed(
    dataset: Dataset, data: str, model: ModelConfig, config: DiagnosisConfig, folder: Path,
    *, seed: int, command: str, report: Callable,
) -> store.Result:  # fmt: skip
    """The diagnosis of a data set, stored under the name of what the user gave as `data`."""
    name = name_of(data)
    found = diagnose(
        dataset, model, config, key=stage_key("diagnose", seed), folder=folder / "fits", report=report,
        jobs=None, command=training_command(data),
    )  # fmt: skip
    record = store.provenance(config, command=f"{command} {name}", seed=seed)
    result = store.Result(name, store.plain(found.values), found.arrays, record)
    store.save(folder, result)
    return result
