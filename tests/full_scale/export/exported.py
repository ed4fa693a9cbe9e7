"""Models of every kind with parameters that all matter, and batches for them."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from full_scale.data.dataset import Inputs
from full_scale.model import ModelConfig, Transformer
from full_scale.model.weights_file import Weights, tensors_of

LENGTH, BATCH = 10, 3
SYMBOLS = Inputs(LENGTH, classes=3, symbols=5)
LEVELS = Inputs(LENGTH, classes=2, levels=7, mean=3.0, deviation=2.0)
SERIES = Inputs(LENGTH, classes=4, channels=3)
PAIRS = Inputs(LENGTH, classes=2, symbols=5, pair=True)
KINDS: dict[str, tuple[Inputs, dict]] = {
    "sinusoidal mean": (SYMBOLS, {}),
    "learned cls mlp-head": (SYMBOLS, {"positions": "learned", "pool": "cls", "head": "mlp"}),
    "random-normal max causal": (SERIES, {"positions": "random-normal", "pool": "max", "causal": True}),
    "rope last levels": (LEVELS, {"positions": "rope", "pool": "last", "copies": "mimetic"}),
    "alibi attention values": (LEVELS, {"positions": "alibi", "pool": "attention", "intensities": "values"}),
    "none, bare": (SYMBOLS, {"positions": "none", "residual": False, "norm": False, "mlp": False}),
    "no padding mask, explicit": (SERIES, {"padding_mask": False, "copies": "qk", "attention": "explicit"}),
    "pairs": (PAIRS, {"head": "mlp", "pool": "max", "copies": "qkvo"}),
}


def model_of(kind: str, **choices) -> Transformer:
    """A model of two layers, all of whose parameters show in the outputs."""
    inputs, settings = KINDS[kind]
    return drawn(ModelConfig(2, 8, 2, 16, **settings | choices), inputs)


def drawn(config: ModelConfig, inputs: Inputs, seed: int = 0) -> Transformer:
    """Every parameter from N(0, 0.4^2); nothing is compiled."""
    draw = np.random.default_rng(seed)
    shapes = eqx.filter_eval_shape(Transformer, config, inputs, key=jax.random.key(0))
    one = lambda leaf: jnp.asarray(0.4 * draw.standard_normal(leaf.shape), jnp.float32)
    return jax.tree.map(one, shapes)


def weights_of(model: Transformer) -> Weights:
    """The model as it is written."""
    return Weights(model.config, model.inputs, tensors_of(model))


def batch_of(inputs: Inputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens, lengths and hidden positions of some sequences."""
    draw, pair = np.random.default_rng(1), (2,) * inputs.pair
    most = inputs.symbols or inputs.levels
    if most:
        tokens = draw.integers(0, most, (BATCH, *pair, LENGTH)).astype(np.int32)
    else:
        tokens = draw.standard_normal((BATCH, LENGTH, inputs.channels)).astype(np.float32)
    lengths = draw.integers(3, LENGTH + 1, (BATCH, *pair)).astype(np.int32)
    return tokens, lengths, draw.random((BATCH, LENGTH)) < 0.4


def of_other_inputs(model: Transformer, **changes) -> Transformer:
    """A fresh model of the same shape for other data."""
    return drawn(model.config, dataclasses.replace(model.inputs, **changes), seed=7)
