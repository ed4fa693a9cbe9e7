"""Training in phases, resumable at any moment to the bitwise same result.

Step n draws its batch and masks from fold_in(key, n), so that nothing but the state must be kept.
Unit of time: optimiser steps.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from full_scale.devices.mesh import SINGLE_DEVICE, Layout
from full_scale.model import Transformer, trainable
from full_scale.objectives.batch_loss import Data, Target, keyed_loss, mask_keys
from full_scale.objectives.optimizers import OptimizerConfig, Schedule
from full_scale.objectives.phases import Objective, Phase

__all__ = ["Objective", "OptimizerConfig", "Phase", "TrainState", "accuracy", "advance", "begin"]


CHUNK = 200  # sequences judged at once
_CHUNK_TOKENS = 2**18  # fewer sequences where they are long


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
    layout: Layout = SINGLE_DEVICE,
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


def accuracy(
    model: Transformer, data: Data, frozen_uniform: bool = False, layout: Layout = SINGLE_DEVICE
) -> Float[Array, ""]:
    """Share of sequences whose largest logit is their label's, in chunks that keep memory small.

    On one device, chunks of one size: a single program judges the training, validation and test part."""
    chunk, count = max(1, min(CHUNK, _CHUNK_TOKENS // model.inputs.length)), len(data.labels)
    if layout.mesh is not None:
        return _right_on_devices(model, data, frozen_uniform, layout, chunk).mean()
    chunks = jnp.arange(count + -count % chunk, dtype=jnp.int32).reshape(-1, chunk) % count
    right = [_right(model, data.rows(rows), frozen_uniform) for rows in chunks]
    return jnp.concatenate(right)[:count].mean()


@eqx.filter_jit
def _right(model: Transformer, data: Data, frozen_uniform: bool) -> Float[Array, " n"]:
    """1 for each sequence whose largest logit is its label's, else 0."""

    def right(one: Data) -> Array:
        logits = model.label_logits(one.tokens, one.lengths, frozen_uniform=frozen_uniform)
        return (jnp.argmax(logits) == one.labels).astype(jnp.float32)

    return jax.vmap(right)(data)


@eqx.filter_jit
def _right_on_devices(
    model: Transformer, data: Data, frozen_uniform: bool, layout: Layout, chunk: int
) -> Float[Array, " n"]:
    """The same of every sequence, each device judging its share chunk by chunk."""

    def judged(model: Transformer, data: Data) -> Array:
        one = lambda each: _right(model, jax.tree.map(lambda leaf: leaf[None], each), frozen_uniform)[0]
        return jax.lax.map(one, data, batch_size=chunk)

    return layout.each(judged, model, data)
