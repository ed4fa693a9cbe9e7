"""A call's time, and what is kept from call to call. Times are seconds of the wall clock."""

import dataclasses
import shutil
import statistics
import time
from collections.abc import Collection
from pathlib import Path

import jax
import numpy as np

from full_scale.data.dataset import Inputs
from full_scale.model import ModelConfig
from full_scale.studies.ablations_gpu.tasks import STUDIED
from full_scale.studies.ablations_gpu.units import Rows, RunValues, TaskUnits, Unit, needed
from full_scale.studies.grids import accounting, head_probes
from full_scale.studies.presets.h100 import FASTEST, PEAK, UTILISATION
from full_scale.tasks.task import load
from full_scale.training import runner, trial
from full_scale.training.checkpoint import Checkpoints
from full_scale.training.runner import Progress
from full_scale.training.trial_config import TrialConfig
from sims.runs import store
from sims.runs.store import Result, UserError, plain

_COMPILING = 30.0  # of the first run of a model and objective in a call: assumed
_EVALUATING = 5.0  # of every run, its data and checkpoints: assumed
_LEAVING = 0.05  # of a call, for the tables


class TimeBudgetExceeded(Exception):
    """The call's time is over."""


def inputs(name: str) -> Inputs:
    """The task's, or those the plan counts with where its data are not there."""
    try:
        return load(STUDIED[name].preset.data()).inputs
    except UserError:
        return STUDIED[name].inputs


def flops(unit: Unit, known: Inputs) -> float:
    """Operations of the run's own phase."""
    return accounting.cost(unit.trial, known, unit.trial.phases[-1]).total


def program(unit: Unit) -> tuple[ModelConfig, str]:
    """What is compiled once: seeds and rates share it."""
    return unit.trial.model, unit.trial.phases[-1].objective


def peak() -> float | None:
    """Dense bf16 operations per second of the device; None where it is not known."""
    kind = jax.devices()[0].device_kind
    return PEAK if any(name in kind for name in ("H100", "H200")) and "NVL" not in kind else None


class Clock:
    """Hears of every stretch of a run's steps; raises `TimeBudgetExceeded` once the call's time is over."""

    def __init__(self, budget: "Budget", unit: Unit) -> None:
        self.budget, self.per_call, self.stretches = budget, unit.trial.per_call, list[float]()
        self.reported_at, self.label = time.monotonic(), f"{unit.arm} {unit.kind}"

    def __call__(self, steps: int, accuracy: float | None) -> None:
        now = time.monotonic()
        if steps == self.per_call:
            self.stretches.append(now - self.reported_at)
        self.reported_at = now
        self.budget.report_progress(self.label, accuracy)
        if now >= self.budget.end:
            raise TimeBudgetExceeded

    def seconds_per_step(self) -> float | None:
        """Median over stretches, which leaves out compilation and evaluations; None of too few."""
        later = self.stretches[1:]
        return statistics.median(later) / self.per_call if later else None


class Budget:
    """The time of one call, and what steps have been seen to take."""

    def __init__(self, seconds: float, report: Progress | None = None) -> None:
        self.started = time.monotonic()
        self.seconds, self.report, self.begun = seconds, report, False
        self.compiled: set[tuple[ModelConfig, str]] = set()
        self.end = self.started + (1 - _LEAVING) * seconds

    def left(self) -> float:
        """Seconds that are left of this call."""
        return self.end - time.monotonic()

    def clock(self, unit: Unit) -> Clock:
        """A clock for one run, which begins now and whose program is compiled from here on."""
        self.begun = True
        self.compiled.add(program(unit))
        return Clock(self, unit)

    def report_progress(self, label: str, accuracy: float | None) -> None:
        """Progress is the share of the call's time."""
        if self.report:
            note = {} if accuracy is None else {"note": f"accuracy {accuracy:.3f}"}
            self.report(min(time.monotonic() - self.started, self.seconds), self.seconds, label, **note)

    def estimate(self, name: str, unit: Unit, steps: int, rows: Rows) -> float:
        """Seconds of so many steps: at the speed seen of the same model, of the task, or an assumed one."""
        own = flops(unit, inputs(name)) / unit.steps
        beside = _EVALUATING + (0 if program(unit) in self.compiled else _COMPILING)
        alike = [r for t, r in rows.items() if t.model == unit.trial.model and r.seconds_per_step]
        timed = alike or [r for r in rows.values() if r.seconds_per_step]
        if timed:
            rate = statistics.median(r.flops / r.steps / (r.seconds_per_step or 1) for r in timed)
            return steps * own / rate + beside
        rate = UTILISATION.get(unit.trial.model.width, 0.03) * PEAK
        return steps * max(FASTEST, own / rate) + beside

    def fits(self, name: str, unit: Unit, steps: int, rows: Rows) -> bool:
        """Whether a run fits into what is left; one too long for any call is begun first in one."""
        left = self.left()
        return left > 0 and (not self.begun or self.estimate(name, unit, steps, rows) <= left)


@dataclasses.dataclass(frozen=True)
class FinishedRun(RunValues):
    """A finished run with where it came from and what its probes saw."""

    record: dict[str, object] = dataclasses.field(kw_only=True)
    probes: dict[str, np.ndarray] = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True)
class RunStore:
    """The folder that goes from call to call."""

    folder: Path

    @property
    def trials(self) -> Path:
        """Results with models, and checkpoints."""
        return self.folder / "trials"

    def rows(self, task: TaskUnits) -> dict[TrialConfig, FinishedRun]:
        """What is known of the task's finished runs, of this code and these data."""
        finished: dict[TrialConfig, FinishedRun] = {}
        while True:  # arms have a name once their rates are chosen
            named = [unit.trial for unit in task.units(finished)]
            new = {trial: row for trial in named if trial not in finished and (row := self.row(trial))}
            if not new:
                return finished
            finished |= new

    def row(self, trial: TrialConfig) -> FinishedRun | None:
        """A finished run's values, record and probes."""
        stored = store.finished(self.folder / "rows", runner.name_of(trial), runner.expected(trial))
        if stored is None:
            return None
        values = RunValues.from_json(stored.values)
        return FinishedRun(**vars(values), record=stored.record, probes=stored.arrays)

    def add(self, unit: Unit, seconds_per_step: float | None, wall: float) -> FinishedRun | None:
        """Write a finished run's values down."""
        name, known = runner.name_of(unit.trial), load(unit.trial.task).inputs
        result = store.load(self.trials, name)
        run, arrays = trial.Values.from_json(result.values), result.arrays
        values = RunValues(
            unit.arm,
            unit.kind,
            unit.trial.seed,
            tuple(phase.optimizer.learning_rate for phase in unit.trial.phases),
            unit.steps,
            flops(unit, known),
            *(run.validation_accuracy, run.plateau_steps, run.train_accuracy, run.test_accuracy),
            training_loss=float(arrays["training_loss"][-1]),
            whole=accounting.total(unit.trial, known).as_json(),
            parameters=accounting.parameters(unit.trial.model, known)["all"],
            seconds_per_step=seconds_per_step,
            wall_seconds=round(wall, 1),
            proximity_index=float(arrays["proximity_index"][-1].mean()),
            curve=tuple(round(float(v), 4) for v in arrays["validation_accuracy"]),
        )
        probes = head_probes.probed(arrays)
        store.save(self.folder / "rows", Result(name, plain(values), probes, result.record))  # type: ignore[arg-type]
        return self.row(unit.trial)

    def has(self, trial: TrialConfig) -> bool:
        """Whether the trained model is here."""
        return runner.finished(trial, self.trials)

    def remaining(self, unit: Unit) -> int:
        """Steps of its own that a run has left."""
        folder = self.trials / "checkpoints" / runner.name_of(unit.trial)
        before = unit.trial.steps - unit.steps
        return unit.trial.steps - max(before, Checkpoints(folder).newest() or 0)

    def tidy(self, units: Collection[Unit], rows: Collection[TrialConfig]) -> None:
        """Remove models that nothing goes on from any more."""
        for unit in units:
            if unit.trial in rows and not needed(unit.trial, units, rows):
                for suffix in (".json", ".npz"):
                    (self.trials / f"{runner.name_of(unit.trial)}{suffix}").unlink(missing_ok=True)
        shutil.rmtree(self.trials / "metrics", ignore_errors=True)
