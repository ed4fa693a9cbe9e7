"""A run under way: call after call of compiled steps, from wherever it stands to its end."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from full_scale.data.dataset import Dataset
from full_scale.data.splits import for_pretraining
from full_scale.devices.hosts import broadcast, broadcast_flag, is_main_process
from full_scale.devices.mesh import SINGLE_DEVICE, Layout
from full_scale.model import Transformer
from full_scale.objectives.batch_loss import Data, sampled
from full_scale.objectives.phases import Phase
from full_scale.probes.online_metrics import probed, proximity
from full_scale.training.checkpoint import Checkpoints, as_numpy
from full_scale.training.history import History
from full_scale.training.metrics import Metrics, Value
from full_scale.training.models import Arrays, initial_model, renewed, stored_model
from full_scale.training.step import TrainState, accuracy, advance, begin
from full_scale.training.trial_config import TrialConfig
from sims.runs.store import UserError

_MAX_EVAL_SEQUENCES = 2000  # about 20 steps' worth at a batch of 32
Report = Callable[[int, float | None], None]


@dataclasses.dataclass(frozen=True)
class Run:
    """What stays the same while a run goes on."""

    config: TrialConfig
    dataset: Dataset
    checkpoints: Checkpoints
    report: Report
    """Called with the steps just done and the newest validation accuracy."""
    layout: Layout = SINGLE_DEVICE
    """Devices that train together."""

    def to_the_end(self, lines: Path | None, prefix: Arrays | None) -> History:
        """All phases, from the newest checkpoint, the prefix or the initial model."""
        config, layout = self.config, self.layout
        for phase in config.phases:
            layout.require_shares(phase.batch or config.batch)
        data, held_out = layout.data(
            (Data.of(self.dataset.train), sampled(self.dataset.validation, _MAX_EVAL_SEQUENCES))
        )
        wider = data
        if self.dataset.unlabelled is not None:
            wider = layout.data(Data.of(for_pretraining(self.dataset)))
        done, state, static, history = self.start(held_out, prefix)
        metrics = Metrics(lines, done)
        if done == 0:
            metrics.write(0, line(config, history, 0))
        self.report(done - (0 if prefix is None else int(prefix["steps"][-1])), None)
        while done < config.steps:
            pool = wider if config.at(done)[1].pretrains else data
            state = self.call(done, state, static, pool, history)
            done += config.per_call
            if done % config.every == 0:
                self.evaluate(done, eqx.combine(layout.whole(state.model), static), history, held_out)
                metrics.write(done, line(config, history, done))
            self.keep(done, state, history)
            self.report(config.per_call, float(history.curves["validation_accuracy"][done // config.every]))
        metrics.close()
        return history

    def start(self, held_out: Data, prefix: Arrays | None) -> tuple[int, TrainState, PyTree, History]:
        """(steps done, state, what is not trained, history): newest checkpoint, else prefix, else step 0."""
        config, model = self.config, initial_model(self.config, self.dataset)
        arrays, static = eqx.partition(model, eqx.is_array)
        history = History.empty(self.config, model)
        done = int(broadcast(np.array(self.checkpoints.newest() or 0)))
        if done:
            like = as_numpy((begin(model, config.at(done - 1)[1]), history))
            restored_state, restored_history = broadcast(
                self.checkpoints.restore(done, like) if is_main_process() else like
            )
            state = self.layout.state(jax.tree.map(jnp.asarray, restored_state))
            return done, state, static, jax.tree.map(np.array, restored_history)
        if prefix is None:
            self.evaluate(0, eqx.combine(self.layout.data(arrays), static), history, held_out)
        else:
            history.begin_with(prefix)
            done, model = int(prefix["steps"][-1]), stored_model(config, self.dataset, prefix)
        return done, self.layout.state(begin(model, config.phases[0])), static, history

    def call(self, done: int, state: TrainState, static: PyTree, data: Data, history: History) -> TrainState:
        """The steps of one compiled call; where a phase begins, its resets and a fresh optimiser first."""
        config = self.config
        index, phase, within = config.at(done)
        if within == 0:
            model = eqx.combine(self.layout.own(state.model), static)
            state = self.layout.state(begin(renewed(model, config, self.dataset, index), phase))
        key = jax.random.fold_in(config.keys()[1], index)
        state, step_losses = advance(
            state, static, phase, data, config.batch, config.per_call, key=key, layout=self.layout
        )
        losses = np.asarray(step_losses, np.float64)
        self.require_finite(done, losses)
        history.loss[0] += losses.sum()
        return state

    def require_finite(self, done: int, losses: np.ndarray) -> None:
        """Raise UserError at the first loss that is not a number."""
        wrong = np.flatnonzero(~np.isfinite(losses))
        if len(wrong):
            step = int(wrong[0])
            raise UserError(
                f"expected a finite training loss: got {losses[step]} at step {done + step + 1}; "
                f"{self.checkpoints.described()}; lower the learning rate or warm up longer"
            )

    def evaluate(self, done: int, model: Transformer, history: History, held_out: Data) -> None:
        """Record the model after `done` steps."""
        config, (_, phase, _) = self.config, self.config.at(max(done - 1, 0))
        heads = {"proximity_index": proximity(model, held_out, phase.frozen_uniform)}
        if config.probed(done):
            key = jax.random.fold_in(config.keys()[1], done)
            heads |= probed(model, phase, held_out, key=key, layout=self.layout)
        right = accuracy(model, held_out, phase.frozen_uniform, layout=self.layout)
        history.record(done // config.every, config.every, right, heads)
        history.keep(config.slot(done), eqx.filter(model, eqx.is_array))

    def keep(self, done: int, state: TrainState, history: History) -> None:
        """Save the state when it is time, unless its last update already broke it."""
        if broadcast_flag(self.checkpoints.due()) and _all_finite(state.model):
            self.checkpoints.save(done, as_numpy((self.layout.whole(state), history)))


@jax.jit
def _all_finite(arrays: PyTree) -> jax.Array:
    """Whether every number of every array is finite."""
    return jnp.all(jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(arrays)]))


def line(config: TrialConfig, history: History, done: int) -> dict[str, Value]:
    """One evaluation as the metrics tell it; what probes measured as [layer][head]."""
    phase: Phase = config.at(max(done - 1, 0))[1]
    row = done // config.every
    curves = {name: float(curve[row]) for name, curve in history.curves.items()}
    taken = ("proximity_index", *history.heads) if config.probed(done) else ("proximity_index",)
    heads = {name: history.heads[name][row].tolist() for name in taken}
    return {"objective": phase.objective, **curves, **heads}
