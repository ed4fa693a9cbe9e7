"""One run of an arm: training's own steps, few of them, and which held-out rows it then answers rightly."""

import dataclasses
from collections.abc import Callable
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool

from full_scale.data.dataset import Dataset
from full_scale.data.splits import for_pretraining, held_out
from full_scale.diagnosis.config import PilotConfig
from full_scale.model import ModelConfig, Transformer
from full_scale.objectives.batch_loss import Data
from full_scale.objectives.masking import Masking
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.objectives.phases import Objective, Phase
from full_scale.training.step import advance, begin
from sims.runs.errors import UserError

ARMS = ("labels", "spt")
Arm = Literal["labels", "spt", "joint", "blocks", "channels"]
_MASKS: dict[str, Masking] = {kind: Masking(kind=kind) for kind in ("blocks", "channels")}
LONG = 256  # tokens from which a batch is smaller still
_SHARE, _BATCH, _LONG_BATCH = 0.5, 0.5, 0.25  # of the user's steps and batch
_PER_CALL, _WARMUP, _CLIP = 50, 0.2, 1.0
_PEAKS = 0.008, 0.02  # at width 32
_ROWS, _TOKENS = 200, 2**18  # answered at once
_LOWER, _ATTEMPTS = 0.25, 3  # of the rate, after a run that left the finite numbers


@dataclasses.dataclass(frozen=True)
class Plan:
    """What every run of a pilot is."""

    steps: int
    """Optimiser steps."""
    batch: int
    """Sequences per step."""
    rates: tuple[float, ...]
    """Peak learning rates, of which each arm takes its better; gradients are bounded, so that few steps go far."""

    @classmethod
    def of(cls, config: PilotConfig, model: ModelConfig, length: int) -> "Plan":
        """As the config says, else by the user's steps, the model's width and the length."""
        share = int(_SHARE * config.user_steps)
        steps = config.steps or max(3, share // (2 * _PER_CALL) * 2 * _PER_CALL or share)
        batch = config.batch or max(1, round(config.user_batch * (_LONG_BATCH if length >= LONG else _BATCH)))
        scale = float(min(1.0, 32 / model.width) / np.sqrt(model.layers))
        given = config.learning_rate
        return cls(steps, batch, (given,) if given else tuple(scale * peak for peak in _PEAKS))

    @property
    def per_call(self) -> int:
        """Steps of one compiled call: as many as divide both phases' steps."""
        return int(np.gcd.reduce([self.steps - self.last, self.last, _PER_CALL]))

    @property
    def last(self) -> int:
        """Steps with labels after pretraining: half, about as many as the user's third holds."""
        half = self.steps // 2
        return half // _PER_CALL * _PER_CALL or half


@dataclasses.dataclass(frozen=True)
class Trained:
    """What is kept of a run."""

    arm: str
    """labels, spt, or a remedy's name."""
    seed: int
    """Draws initialisation, batches and masks."""
    rate: float
    """Peak learning rate at which it stayed finite."""
    accuracy: float
    """On held-out rows."""
    right: Bool[np.ndarray, " row"]
    """Whether each held-out row is answered rightly."""


class Pools(NamedTuple):
    """What training draws its batches from."""

    labelled: Data
    every: Data
    """Also what has no label."""

    def read_by(self, phase: Phase) -> Data:
        """All sequences where a phase reads no label."""
        return self.every if phase.pretrains else self.labelled


class Diverged(ArithmeticError):
    """A loss that is no number."""


def run(
    arm: Arm,
    dataset: Dataset,
    model: ModelConfig,
    plan: Plan,
    seed: int,
    peak: float,
    *,
    name: str = "",
    change: Callable[[Transformer], Transformer] = lambda model: model,
    report: Callable[[int], None] = lambda steps: None,
) -> Trained:
    """Train an arm at a peak rate and answer the held-out rows; at a lower one where a loss is no number.

    `change` alters the initial weights. Raises UserError where no rate stays finite.
    """
    keys = jax.random.split(jax.random.key(seed))
    start = change(eqx.filter_jit(Transformer)(model, dataset.inputs, key=keys[0]))
    held = Data.of(held_out(dataset))
    pools = Pools(Data.of(dataset.train), Data.of(for_pretraining(dataset)))
    for attempt in range(_ATTEMPTS):
        rate = peak * _LOWER**attempt
        try:
            trained = through(
                start,
                phases(arm, plan, rate, model.causal),
                pools,
                plan.batch,
                plan.per_call,
                keys[1],
                report,
            )
        except Diverged:
            report = lambda steps: None  # its steps are counted already
        else:
            right = np.asarray(answered(trained, held))
            return Trained(name or arm, seed, rate, float(right.mean()), right)
    raise UserError(
        f"expected the pilot of {name or arm} to stay finite: got infinite or undefined losses at learning "
        f"rates {peak:.2g} to {rate:.2g}; look for extreme values in the data, or try "
        f"--pilot.learning-rate {rate * _LOWER:.1g}"
    )


@eqx.filter_jit
def answered(model: Transformer, data: Data) -> Bool[Array, " row"]:
    """Whether each row's largest logit is its label's, in chunks that keep memory small."""
    chunk = max(1, min(_ROWS, _TOKENS // model.inputs.length))
    one = lambda row: model.label_logits(row.tokens, row.lengths).argmax() == row.labels
    return jax.lax.map(one, data, batch_size=chunk)


def phases(arm: Arm, plan: Plan, rate: float, causal: bool) -> tuple[Phase, ...]:
    """The arm's phases: both arms take equally many steps. A causal model pretrains on the next token."""
    optimizer = OptimizerConfig(rate, _WARMUP, clip=_CLIP)
    if arm == "labels":
        return (Phase("labels", plan.steps, optimizer),)
    if arm == "joint":
        return (Phase("both", plan.steps, optimizer),)
    hidden: Objective = "next_token" if causal else "reconstruction"
    masking = _MASKS.get(arm, Masking())
    before = Phase(hidden, plan.steps - plan.last, optimizer, masking=masking)
    return before, Phase("labels", plan.last, optimizer)


def through(
    model: Transformer,
    phases: tuple[Phase, ...],
    pools: Pools,
    batch: int,
    per_call: int,
    key: jax.Array,
    report: Callable[[int], None] = lambda steps: None,
) -> Transformer:
    """The model after all phases, `per_call` steps in one compiled call. Raises Diverged."""
    for index, phase in enumerate(phases):
        state, (_, static) = begin(model, phase), eqx.partition(model, eqx.is_array)
        data = pools.read_by(phase)
        for _ in range(0, phase.steps, per_call):
            of_phase = dict(key=jax.random.fold_in(key, index))
            state, losses = advance(state, static, phase, data, batch, per_call, **of_phase)
            if not np.isfinite(np.asarray(losses)).all():
                raise Diverged
            report(per_call)
        model = eqx.combine(state.model, static)
    return model
