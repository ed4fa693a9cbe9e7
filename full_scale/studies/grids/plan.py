"""The runs of one grid on one task: all arms but the `longer` ones take equally many optimiser steps."""

import dataclasses
from typing import Literal

from full_scale.objectives.phases import Objective, Phase
from full_scale.probes.held_out import interval
from full_scale.studies.grids.variants import SPT, Variant
from full_scale.studies.presets.preset import Preset, Stage
from full_scale.tasks.task import Task, load
from full_scale.training.start import Start
from full_scale.training.trial import TrialConfig
from sims.runs.config_validation import at_least

Probing = int | Literal["auto"]


def require_probing(every: Probing) -> None:
    """Raise UserError for an interval that is none."""
    if every != "auto":
        at_least(0, probe_every=every)


@dataclasses.dataclass(frozen=True)
class GridPlan:
    """Arms, seeds and sizes."""

    preset: Preset
    task: Task
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    steps: int | None = None
    rates: tuple[float, ...] = ()
    probe_every: Probing = 0
    """Steps between probes of the scores; auto: so many that they take little of the time; 0: none."""
    tuned_arms: tuple[Variant, ...] | None = None
    """The arms whose rate is chosen; the others take labels alone's, or SPT's. None: `tuned` says which."""
    start: Start | None = None
    """The model that the arm `started` begins with."""

    def stretches(self) -> tuple[int, int]:
        """Steps of pretraining and of labels."""
        every = self.preset.every
        if self.steps is None:
            size = len(load(self.task).train)
            return self.preset.pretraining.count(size, every), self.preset.labels.count(size, every)
        before = max(1, round(self.steps * 2 / 3 / every)) * every
        return before, max(1, round((self.steps - before) / every)) * every

    def phases(self, variant: Variant, rate: float | None) -> tuple[Phase, ...]:
        """The arm's phases; their steps are the same for every arm that is not `longer`."""
        before, after = self.stretches()
        chosen = self.preset
        alone = dataclasses.replace(chosen.labels, optimizer=chosen.label_only or chosen.labels.optimizer)
        masks = dict(masking=chosen.masking)
        if variant.both:
            return (self.phase(chosen.pretraining, "both", before + after, rate, **masks),)
        if not variant.pretrained:
            alone = chosen.labels if variant.started else alone
            if variant.weight_decay is not None:
                slower = dataclasses.replace(alone.optimizer, weight_decay=variant.weight_decay)
                alone = dataclasses.replace(alone, optimizer=slower)
            steps = variant.rounds * (before + after)
            return (self.phase(alone, "labels", steps, rate, freeze=variant.freeze),)
        options = dict(reset=variant.reset, freeze=variant.freeze)
        return (
            self.phase(chosen.pretraining, "reconstruction", before, rate, **masks),
            self.phase(chosen.labels, "labels", before + after if variant.longer else after, rate, **options),
        )

    def phase(self, stage: Stage, objective: Objective, steps: int, rate: float | None, **more) -> Phase:
        """A stage as a phase, at another rate if one is given."""
        if rate is not None:
            optimizer = dataclasses.replace(stage.optimizer, learning_rate=rate)
            stage = dataclasses.replace(stage, optimizer=optimizer)
        own = None if stage.batch == self.preset.labels.batch else stage.batch
        return stage.phase(objective, steps, batch=own, **more)

    def trial(self, variant: Variant, seed: int, rate: float | None = None) -> TrialConfig:
        """One run of an arm."""
        model = dataclasses.replace(self.preset.model, **dict(variant.changes))
        phases = self.phases(variant, rate)
        batch_and_every = (self.preset.labels.batch, self.preset.every)
        start = self.start if variant.started else None
        probing = self.probing(phases)
        return TrialConfig(self.task, model, phases, seed, *batch_and_every, probe_every=probing, start=start)

    def probing(self, phases: tuple[Phase, ...]) -> int:
        """Steps between probes: with `auto`, as many as the smallest batch needs."""
        if self.probe_every != "auto":
            return self.probe_every
        return interval(min(phase.batch or self.preset.labels.batch for phase in phases), self.preset.every)

    def tuned(self) -> list[Variant]:
        """The arms whose rate is chosen: those with training of their own; what transfers takes SPT's."""
        if self.tuned_arms is not None:
            return list(self.tuned_arms)
        return [v for v in self.variants if not v.pretrained or v == SPT]
