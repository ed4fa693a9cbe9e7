"""The study's runs one by one, the most important first: what chooses rates, the four core arms, the rest.

A run is one phase: pretraining is a run of its own, from which the arms of a seed go on.
"""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Literal

from full_scale.studies.ablations_gpu.tasks import STUDIED
from full_scale.studies.grids.plan import GridPlan, Probing
from full_scale.studies.grids.tuning import TUNING_SEED
from full_scale.studies.grids.variants import LABEL_ONLY, NO_QK, PRIORS, QK_ONLY, SPT, Variant, depths
from full_scale.training.trial_config import TrialConfig
from sims.runs.typed import Stored

Kind = Literal["tuning", "pretraining", "arm"]
CORE = (LABEL_ONLY, SPT, QK_ONLY, NO_QK)


@dataclasses.dataclass(frozen=True)
class RunValues(Stored):
    """What is kept of a finished run."""

    arm: str
    kind: str
    seed: int
    learning_rates: tuple[float, ...]
    """By phase."""
    steps: int
    """Of its own last phase, as are `flops`."""
    flops: float
    validation_accuracy: float
    plateau_steps: int | None
    train_accuracy: float
    test_accuracy: float
    training_loss: float
    whole: dict[str, float | int]
    """The cost of all its phases."""
    parameters: int
    seconds_per_step: float | None
    wall_seconds: float
    proximity_index: float
    curve: tuple[float, ...]
    """Validation accuracy by evaluation."""


Rows = Mapping[TrialConfig, RunValues]


@dataclasses.dataclass(frozen=True)
class Unit:
    """One training run of the study."""

    kind: Kind
    arm: str
    trial: TrialConfig

    @property
    def source(self) -> TrialConfig | None:
        """The run that this one goes on from."""
        return self.trial.prefix(1) if len(self.trial.phases) > 1 else None

    @property
    def steps(self) -> int:
        """Optimiser steps of its own last phase, without the pretraining that it shares."""
        return self.trial.phases[-1].steps


@dataclasses.dataclass(frozen=True)
class TaskUnits:
    """All training runs of one task."""

    name: str
    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    layers: tuple[int, ...]
    """Depths of the label-only arms."""
    steps: int | None = None
    probe_every: Probing = "auto"

    @property
    def plan(self) -> GridPlan:
        """The arms as configs."""
        chosen = STUDIED[self.name]
        task = chosen.preset.data()
        steps = self.steps or chosen.steps
        return GridPlan(chosen.preset, task, (), self.seeds, steps, probe_every=self.probe_every)

    def substitutes(self) -> tuple[Variant, ...]:
        """The arms beside the core."""
        base = STUDIED[self.name].preset.model.layers
        return (*PRIORS, *depths(tuple(depth for depth in self.layers if depth != base)))

    def trial(self, variant: Variant, seed: int, rate: float) -> TrialConfig:
        """A run whose label phase has this rate."""
        base = self.plan.trial(variant, seed)
        last = base.phases[-1]
        optimizer = dataclasses.replace(last.optimizer, learning_rate=rate)
        phases = (*base.phases[:-1], dataclasses.replace(last, optimizer=optimizer))
        return dataclasses.replace(base, phases=phases)

    def tuning(self) -> list[Unit]:
        """Every rate of the label phase, for labels alone and after pretraining, on a seed of its own."""
        cells = [(variant, rate) for variant in (LABEL_ONLY, SPT) for rate in self.rates]
        return [Unit("tuning", v.name, self.trial(v, TUNING_SEED, rate)) for v, rate in cells]

    def best(self, rows: Rows, guess: bool = False) -> dict[str, float] | None:
        """Each arm's rate by validation accuracy, then training loss; None until all are tried."""
        rates: dict[str, float] = {}
        for arm in (LABEL_ONLY.name, SPT.name):
            tried = [unit.trial for unit in self.tuning() if unit.arm == arm]
            if all(trial in rows for trial in tried):
                score = lambda t: (rows[t].validation_accuracy, -rows[t].training_loss)
                rates[arm] = max(tried, key=score).phases[-1].optimizer.learning_rate
            elif guess:
                rates[arm] = self.rates[len(self.rates) // 2]
            else:
                return None
        return rates

    def arms(self, rates: Mapping[str, float]) -> list[Unit]:
        """Core arms seed by seed, then the substitutes; what does not pretrain has labels alone's rate."""
        core = [(variant, seed) for seed in self.seeds for variant in CORE]
        rest = [(variant, seed) for variant in self.substitutes() for seed in self.seeds]
        of = lambda variant: rates[SPT.name if variant.pretrained else LABEL_ONLY.name]
        return [Unit("arm", v.name, self.trial(v, seed, of(v))) for v, seed in (*core, *rest)]

    def units(self, rows: Rows, guess: bool = False) -> list[Unit]:
        """All runs that can be named by now, in order; pretraining before the first that needs it."""
        rates = self.best(rows, guess)
        ordered: dict[TrialConfig, Unit] = {}
        for unit in (*self.tuning(), *([] if rates is None else self.arms(rates))):
            if unit.source is not None:
                ordered.setdefault(unit.source, Unit("pretraining", SPT.name, unit.source))
            ordered.setdefault(unit.trial, unit)
        return list(ordered.values())


def needed(source: TrialConfig, units: Collection[Unit], rows: Collection[TrialConfig]) -> bool:
    """Whether a run that goes on from this one is still to be done."""
    return any(unit.source == source and unit.trial not in rows for unit in units)
