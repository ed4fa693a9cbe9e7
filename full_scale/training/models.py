"""The models of a run: as it begins, with parts drawn anew, and as it is stored."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from full_scale.data.dataset import Dataset
from full_scale.model import Transformer, assemble
from full_scale.training.trial_config import TrialConfig

Arrays = dict[str, np.ndarray]


def drawn(config: TrialConfig, dataset: Dataset, *, key: PRNGKeyArray) -> Transformer:
    """A model with fresh parameters."""
    return eqx.filter_jit(Transformer)(config.model, dataset.inputs, key=key)


def initial_model(config: TrialConfig, dataset: Dataset) -> Transformer:
    """The model before any training: a function of the config and of the file that it begins with, if any."""
    fresh = drawn(config, dataset, key=config.keys()[0])
    return fresh if config.start is None else config.start.begun(fresh)


def renewed(model: Transformer, config: TrialConfig, dataset: Dataset, index: int) -> Transformer:
    """The model with the parts that a phase resets drawn anew, not as they were before pretraining."""
    phase = config.phases[index]
    if not phase.reset:
        return model
    key = jax.random.fold_in(config.keys()[0], index)
    return assemble(model, drawn(config, dataset, key=key), phase.reset)


def stored_model(config: TrialConfig, dataset: Dataset, arrays: Arrays, slot: int = -1) -> Transformer:
    """The model of a stored run at a snapshot (0 initial, -1 final)."""
    arrays_only, static = eqx.partition(drawn(config, dataset, key=config.keys()[0]), eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays_only)
    stored = [jnp.asarray(arrays[f"model_{number}"][slot]) for number in range(len(leaves))]
    return eqx.combine(jax.tree.unflatten(structure, stored), static)
