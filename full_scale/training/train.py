"""Training in phases, resumable at any moment to the bitwise same result.

Step n draws its batch and masks from fold_in(key, n), so that nothing but the state must be kept.
Unit of time: optimiser steps.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from full_scale.model import Transformer, trainable
from full_scale.training.mesh import ONE, Layout
from full_scale.training.objectives import Data, Target, keyed_loss, mask_keys
from full_scale.training.optimizers import OptimizerConfig, Schedule
from full_scale.training.phases import Objective, Phase

__all__ = ["Objective", "OptimizerConfig", "Phase", "TrainState", "accuracy", "advance", "begin"]


CHUNK = 200  # sequences judged at once
CHUNK_TOKENS = 2**18  # fewer sequences where they are long


class TrainState(eqx.Module):
    """Everything that changes while a phase runs; `model` holds arrays only."""

    model: PyTree
    optimizer: PyTree
    step: Int[Array, ""]


def begin(model: Transformer, phase: Phase) -> TrainState:
    """State at step 0 of a phase; parts that it freezes have no moments."""
    arrays, static = eqx.partition(model, eqx.is_array)
    return _begin(arrays, static, phase.freeze, Schedule.of(phase.optimizer, phase.steps))


@eqx.filter_jit
def _begin(arrays: PyTree, static: PyTree, freeze: tuple[str, ...], schedule: Schedule) -> TrainState:
    own = jax.tree.map(jnp.copy, arrays)  # `advance` uses them up; the caller keeps its model
    moving, _ = moved(own, static, freeze)
    return TrainState(own, schedule.optimizer().init(moving), jnp.zeros((), jnp.int32))


def moved(arrays: PyTree, static: PyTree, freeze: tuple[str, ...]) -> tuple[PyTree, PyTree]:
    """(the parameters that training moves, everything else of the model)."""
    model = eqx.combine(arrays, static)
    return eqx.partition(model, trainable(model, freeze))


def advance(
    state: TrainState,
    static: PyTree,
    phase: Phase,
    data: Data,
    batch: int,
    steps: int,
    *,
    key: PRNGKeyArray,
    layout: Layout = ONE,
) -> tuple[TrainState, Float[Array, " step"]]:
    """`steps` optimiser steps in one compiled scan; returns the state and every step's training loss.

    The state given is used up: its memory is that of the state returned.
    """
    schedule = Schedule.of(phase.optimizer, phase.steps)
    return _advance(
        (static, Target.of(phase), schedule, data, key), state, phase.batch or batch, steps, layout
    )


@eqx.filter_jit(donate="all-except-first")
def _advance(
    given: tuple[PyTree, Target, Schedule, Data, PRNGKeyArray],
    state: TrainState,
    batch: int,
    steps: int,
    layout: Layout,
) -> tuple[TrainState, Float[Array, " step"]]:
    static, target, schedule, data, key = given
    optimizer = schedule.optimizer()

    def loss_of(moving: PyTree, given: tuple[PyTree, Target], rows: tuple[Data, Array | None]) -> Array:
        return keyed_loss(eqx.combine(moving, given[0]), given[1], *rows)

    def step(state: TrainState, _: None) -> tuple[TrainState, Array]:
        batch_key, mask_key = jax.random.split(jax.random.fold_in(key, state.step))
        rows = jax.random.randint(batch_key, (batch,), 0, len(data.labels), jnp.int32)
        moving, still = moved(state.model, static, target.freeze)
        keys = mask_keys(eqx.combine(moving, still), target, batch, key=mask_key)
        loss, gradient = jax.value_and_grad(layout.mean(loss_of))(
            moving, (still, target), (data.rows(rows), keys)
        )
        updates, moments = optimizer.update(schedule.bounded(gradient), state.optimizer, moving)
        stepped = eqx.filter(eqx.combine(optax.apply_updates(moving, updates), still), eqx.is_array)
        return layout.constrained(TrainState(stepped, moments, state.step + 1)), loss

    return jax.lax.scan(step, state, None, length=steps)


@eqx.filter_jit
def accuracy(
    model: Transformer, data: Data, frozen_uniform: bool = False, layout: Layout = ONE
) -> Float[Array, ""]:
    """Share of sequences whose largest logit is their label's, in chunks that keep memory small."""
    chunk = max(1, min(CHUNK, CHUNK_TOKENS // model.inputs.length))

    def right(model: Transformer, one: Data) -> Array:
        logits = model.label_logits(one.tokens, one.lengths, frozen_uniform=frozen_uniform)
        return (jnp.argmax(logits) == one.labels).astype(jnp.float32)

    def all_right(model: Transformer, data: Data) -> Array:
        return jax.lax.map(lambda one: right(model, one), data, batch_size=chunk)

    return layout.each(all_right, model, data).mean()
