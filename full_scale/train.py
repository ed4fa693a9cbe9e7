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

from full_scale.losses import draw_mask, label_loss, reconstruction_loss
from full_scale.model import Transformer
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

    def build(self, steps: int) -> optax.GradientTransformation:
        """The optimiser for a phase of this many steps."""
        warm = round(self.warmup * steps)
        schedule = optax.warmup_cosine_decay_schedule(
            0.0 if warm else self.learning_rate, self.learning_rate, warm, max(steps, warm + 1)
        )
        return optax.adamw(schedule, weight_decay=self.weight_decay)


@dataclasses.dataclass(frozen=True)
class Phase:
    """One stretch of training under one objective, with a fresh optimiser."""

    objective: Objective
    steps: int
    optimizer: OptimizerConfig = OptimizerConfig()
    frozen_uniform: bool = False
    """Attention frozen uniform in every layer (the adiabatic point of C19)."""


class TrainState(eqx.Module):
    """Everything that changes while a phase runs; `model` holds arrays only."""

    model: PyTree
    optimizer: PyTree
    step: Int[Array, ""]


def batch_loss(
    model: Transformer, phase: Phase, tokens: Array, labels: Array, *, key: PRNGKeyArray
) -> Float[Array, ""]:
    """Mean loss of a batch under the phase's objective."""
    if phase.objective == "labels":
        loss = partial(label_loss, model, frozen_uniform=phase.frozen_uniform)
        return jax.vmap(loss)(tokens, labels).mean()
    masks = jax.vmap(lambda k: draw_mask(tokens.shape[1], key=k))(jax.random.split(key, len(tokens)))
    loss = partial(reconstruction_loss, model, frozen_uniform=phase.frozen_uniform)
    return jax.vmap(loss)(tokens, masks).mean()


def begin(model: Transformer, phase: Phase) -> TrainState:
    """State at step 0 of a phase."""
    arrays = eqx.filter(model, eqx.is_array)
    return TrainState(arrays, phase.optimizer.build(phase.steps).init(arrays), jnp.zeros((), jnp.int32))


@eqx.filter_jit
def advance(
    state: TrainState, static: PyTree, phase: Phase, tokens: Array, labels: Array, batch: int, steps: int,
    *, key: PRNGKeyArray,
) -> tuple[TrainState, Float[Array, ""]]:
    """`steps` optimiser steps in one compiled scan; returns the state and the mean training loss."""
    optimizer = phase.optimizer.build(phase.steps)

    def step(state: TrainState, _: None) -> tuple[TrainState, Array]:
        batch_key, mask_key = jax.random.split(jax.random.fold_in(key, state.step))
        rows = jax.random.randint(batch_key, (batch,), 0, len(tokens), jnp.int32)
        loss, gradient = jax.value_and_grad(
            lambda arrays: batch_loss(
                eqx.combine(arrays, static), phase, tokens[rows], labels[rows], key=mask_key
            )
        )(state.model)
        updates, moments = optimizer.update(gradient, state.optimizer, state.model)
        return TrainState(optax.apply_updates(state.model, updates), moments, state.step + 1), loss

    state, losses = jax.lax.scan(step, state, None, length=steps)
    return state, losses.mean()


@eqx.filter_jit
def accuracy(model: Transformer, tokens: Array, labels: Array, chunk: int = 200) -> Float[Array, ""]:
    """Share of sequences whose largest logit is their label's, in chunks that keep memory small."""
    predict = lambda pair: (jnp.argmax(model.label_logits(pair[0])) == pair[1]).astype(jnp.float32)
    return jax.lax.map(predict, (tokens, labels), batch_size=chunk).mean()
