"""The stored runs with and without pretraining that a gain is measured between, seed by seed."""

import dataclasses
import json
from collections.abc import Sequence

import numpy as np

from full_scale.export.stored_runs import StoredRun
from sims.runs.errors import UserError
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval


@dataclasses.dataclass(frozen=True)
class ArmRuns(Stored):
    """One arm's runs, in the order of their seeds."""

    test: tuple[float, ...]
    train: tuple[float, ...]
    plateau_steps: tuple[int | None, ...]
    """First step with a validation accuracy of 75 %; None: never."""
    steps: int
    """Optimiser steps, pretraining included."""

    @property
    def mean(self) -> float:
        """Mean test accuracy."""
        return float(np.mean(self.test))


@dataclasses.dataclass(frozen=True)
class Pair:
    """Runs of both arms on the same data, model and seeds."""

    labels: tuple[StoredRun, ...]
    spt: tuple[StoredRun, ...]

    @property
    def gain(self) -> Interval:
        """Test accuracy of SPT less that of labels alone, paired by seed; Student's t."""
        scores = lambda runs: np.array([run.values.test_accuracy for run in runs])
        return mean_interval(scores(self.spt) - scores(self.labels))


def summary(runs: Sequence[StoredRun]) -> ArmRuns:
    """What an arm's runs reached."""
    values = [run.values for run in runs]
    return ArmRuns(
        tuple(each.test_accuracy for each in values),
        tuple(each.train_accuracy for each in values),
        tuple(each.plateau_steps for each in values),
        values[0].steps,
    )


def paired(runs: Sequence[StoredRun], train_command: str) -> Pair:
    """The settings of each arm with most seeds in common, then the best validation accuracy. Raises UserError."""
    by_arm: dict[str, dict[str, dict[int, StoredRun]]] = {"labels": {}, "spt": {}}
    for run in runs:
        if (arm := _arm(run)) is not None:
            settings = {name: each for name, each in run.record["config"].items() if name != "seed"}
            group = by_arm[arm].setdefault(json.dumps(settings, sort_keys=True), {})
            group[run.record["config"]["seed"]] = run
    pairs = [
        Pair(tuple(alone[seed] for seed in seeds), tuple(spt[seed] for seed in seeds))
        for alone in by_arm["labels"].values()
        for spt in by_arm["spt"].values()
        if (seeds := sorted(alone.keys() & spt.keys())) and _model(alone) == _model(spt)
    ]
    if not pairs:
        counts = " and ".join(f"{sum(map(len, by_arm[arm].values()))} {words}" for arm, words in
                              (("labels", "on labels alone"), ("spt", "with pretraining")))  # fmt: skip
        raise UserError(
            f"expected runs of both arms on the same seeds: got {counts}; train them: {train_command}"
        )
    return max(pairs, key=lambda pair: (len(pair.labels), _validation(pair)))


def _arm(run: StoredRun) -> str | None:
    """labels: one phase with labels; spt: pretraining, then labels, with nothing drawn anew or kept fixed."""
    phases = run.phases
    plain = not any(phase["reset"] or phase["freeze"] or phase["frozen_uniform"] for phase in phases)
    if not plain or run.record["config"].get("start") or phases[-1]["objective"] != "labels":
        return None
    return {(1, 0): "labels", (2, 1): "spt"}.get((len(phases), run.pretraining))


def _model(group: dict[int, StoredRun]) -> object:
    """Settings of the model."""
    return next(iter(group.values())).record["config"]["model"]


def _validation(pair: Pair) -> float:
    """Mean validation accuracy of both arms."""
    return float(np.mean([run.values.validation_accuracy for run in (*pair.labels, *pair.spt)]))
