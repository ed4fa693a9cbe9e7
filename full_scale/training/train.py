"""Training in phases (reconstruction, labels), resumable at any moment to the bitwise same result.

Step n draws its batch and masks from fold_in(key, n), so that nothing but the state must be kept.
Unit of time: optimiser steps.
"""

import dataclasses
from functools import partial
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from full_scale.model import Transformer
from full_scale.training.losses import draw_mask, label_loss, reconstruction_loss
from sims.store import UserError

Objective = Literal["labels", "reconstruction"]


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with linear warm-up to a peak and cosine decay to 0."""

    learning_rate: float = 1e-3
    """Peak learning rate."""
    warmup: float = 0.1
    """Share of the phase's steps spent warming up."""
    weight_decay: float = 0.01
    """Decoupled weight decay, on all parameters."""

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise UserError(f"learning rate must be positive: got {self.learning_rate}; try 1e-3")
        if not 0 <= self.warmup < 1:
            raise UserError(f"warmup is a share of the steps, in [0, 1): got {self.warmup}; try 0.1")


@dataclasses.dataclass(frozen=True)
class Phase:
    """One stretch of training under one objective, with a fresh optimiser."""

    objective: Objective
    steps: int
    optimizer: OptimizerConfig = OptimizerConfig()
    frozen_uniform: bool = False
    """Attention frozen uniform in every layer (the adiabatic point of C19)."""


class Schedule(eqx.Module):
    """Linear warm-up over `warm` steps to `peak`, then cosine decay to 0 at `steps`.

    Its numbers are traced, so that one compiled program serves every setting of a sweep (optax's own
    schedules branch on theirs in Python).
    """

    peak: Float[Array, ""]
    warm: Float[Array, ""]
    steps: Float[Array, ""]
    weight_decay: Float[Array, ""]

    @classmethod
    def of(cls, phase: "Phase") -> "Schedule":
        """The phase's schedule."""
        config = phase.optimizer
        warm = round(config.warmup * phase.steps)
        numbers = config.learning_rate, warm, phase.steps, config.weight_decay
        return cls(*(jnp.asarray(number, jnp.float32) for number in numbers))

    def rate(self, step: Int[Array, ""]) -> Float[Array, ""]:
        """Learning rate of a step."""
        time = step.astype(jnp.float32)
        decay = (time - self.warm) / jnp.maximum(self.steps - self.warm, 1)
        falling = 0.5 * (1 + jnp.cos(jnp.pi * jnp.clip(decay, 0, 1)))
        return self.peak * jnp.where(time < self.warm, time / jnp.maximum(self.warm, 1), falling)

    def optimizer(self) -> optax.GradientTransformation:
        """AdamW with this schedule."""
        return optax.adamw(self.rate, weight_decay=self.weight_decay)


class TrainState(eqx.Module):
    """Everything that changes while a phase runs; `model` holds arrays only."""

    model: PyTree
    optimizer: PyTree
    step: Int[Array, ""]


def batch_loss(
    model: Transformer,
    objective: Objective,
    frozen_uniform: bool,
    tokens: Array,
    labels: Array,
    *,
    key: PRNGKeyArray,
) -> Float[Array, ""]:
    """Mean loss of a batch under an objective."""
    if objective == "labels":
        loss = partial(label_loss, model, frozen_uniform=frozen_uniform)
        return jax.vmap(loss)(tokens, labels).mean()
    masks = jax.vmap(lambda k: draw_mask(tokens.shape[1], key=k))(jax.random.split(key, len(tokens)))
    loss = partial(reconstruction_loss, model, frozen_uniform=frozen_uniform)
    return jax.vmap(loss)(tokens, masks).mean()


def begin(model: Transformer, phase: Phase) -> TrainState:
    """State at step 0 of a phase."""
    return _begin(eqx.filter(model, eqx.is_array), Schedule.of(phase))


@eqx.filter_jit
def _begin(arrays: PyTree, schedule: Schedule) -> TrainState:
    return TrainState(arrays, schedule.optimizer().init(arrays), jnp.zeros((), jnp.int32))


def advance(
    state: TrainState,
    static: PyTree,
    phase: Phase,
    tokens: Array,
    labels: Array,
    batch: int,
    steps: int,
    *,
    key: PRNGKeyArray,
) -> tuple[TrainState, Float[Array, ""]]:
    """`steps` optimiser steps in one compiled scan; returns the state and the mean training loss."""
    objective = phase.objective, phase.frozen_uniform
    return _advance(state, static, objective, Schedule.of(phase), (tokens, labels), batch, steps, key)


@eqx.filter_jit
def _advance(
    state: TrainState,
    static: PyTree,
    objective: tuple[Objective, bool],
    schedule: Schedule,
    data: tuple[Array, Array],
    batch: int,
    steps: int,
    key: PRNGKeyArray,
) -> tuple[TrainState, Float[Array, ""]]:
    optimizer, (tokens, labels) = schedule.optimizer(), data

    def step(state: TrainState, _: None) -> tuple[TrainState, Array]:
        batch_key, mask_key = jax.random.split(jax.random.fold_in(key, state.step))
        rows = jax.random.randint(batch_key, (batch,), 0, len(tokens), jnp.int32)
        loss, gradient = jax.value_and_grad(
            lambda arrays: batch_loss(
                eqx.combine(arrays, static), *objective, tokens[rows], labels[rows], key=mask_key
            )
        )(state.model)
        updates, moments = optimizer.update(gradient, state.optimizer, state.model)
        return TrainState(optax.apply_updates(state.model, updates), moments, state.step + 1), loss

    state, losses = jax.lax.scan(step, state, None, length=steps)
    return state, losses.mean()


@eqx.filter_jit
def accuracy(
    model: Transformer, tokens: Array, labels: Array, frozen_uniform: bool = False, chunk: int = 200
) -> Float[Array, ""]:
    """Share of sequences whose largest logit is their label's, in chunks that keep memory small."""

    def right(pair: tuple[Array, Array]) -> Array:
        tokens, label = pair
        logits = model.label_logits(tokens, frozen_uniform=frozen_uniform)
        return (jnp.argmax(logits) == label).astype(jnp.float32)

    return jax.lax.map(right, (tokens, labels), batch_size=chunk).mean()
