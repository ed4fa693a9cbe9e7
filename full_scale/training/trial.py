"""One training run: a task, a model, phases, a seed. Its result is the same however often it was killed.

Time is counted in optimiser steps, pretraining included.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray, PyTree

from full_scale.dataset import Dataset, Split
from full_scale.model import Transformer, assemble
from full_scale.training.checkpoint import Checkpoints, as_numpy
from full_scale.training.history import History
from full_scale.training.metrics import Metrics
from full_scale.training.objectives import Data
from full_scale.training.observables import probed, proximity
from full_scale.training.phases import Phase
from full_scale.training.train import TrainState, accuracy, advance, begin
from full_scale.training.trial_config import TrialConfig
from sims.store import UserError

__all__ = ["Report", "TrialConfig", "initial_model", "plateau_steps", "run", "stored_model"]

PLATEAU_END = 0.75  # validation accuracy that counts as having left the plateau
JUDGED = 20_000  # most training sequences behind the accuracy on them
Arrays = dict[str, np.ndarray]
Report = Callable[[int, float | None], None]


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a run keeps what it needs while it runs; None keeps nothing."""

    checkpoint: Path | None = None
    """Folder of the resumable state."""
    metrics: Path | None = None
    """File of lines, one per evaluation."""


def initial_model(config: TrialConfig, dataset: Dataset) -> Transformer:
    """The model before any training: a function of the config alone."""
    return drawn(config, dataset, key=config.keys()[0])


def drawn(config: TrialConfig, dataset: Dataset, *, key: PRNGKeyArray) -> Transformer:
    """A model with fresh parameters."""
    return eqx.filter_jit(Transformer)(config.model, dataset.inputs, key=key)


def run(
    config: TrialConfig,
    dataset: Dataset,
    *,
    places: Places = Places(),
    prefix: Arrays | None = None,
    report: Report | None = None,
) -> tuple[dict[str, object], Arrays]:
    """Train, evaluate, and return the run's values and arrays.

    Parameters
    ----------
    config, dataset
        What to train on what.
    places
        Where the resumable state and the metrics are kept.
    prefix
        Arrays that `config.prefix(n)` has stored; the run goes on from there to the bitwise same result.
    report
        Called with the number of steps just done, the prefix's apart, and the newest validation accuracy.

    Raises
    ------
    UserError
        If the training loss is not finite: the message names the step and the last good checkpoint.
    """
    run = Run(config, dataset, Checkpoints(places.checkpoint), report or (lambda steps, accuracy: None))
    history = run.to_the_end(places.metrics, prefix)
    arrays = history.stored(config)
    final = stored_model(config, dataset, arrays)
    uniform = config.phases[-1].frozen_uniform
    validation = history.curves["validation_accuracy"]
    values = {
        "data": dataset.describe(),
        "steps": config.steps,
        "train_accuracy": float(
            accuracy(final, Data.of(dataset.train).rows(sampled(dataset.train)), uniform)
        ),
        "validation_accuracy": float(validation[-1]),
        "test_accuracy": float(accuracy(final, Data.of(dataset.test), uniform)),
        "plateau_steps": plateau_steps(validation, config.every),
    }
    return values, arrays


def sampled(split: Split) -> slice:
    """At most `JUDGED` sequences, evenly spaced."""
    return slice(None, None, -(-len(split) // JUDGED))


@dataclasses.dataclass(frozen=True)
class Run:
    """A run under way."""

    config: TrialConfig
    dataset: Dataset
    checkpoints: Checkpoints
    report: Report

    def to_the_end(self, lines: Path | None, prefix: Arrays | None) -> History:
        """All phases, from the newest checkpoint, the prefix or the initial model."""
        config, (first, key) = self.config, self.config.keys()
        model = drawn(config, self.dataset, key=first)
        data, held_out = Data.of(self.dataset.train), Data.of(self.dataset.validation)
        static = eqx.filter(model, eqx.is_array, inverse=True)
        done, state, history = self.start(model, held_out, prefix)
        metrics = Metrics(lines, done)
        if done == 0:
            metrics.write(0, line(config, history, 0))
        self.report(done - (0 if prefix is None else int(prefix["steps"][-1])), None)
        while done < config.steps:
            index, phase, within = config.at(done)
            if within == 0:
                state = begin(self.renewed(eqx.combine(state.model, static), phase, index), phase)
            state, losses = advance(
                state,
                static,
                phase,
                data,
                config.batch,
                config.per_call,
                key=jax.random.fold_in(key, index),
            )
            self.require_finite(done, np.asarray(losses))
            history.loss[0] += np.asarray(losses, np.float64).sum()
            done += config.per_call
            if done % config.every == 0:
                self.evaluate(done, phase, eqx.combine(state.model, static), history, held_out)
                metrics.write(done, line(config, history, done))
            self.keep(done, state, history)
            self.report(config.per_call, float(history.curves["validation_accuracy"][done // config.every]))
        metrics.close()
        return history

    def start(
        self, model: Transformer, held_out: Data, prefix: Arrays | None
    ) -> tuple[int, TrainState, History]:
        """(steps done, state, history) of the newest checkpoint, else of the prefix, else before step 1."""
        config, history = self.config, History.empty(self.config, model)
        done = self.checkpoints.newest()
        if done is not None:
            phase = config.at(done - 1)[1]
            like = as_numpy((begin(model, phase), history))
            kept, found = self.checkpoints.restore(done, like)
            return done, jax.tree.map(jnp.asarray, kept), jax.tree.map(np.array, found)
        if prefix is not None:
            history.begin_with(prefix)
            done = int(prefix["steps"][-1])
            model = stored_model(config, self.dataset, prefix)
            return done, begin(model, config.phases[0]), history
        self.evaluate(0, config.phases[0], model, history, held_out)
        return 0, begin(model, config.phases[0]), history

    def renewed(self, model: Transformer, phase: Phase, index: int) -> Transformer:
        """The model with the parts that a phase resets drawn anew, not as they were before pretraining."""
        if not phase.reset:
            return model
        key = jax.random.fold_in(self.config.keys()[0], index)
        return assemble(model, drawn(self.config, self.dataset, key=key), phase.reset)

    def require_finite(self, done: int, losses: np.ndarray) -> None:
        """Raise UserError at the first loss that is not a number."""
        wrong = np.flatnonzero(~np.isfinite(losses))
        if len(wrong):
            first = int(wrong[0])
            raise UserError(
                f"expected a finite training loss: got {losses[first]} at step {done + first + 1}; "
                f"{self.checkpoints.described()}; lower the learning rate or warm up longer"
            )

    def evaluate(self, done: int, phase: Phase, model: Transformer, history: History, held_out: Data) -> None:
        """Record the model after `done` steps."""
        config = self.config
        heads = {"proximity_index": proximity(model, held_out, phase.frozen_uniform)}
        if config.probe_every and done % config.probe_every == 0:
            heads |= probed(model, phase, held_out, key=jax.random.fold_in(config.keys()[1], done))
        right = accuracy(model, held_out, phase.frozen_uniform)
        history.record(done // config.every, config.every, right, heads)
        history.keep(config.slot(done), eqx.filter(model, eqx.is_array))

    def keep(self, done: int, state: TrainState, history: History) -> None:
        """Save the state when it is time, unless its last update already broke it."""
        if self.checkpoints.due() and all_finite(state.model):
            self.checkpoints.save(done, as_numpy((state, history)))


@jax.jit
def all_finite(arrays: PyTree) -> jax.Array:
    """Whether every number of every array is finite."""
    return jnp.all(jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(arrays)]))


def line(config: TrialConfig, history: History, done: int) -> dict[str, float | str]:
    """One evaluation as the metrics tell it."""
    _, phase, _ = config.at(max(done - 1, 0))
    row = done // config.every
    curves = {name: float(curve[row]) for name, curve in history.curves.items()}
    heads = {name: float(values[row].mean()) for name, values in history.heads.items()}
    return {"objective": phase.objective, **curves, **heads}


def plateau_steps(validation_accuracy: np.ndarray, every: int) -> int | None:
    """First evaluated step at which validation accuracy reaches `PLATEAU_END`; None if it never does."""
    reached = np.flatnonzero(validation_accuracy >= PLATEAU_END)
    return int(reached[0]) * every if len(reached) else None


def stored_model(config: TrialConfig, dataset: Dataset, arrays: Arrays, slot: int = -1) -> Transformer:
    """The model of a stored run at a snapshot (0 initial, -1 final)."""
    arrays_only, static = eqx.partition(initial_model(config, dataset), eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays_only)
    stored = [jnp.asarray(arrays[f"model_{number}"][slot]) for number in range(len(leaves))]
    return eqx.combine(jax.tree.unflatten(structure, stored), static)
