"""The stored runs of a study as models to give away: which there are, which is best, and what is written of it."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from full_scale.model import ModelConfig
from full_scale.model.weights_file import Weights, names, settings
from full_scale.training.trial import Values
from sims.runs import store
from sims.runs.errors import UserError

At = Literal["pretraining", "end"]
_PRETRAINING = ("reconstruction", "next_token")
_MOST_LISTED = 40


@dataclasses.dataclass(frozen=True)
class StoredRun:
    """A training run that lies in a folder of results."""

    path: Path
    """Its JSON; the arrays lie beside it."""
    values: Values
    record: Mapping[str, Any]

    @property
    def phases(self) -> Sequence[Mapping[str, Any]]:
        """Settings of each phase."""
        return self.record["config"]["phases"]

    @property
    def pretraining(self) -> int:
        """How many phases read no label, from the first on."""
        reads = [phase["objective"] not in _PRETRAINING for phase in self.phases]
        return reads.index(True) if True in reads else len(reads)

    @property
    def name(self) -> str:
        """Name of the file without its ending."""
        return self.path.stem

    def described(self) -> str:
        """One line: name, phases, seed, accuracies."""
        phases = ", ".join(f"{each['steps']} {each['objective']}" for each in self.phases)
        return (
            f"{self.name}: {phases}; seed {self.record['config']['seed']}; validation "
            f"{self.values.validation_accuracy:.3f}, test {self.values.test_accuracy:.3f}"
        )

    def slot(self, at: At) -> int:
        """Number of the snapshot at the end of pretraining, or of all phases."""
        phases = self.pretraining if at == "pretraining" else len(self.phases)
        return phases * self.record["config"]["snapshots"]

    def weights(self, at: At) -> Weights:
        """The model at the end of its pretraining, or of all its phases.

        Raises
        ------
        UserError
            For a run that did not pretrain, whose attention was frozen, or that a version stored which did not
            keep what its tokens are.
        """
        self.require(at)
        config, inputs = settings(ModelConfig, self.record["config"]["model"]), self.values.inputs
        arrays, slot = store.load(self.path.parent, self.name).arrays, self.slot(at)
        assert inputs is not None
        tensors = {name: arrays[f"model_{n}"][slot] for n, name in enumerate(names(config, inputs))}
        if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
            raise UserError(f"expected finite parameters in {self.name}: got others; name another run")
        return Weights(config, inputs, tensors, self.about(at))

    def require(self, at: At) -> None:
        """Raise UserError where there is no such model."""
        if self.values.inputs is None:
            raise UserError(
                f"expected a run that keeps what its tokens are: {self.name} is of an earlier version; "
                f"train it again: {self.record.get('command', 'sptlab train run')}"
            )
        phases = self.phases[: self.pretraining] if at == "pretraining" else self.phases
        if not phases:
            raise UserError(f"expected a run with pretraining: {self.name} has none; add --at end")
        if any(phase["frozen_uniform"] for phase in phases):
            raise UserError(
                f"expected a run whose attention was trained: in {self.name} it was frozen uniform; name another"
            )

    def about(self, at: At) -> dict[str, object]:
        """What the written config says of where the model comes from."""
        values = self.values
        return {
            "class_names": values.class_names or (),
            "run": self.name,
            "at": at,
            "data": values.data,
            "phases": self.phases,
            "seed": self.record["config"]["seed"],
            "accuracy_at_the_end": {"validation": values.validation_accuracy, "test": values.test_accuracy},
            **{name: self.record.get(name) for name in ("command", "commit", "versions", "device")},
        }


def stored_runs(where: Path) -> list[StoredRun]:
    """Every training run below a folder, or the one that a file names; by name. Raises UserError without any."""
    one = where.with_suffix(".json") if where.suffix == ".npz" else where
    files = sorted(one.rglob("*.json")) if one.is_dir() else [one] * one.is_file()
    runs = list(_runs_among(files))
    if not runs:
        raise UserError(
            f"expected training runs below {where}, found none; name the --out of a study or of "
            "`sptlab train run`, or one file in its checkpoints/trials"
        )
    return sorted(runs, key=lambda run: run.name)


def _runs_among(files: Sequence[Path]) -> Iterator[StoredRun]:
    """Those of the files that hold a training run."""
    for path in files:
        try:
            content = json.loads(path.read_bytes())
            phases = content["record"]["config"]["phases"]
            values = Values.from_json(content["values"])
        except (OSError, ValueError, KeyError, TypeError, UserError):
            continue
        if phases and path.with_suffix(".npz").is_file():
            yield StoredRun(path, values, content["record"])


def on_one_data_set(
    runs: Sequence[StoredRun], task: str | None = None, data: str | None = None
) -> list[StoredRun]:
    """The runs of this task on data of this hash. Raises UserError where several sets, or none, are left."""
    chosen = [run for run in runs if task in (None, run.values.data.task)]
    chosen = [run for run in chosen if run.values.data.sha256.startswith(data or "")]
    sets = sorted({(run.values.data.task, run.values.data.sha256[:8]) for run in chosen or runs})
    listed = ", ".join(f"{name} {sha}" for name, sha in sets)
    if not chosen:
        asked = " ".join(each for each in (task, data) if each)
        raise UserError(f"expected runs on {asked}: got those on {listed}; name one of these")
    if len(sets) > 1:
        tasks = len({name for name, _ in sets})
        flag = f"--task {sets[0][0]}" if tasks > 1 else f"--data {sets[0][1]}"
        raise UserError(f"expected runs on one data set: got {listed}; add {flag}, for example")
    return chosen


def best(runs: Sequence[StoredRun], at: At) -> StoredRun:
    """The run with the best validation accuracy after labels, among those that have such a model. Raises UserError."""
    fit = [run for run in runs if not _refusal(run, at)]
    if not fit:
        raise _refusal(runs[0], at) or UserError("no run")
    return max(fit, key=lambda run: (run.pretraining < len(run.phases), run.values.validation_accuracy))


def _refusal(run: StoredRun, at: At) -> UserError | None:
    """Why a run has no such model."""
    try:
        run.require(at)
    except UserError as error:
        return error
    return None


def listed(runs: Sequence[StoredRun]) -> list[str]:
    """A line for each, the best first."""
    ordered = sorted(runs, key=lambda run: -run.values.validation_accuracy)
    more = len(runs) - _MOST_LISTED
    return [run.described() for run in ordered[:_MOST_LISTED]] + ([f"and {more} more"] if more > 0 else [])
