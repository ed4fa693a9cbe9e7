"""One training run: a task, a model, phases, a seed. Its result is the same however often it was killed.

Time is counted in optimiser steps, pretraining included.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from full_scale.dataset import Dataset, on_device
from full_scale.model import ModelConfig, Transformer
from full_scale.tasks import Task
from full_scale.training.checkpoint import Checkpoints, as_numpy
from full_scale.training.train import Phase, TrainState, accuracy, advance, begin
from sims.proximity import proximity_index
from sims.store import UserError

WINDOW = 2  # |i - j| <= 2 counts as near in `proximity_index`, as in sims
MAPPED = 128  # validation sequences behind each attention map
PLATEAU_END = 0.75  # validation accuracy that counts as having left the plateau
Report = Callable[[int], None]


@dataclasses.dataclass(frozen=True)
class TrialConfig:
    """Everything that decides one run's result."""

    task: Task
    model: ModelConfig
    phases: tuple[Phase, ...]
    seed: int
    """Draws initialisation, batches and masks."""
    batch: int = 50
    """Sequences per step."""
    every: int = 50
    """Steps between evaluations; must divide every phase's steps."""
    snapshots: int = 10
    """Evenly spaced copies of the model kept for probes, the last included."""

    def __post_init__(self) -> None:
        for phase in self.phases:
            if phase.steps % self.every or phase.steps < self.every:
                raise UserError(
                    f"expected a phase of a multiple of {self.every} steps: got {phase.steps}; "
                    f"try {max(1, round(phase.steps / self.every)) * self.every}"
                )

    @property
    def steps(self) -> int:
        """Optimiser steps over all phases."""
        return sum(phase.steps for phase in self.phases)

    def keys(self) -> tuple[PRNGKeyArray, PRNGKeyArray]:
        """Keys for the initial parameters and for training."""
        initial, training = jax.random.split(jax.random.key(self.seed))
        return initial, training

    def chunks(self) -> Iterator[tuple[int, Phase, bool]]:
        """(phase index, phase, whether it starts here) for every stretch between evaluations."""
        for index, phase in enumerate(self.phases):
            for chunk in range(phase.steps // self.every):
                yield index, phase, chunk == 0


class History(eqx.Module):
    """What is recorded at every evaluation; row 0 is the initial model."""

    validation_accuracy: Float[np.ndarray, " evaluation"]
    training_loss: Float[np.ndarray, " evaluation"]
    proximity_index: Float[np.ndarray, "evaluation layer head"]
    snapshots: PyTree

    @classmethod
    def empty(cls, config: TrialConfig, model: Transformer) -> "History":
        """NaN everywhere."""
        rows = config.steps // config.every + 1
        keep = lambda leaf: np.full((config.snapshots + 1, *leaf.shape), np.nan, leaf.dtype)
        return cls(
            np.full(rows, np.nan),
            np.full(rows, np.nan),
            np.full((rows, config.model.layers, config.model.heads), np.nan),
            jax.tree.map(keep, eqx.filter(model, eqx.is_array)),
        )

    def record(self, row: int, loss: float, measured: tuple[Array, Array], model: PyTree, slot: int | None):
        """Write one evaluation in place."""
        self.validation_accuracy[row], self.proximity_index[row] = map(np.asarray, measured)
        self.training_loss[row] = loss
        if slot is not None:
            write = lambda kept, leaf: kept.__setitem__(slot, np.asarray(leaf))
            jax.tree.map(write, self.snapshots, model)


@eqx.filter_jit
def attention_maps(
    model: Transformer, tokens: Array, frozen_uniform: bool = False
) -> Float[Array, "layer head query key"]:
    """Attention weights averaged over sequences, nothing masked."""
    weights = lambda one: model.attention_weights(one, frozen_uniform=frozen_uniform)
    return jax.lax.map(weights, tokens, batch_size=32).mean(axis=0)


def initial_model(config: TrialConfig, dataset: Dataset) -> Transformer:
    """The model before any training: a function of the config alone."""
    return eqx.filter_jit(Transformer)(config.model, dataset.inputs, key=config.keys()[0])


def run(
    config: TrialConfig, dataset: Dataset, *, checkpoint: Path | None = None, report: Report | None = None
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Train, evaluate, and return the run's values and arrays.

    Parameters
    ----------
    config, dataset
        What to train on what.
    checkpoint
        Folder of the resumable state; None trains without.
    report
        Called with the number of steps just done.

    Raises
    ------
    UserError
        If the training loss is not finite: the message names the step.
    """
    model = initial_model(config, dataset)
    static = eqx.filter(model, eqx.is_array, inverse=True)
    history = train(config, dataset, model, checkpoint, report or (lambda steps: None))
    final = eqx.combine(jax.tree.map(lambda kept: jnp.asarray(kept[-1]), history.snapshots), static)
    uniform = config.phases[-1].frozen_uniform
    values = {
        "data": dataset.describe(),
        "steps": config.steps,
        "train_accuracy": float(accuracy(final, *on_device(dataset.train)[::2], uniform)),
        "validation_accuracy": float(history.validation_accuracy[-1]),
        "test_accuracy": float(accuracy(final, *on_device(dataset.test)[::2], uniform)),
        "plateau_steps": plateau_steps(history.validation_accuracy, config.every),
    }
    return values, stored_arrays(config, history)


def train(
    config: TrialConfig, dataset: Dataset, model: Transformer, checkpoint: Path | None, report: Report
) -> History:
    """Run all phases from the newest checkpoint."""
    tokens, labels = on_device(dataset.train)[::2]
    held_out = on_device(dataset.validation)[::2]
    static, key = eqx.filter(model, eqx.is_array, inverse=True), config.keys()[1]
    checkpoints = Checkpoints(checkpoint)
    chunks = list(config.chunks())
    history, state = History.empty(config, model), begin(model, config.phases[0])
    history.record(0, np.nan, measure(model, config.phases[0], *held_out), state.model, 0)
    done, state, history = restored(checkpoints, config, history, state, chunks)
    report(done * config.every)
    for row, (index, phase, starts) in enumerate(chunks[done:], start=done + 1):
        if starts and row > 1:
            state = begin(eqx.combine(state.model, static), phase)
        state, loss = advance(
            state,
            static,
            phase,
            tokens,
            labels,
            config.batch,
            config.every,
            key=jax.random.fold_in(key, index),
        )
        if not np.isfinite(loss):
            raise UserError(
                f"expected a finite training loss: got {float(loss)} within steps "
                f"{(row - 1) * config.every}-{row * config.every}; lower the learning rate or warm up longer"
            )
        measured = measure(eqx.combine(state.model, static), phase, *held_out)
        history.record(row, float(loss), measured, state.model, snapshot_slot(config, row, len(chunks)))
        checkpoints.save(row, as_numpy((state, history)))
        report(config.every)
    return history


def restored(
    checkpoints: Checkpoints, config: TrialConfig, history: History, state: TrainState, chunks: list
) -> tuple[int, TrainState, History]:
    """Chunks done, state and history of the newest checkpoint; the state's optimiser is its phase's."""
    done, (kept, history) = checkpoints.restore(as_numpy((state, history)))
    return done, jax.tree.map(jnp.asarray, kept), jax.tree.map(np.array, history)


def measure(model: Transformer, phase: Phase, tokens: Array, labels: Array) -> tuple[Array, Array]:
    """Accuracy, and the proximity index of every layer and head on the first `MAPPED` sequences."""
    maps = attention_maps(model, tokens[:MAPPED], phase.frozen_uniform)
    return accuracy(model, tokens, labels, phase.frozen_uniform), proximity_indices(maps)


@jax.jit
def proximity_indices(maps: Float[Array, "layer head query key"]) -> Float[Array, "layer head"]:
    """The proximity index of every layer and head."""
    return jax.vmap(jax.vmap(lambda weights: proximity_index(weights, WINDOW)))(maps)


def snapshot_slot(config: TrialConfig, row: int, rows: int) -> int | None:
    """Which snapshot this evaluation is, if any: slots 0..snapshots are evenly spaced over the run."""
    slot = row * config.snapshots // rows
    return slot if slot > (row - 1) * config.snapshots // rows else None


def plateau_steps(validation_accuracy: np.ndarray, every: int) -> int | None:
    """First evaluated step at which validation accuracy reaches `PLATEAU_END`; None if it never does."""
    reached = np.flatnonzero(validation_accuracy >= PLATEAU_END)
    return int(reached[0]) * every if len(reached) else None


def stored_arrays(config: TrialConfig, history: History) -> dict[str, np.ndarray]:
    """Curves by evaluation, and every parameter's snapshots as `model_<n>` in the order of the leaves."""
    leaves = jax.tree.leaves(history.snapshots)
    pretraining = [phase.objective == "reconstruction" for _, phase, _ in config.chunks()]
    return {
        "steps": np.arange(len(history.training_loss)) * config.every,
        "pretraining": np.array([pretraining[0], *pretraining]),
        "validation_accuracy": history.validation_accuracy,
        "training_loss": history.training_loss,
        "proximity_index": history.proximity_index,
        **{f"model_{number}": leaf for number, leaf in enumerate(leaves)},
    }


def stored_model(
    config: TrialConfig, dataset: Dataset, arrays: dict[str, np.ndarray], slot: int = -1
) -> Transformer:
    """The model of a stored run at a snapshot (0 initial, -1 final)."""
    arrays_only, static = eqx.partition(initial_model(config, dataset), eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays_only)
    stored = [jnp.asarray(arrays[f"model_{number}"][slot]) for number in range(len(leaves))]
    return eqx.combine(jax.tree.unflatten(structure, stored), static)
