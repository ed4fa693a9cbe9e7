"""What a run records at its evaluations; row 0 is the initial model."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from full_scale.model import Transformer
from full_scale.probes.online_metrics import PROBES
from full_scale.training.trial_config import TrialConfig


class History(eqx.Module):
    """Curves by evaluation and copies of the model, written in place."""

    curves: dict[str, Float[np.ndarray, " evaluation"]]
    """validation_accuracy; training_loss, the mean since the last evaluation."""
    heads: dict[str, Float[np.ndarray, "evaluation layer head"]]
    """proximity_index, and what probes measure; NaN where they did not."""
    snapshots: PyTree
    """Every parameter with slots in front."""
    loss: Float[np.ndarray, " one"]
    """Sum of the losses since the last evaluation."""

    @classmethod
    def empty(cls, config: TrialConfig, model: Transformer) -> "History":
        """An empty history: NaN until an evaluation fills it."""
        rows = config.steps // config.every + 1
        slots = config.snapshots * len(config.phases) + 1
        probes = PROBES if config.probe_every else ()
        names = ("proximity_index", *(name for probe in probes for name in probe.names))
        empty_slots = lambda leaf: np.full((slots, *leaf.shape), np.nan, leaf.dtype)
        return cls(
            {name: np.full(rows, np.nan) for name in ("validation_accuracy", "training_loss")},
            {name: np.full((rows, config.model.layers, config.model.heads), np.nan) for name in names},
            jax.tree.map(empty_slots, eqx.filter(model, eqx.is_array)),
            np.zeros(1),
        )

    def keep(self, slot: int | None, model: PyTree) -> None:
        """Copy the model's arrays into their slot, if they have one."""
        if slot is not None:
            write = lambda slots, leaf: slots.__setitem__(slot, np.asarray(leaf))
            jax.tree.map(write, self.snapshots, model)

    def record(self, row: int, every: int, accuracy: Array, heads: dict[str, Array]) -> None:
        """Write one evaluation into its row, and the mean training loss since the one before."""
        self.curves["validation_accuracy"][row] = float(accuracy)
        self.curves["training_loss"][row] = self.loss[0] / every if row else np.nan
        self.loss[0] = 0
        for name, values in heads.items():
            self.heads[name][row] = np.asarray(values)

    def begin_with(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what a run of the first phases has stored."""
        for name, target in (self.curves | self.heads).items():
            target[: len(arrays[name])] = arrays[name]
        for number, target in enumerate(jax.tree.leaves(self.snapshots)):
            stored = arrays[f"model_{number}"]
            target[: len(stored)] = stored

    def stored(self, config: TrialConfig) -> dict[str, np.ndarray]:
        """Curves, and every parameter's snapshots as `model_<n>` in the order of the leaves."""
        steps = np.arange(len(self.curves["training_loss"])) * config.every
        before = [config.at(max(int(step) - 1, 0))[1].pretrains for step in steps]
        leaves = jax.tree.leaves(self.snapshots)
        return {
            "steps": steps,
            "pretraining": np.array(before),
            **self.curves,
            **self.heads,
            **{f"model_{number}": leaf for number, leaf in enumerate(leaves)},
        }
