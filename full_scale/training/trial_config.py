"""What decides one training run's result, and where each of its steps belongs."""

import dataclasses

import jax
from jaxtyping import PRNGKeyArray

from full_scale.data.dataset import DataSource
from full_scale.model import ModelConfig
from full_scale.model.parts import selected
from full_scale.objectives.phases import Phase
from full_scale.training.start import Start
from sims.runs.config_validation import at_least
from sims.runs.store import UserError

_SCANNED = 32  # most steps of one compiled call: a killed run loses no more, and the host hardly waits
FEWEST = 8  # fewer steps per call would leave the device waiting for the host


@dataclasses.dataclass(frozen=True)
class TrialConfig:
    """Everything that decides one run's result."""

    task: DataSource
    model: ModelConfig
    phases: tuple[Phase, ...]
    seed: int
    """Draws initialisation, batches and masks."""
    batch: int = 50
    """Sequences per step, where a phase has no number of its own."""
    every: int = 50
    """Steps between evaluations; must divide every phase's steps."""
    snapshots: int = 1
    """Evenly spaced copies of the model kept per phase, the phase's end included."""
    probe_every: int = 0
    """Steps between probes of the scores, a multiple of `every`; 0: none."""
    start: Start | None = None
    """Another run's model, with whose parts it begins; None: all are drawn."""

    def __post_init__(self) -> None:
        at_least(1, phases=len(self.phases), every=self.every, snapshots=self.snapshots)
        for phase in self.phases:
            if phase.steps % self.every or phase.steps < self.every:
                raise UserError(
                    f"expected a phase of a multiple of {self.every} steps: got {phase.steps}; "
                    f"try {max(1, round(phase.steps / self.every)) * self.every}"
                )
            selected((*phase.reset, *phase.freeze), self.model.layers)
        if self.phases[0].reset:
            raise UserError("expected no parts to reset before the first phase, where all are fresh")
        if self.probe_every % self.every:
            raise UserError(
                f"probe_every must be a multiple of {self.every}: got {self.probe_every}; try {self.every}"
            )

    @property
    def steps(self) -> int:
        """Optimiser steps over all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def per_call(self) -> int:
        """Steps of one compiled call: the largest divisor of `every` that is not too large."""
        best = max(n for n in range(1, _SCANNED + 1) if self.every % n == 0)
        return best if best >= FEWEST else self.every

    def probed(self, step: int) -> bool:
        """Whether the scores are probed after so many steps."""
        return self.probe_every > 0 and step % self.probe_every == 0

    def keys(self) -> tuple[PRNGKeyArray, PRNGKeyArray]:
        """Keys for the initial parameters and for training."""
        initial, training = jax.random.split(jax.random.key(self.seed))
        return initial, training

    def at(self, step: int) -> tuple[int, Phase, int]:
        """(phase index, phase, step within it) of the step that follows `step` others."""
        for index, phase in enumerate(self.phases):
            if step < phase.steps:
                return index, phase, step
            step -= phase.steps
        raise ValueError(f"expected a step below {self.steps}: got one beyond by {step}")

    def prefix(self, phases: int) -> "TrialConfig":
        """The run of the first phases alone: what runs that share them can go on from."""
        return dataclasses.replace(self, phases=self.phases[:phases])

    def slot(self, step: int) -> int | None:
        """Which snapshot the model after `step` steps is, if any: 0 initial, then `snapshots` per phase."""
        if step == 0:
            return 0
        index, phase, before = self.at(step - 1)
        row, rows = (before + 1) // self.every, phase.steps // self.every
        number = row * self.snapshots // rows
        return index * self.snapshots + number if number > (row - 1) * self.snapshots // rows else None
