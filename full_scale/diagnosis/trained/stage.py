"""Stored runs of a data set to the explanation of their gain, stored under the name of the data."""

from pathlib import Path
from typing import Any

import jax

from full_scale.data.dataset import Dataset
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.devices.precision import single_precision
from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.data import name_of, training_command
from full_scale.diagnosis.trained.arms import paired, summary
from full_scale.diagnosis.trained.causes import TrainedDiagnosis, explained
from full_scale.diagnosis.trained.hidden_tokens import hidden_losses
from full_scale.export.stored_runs import StoredRun, stored_runs
from full_scale.model.weights_file import settings
from full_scale.objectives.masking import Masking
from full_scale.objectives.phases import Phase
from sims.runs import store
from sims.runs.errors import UserError
from sims.runs.keys import stage_key


def explain(
    dataset: Dataset, data: str, trained: Path, lines: Thresholds, folder: Path,
    *, seed: int, command: str, columns: Columns = DEFAULT,
) -> TrainedDiagnosis:  # fmt: skip
    """Why the gain of the runs below `trained` is what it is. Raises UserError where there are none on these data."""
    train = training_command(data, columns)
    pair = paired(_on(dataset, data, stored_runs(trained), train), train)
    with single_precision():
        models = [run.weights("pretraining").transformer() for run in pair.spt]
    phase, key = _phase(pair.spt[0]), stage_key("trained", seed)
    hidden = hidden_losses(models, phase, dataset, key=jax.random.fold_in(key, 0))
    arms = summary(pair.labels), summary(pair.spt)
    values = explained(dataset.describe(), pair.gain, *arms, hidden, lines, train)
    record = store.provenance(lines, command=f"{command} {name_of(data)} --trained {trained.name}", seed=seed)
    store.save(folder, store.Result(f"{name_of(data)}-trained", store.plain(values), {}, record))  # type: ignore[arg-type]
    return values


def _on(dataset: Dataset, data: str, runs: list[StoredRun], train: str) -> list[StoredRun]:
    """The runs on exactly these data."""
    sha = dataset.sha256()
    same = [run for run in runs if run.values.data.sha256 == sha]
    if not same:
        sets = ", ".join(sorted({f"{run.values.data.task} {run.values.data.sha256[:8]}" for run in runs}))
        raise UserError(
            f"expected runs on the sequences of {data} (hash {sha[:8]}): got runs on {sets}; train them: {train}"
        )
    return same


def _phase(run: StoredRun) -> Phase:
    """The phase that pretrained; its optimiser does not matter here."""
    content: Any = run.phases[0]
    return Phase(content["objective"], content["steps"], masking=settings(Masking, content["masking"]))
