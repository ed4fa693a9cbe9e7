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

from full_scale.diagnosis.pattern import pattern
from full_scale.model import Transformer
from full_scale.model.frozen_attention import frozen
from full_scale.objectives.batch_loss import Data, Target, batch_loss
from full_scale.objectives.optimizers import OptimizerConfig, Schedule
from sims.runs.errors import UserError

CHUNK = 50  # steps between reports
TOKENS = 50_000  # of the sequences whose labels are predicted at once
_LOWER = 0.25  # of the learning rate, after a fit that left the finite numbers
ATTEMPTS = 4


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


class Diverged(ArithmeticError):
    """A fit's parameters are no finite numbers."""


def train_frozen(
    name: str,
    model: Transformer,
    target: Target,
    data: Data,
    config: FitConfig,
    scores: Float[Array, "layer head query key"] | None = None,
    read: Data | None = None,
    *,
    key: PRNGKeyArray,
    report: Callable[[int], None] = lambda steps: None,
) -> tuple[Transformer, float]:
    """`attempted` at the config's learning rate, or at the first lower one that stays finite; and that rate.

    Raises UserError that names the fit where none does: a verdict is never made of what is no number.
    """
    rate = config.optimizer.learning_rate
    for attempt in range(ATTEMPTS):
        lower = dataclasses.replace(config.optimizer, learning_rate=rate * _LOWER**attempt)
        tried = dataclasses.replace(config, optimizer=lower)
        try:
            trained = attempted(model, target, data, tried, scores, read, key=key, report=report)
        except Diverged:
            report = lambda steps: None  # its steps are counted already
        else:
            return trained, lower.learning_rate
    lowest = lower.learning_rate
    raise UserError(
        f"expected the fit of {name} to stay finite: got infinite or undefined weights at learning rates "
        f"{rate:.2g} to {lowest:.2g}; try --config.learning-rate {lowest * _LOWER:.1g}, "
        "and look for extreme values in the data"
    )


def attempted(
    model: Transformer,
    target: Target,
    data: Data,
    config: FitConfig,
    scores: Float[Array, "layer head query key"] | None = None,
    read: Data | None = None,
    *,
    key: PRNGKeyArray,
    report: Callable[[int], None] = lambda steps: None,
) -> Transformer:
    """The model after `steps` steps under the target with attention frozen at `scores` (None: uniform).

    Given sequences to read, attention is their pattern instead, and trained with the rest. Raises Diverged.
    """
    trained, static = eqx.partition(model, eqx.is_array)
    schedule = Schedule.of(config.optimizer, config.steps)
    state = trained, schedule.optimizer().init(trained), jnp.int32(0)
    for done in range(0, config.steps, CHUNK):
        steps = min(CHUNK, config.steps - done)
        state = _advanced(state, (static, target, schedule, data, scores, read, key), config.batch, steps)
        if not _is_finite(state[0]):
            raise Diverged
        report(steps)
    return eqx.combine(state[0], static)


def _is_finite(weights: PyTree) -> bool:
    """Whether every entry of every array is a finite number."""
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(weights))


@eqx.filter_jit
def _advanced(state: PyTree, given: PyTree, batch: int, steps: int) -> PyTree:
    """`steps` more steps."""
    static, target, schedule, data, scores, read, key = given
    rule = schedule.optimizer()

    def step(state: PyTree, _: None) -> tuple[PyTree, None]:
        trained, moments, count = state
        batch_key, mask_key = jax.random.split(jax.random.fold_in(key, count))
        rows = jax.random.randint(batch_key, (batch,), 0, len(data.labels), jnp.int32)

        def loss(some: PyTree) -> Array:
            model = eqx.combine(some, static)
            held = frozen(model, scores if read is None else pattern(model, read))
            return batch_loss(held, target, data.rows(rows), key=mask_key)

        slope = schedule.bounded(jax.grad(loss)(trained))
        updates, moments = rule.update(slope, moments, trained)
        return (optax.apply_updates(trained, updates), moments, count + 1), None

    return jax.lax.scan(step, state, None, length=steps)[0]


@eqx.filter_jit
def label_logits(
    model: Transformer, data: Data, scores: Array | None = None, chunk: int = 100
) -> Float[Array, "n label"]:
    """The label head's output on every sequence, attention frozen at `scores`."""
    fixed, chunk = frozen(model, scores), max(1, min(chunk, TOKENS // data.tokens.shape[1]))
    return jax.lax.map(lambda one: fixed.label_logits(one.tokens, one.lengths), data, batch_size=chunk)


def accuracy(model: Transformer, data: Data, scores: Array | None = None) -> float:
    """Share of sequences whose largest logit is their label's."""
    return float((label_logits(model, data, scores).argmax(axis=1) == data.labels).mean())
