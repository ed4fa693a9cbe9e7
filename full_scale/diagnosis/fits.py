"""Fits of the model with attention frozen, or kept to one pattern for all sequences.   [C19]

Time = optimiser steps.
"""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from full_scale.diagnosis.frozen import frozen
from full_scale.diagnosis.pattern import pattern
from full_scale.model import Transformer
from full_scale.training.objectives import Data, Target, batch_loss
from full_scale.training.optimizers import OptimizerConfig, Schedule

CHUNK = 50  # steps between reports


@dataclasses.dataclass(frozen=True)
class FitConfig:
    """How the rest of the model is fitted while attention is frozen."""

    steps: int = 800
    """Optimiser steps of each fit."""
    batch: int = 50
    """Sequences per step."""
    optimizer: OptimizerConfig = dataclasses.field(
        default_factory=lambda: OptimizerConfig(learning_rate=1e-2, clip=1.0)
    )
    """AdamW's settings."""


def fitted(
    model: Transformer,
    target: Target,
    data: Data,
    config: FitConfig,
    kernels: Float[Array, "layer head query key"] | None = None,
    read: Data | None = None,
    *,
    key: PRNGKeyArray,
    report: Callable[[int], None] = lambda steps: None,
) -> Transformer:
    """The model after `steps` steps under the target with attention frozen at `kernels` (None: uniform).

    Given sequences to read, attention is their pattern instead, and trained with the rest.
    """
    trained, static = eqx.partition(model, eqx.is_array)
    schedule = Schedule.of(config.optimizer, config.steps)
    state = trained, schedule.optimizer().init(trained), jnp.int32(0)
    for done in range(0, config.steps, CHUNK):
        steps = min(CHUNK, config.steps - done)
        state = advanced(state, (static, target, schedule, data, kernels, read, key), config.batch, steps)
        report(steps)
    return eqx.combine(state[0], static)


@eqx.filter_jit
def advanced(state: PyTree, given: PyTree, batch: int, steps: int) -> PyTree:
    """`steps` more steps."""
    static, target, schedule, data, kernels, read, key = given
    rule = schedule.optimizer()

    def step(state: PyTree, _: None) -> tuple[PyTree, None]:
        trained, moments, count = state
        batch_key, mask_key = jax.random.split(jax.random.fold_in(key, count))
        rows = jax.random.randint(batch_key, (batch,), 0, len(data.labels), jnp.int32)

        def loss(some: PyTree) -> Array:
            model = eqx.combine(some, static)
            held = frozen(model, kernels if read is None else pattern(model, read))
            return batch_loss(held, target, data.rows(rows), key=mask_key)

        slope = schedule.bounded(jax.grad(loss)(trained))
        updates, moments = rule.update(slope, moments, trained)
        return (optax.apply_updates(trained, updates), moments, count + 1), None

    return jax.lax.scan(step, state, None, length=steps)[0]


@eqx.filter_jit
def label_logits(
    model: Transformer, data: Data, kernels: Array | None = None, chunk: int = 100
) -> Float[Array, "n label"]:
    """The label head's output on every sequence, attention frozen at `kernels`."""
    fixed = frozen(model, kernels)
    return jax.lax.map(lambda one: fixed.label_logits(one.tokens, one.lengths), data, batch_size=chunk)


def accuracy(model: Transformer, data: Data, kernels: Array | None = None) -> float:
    """Share of sequences whose largest logit is their label's."""
    return float((label_logits(model, data, kernels).argmax(axis=1) == data.labels).mean())
