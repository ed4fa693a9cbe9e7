"""Scores that start the same for every query, trained by labels and otherwise.   [C21]

z = mean_i tanh(H_i), free scores, a sequence per step. What is measured: the part of the scores that depends
on the query, and whether all L^2 of them follow the L numbers of a key bias.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.toy_models.label_layers import CLASSES, Layer, drawn, over_seeds

OPTIMISERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "gradient descent": optax.sgd,
    "momentum": lambda rate: optax.sgd(rate, momentum=0.9),
    "Adam": optax.adam,
    "AdamW": lambda rate: optax.adamw(rate, weight_decay=0.1),
}
VALUE = 0.7  # v of reconstruction


def labels(layer: Layer, residual: float = 0.0):
    """The label loss of a step's sequence."""

    def loss(scores, tokens, label):
        written = theory.mixed(scores, tokens, layer.value_map)
        pooled = jnp.tanh(residual * tokens + written).mean(axis=0)
        return layer._replace(label=label).loss(pooled)

    return loss


def hidden(scores, tokens, label) -> Float[Array, ""]:
    """Reconstruction of the first coordinate: no label at all."""
    return theory.reconstruction_loss(scores, VALUE, jnp.outer(tokens[:, 0], tokens[:, 0]))


def _by_key_bias(layer: Layer):
    """The reduced model's loss, as each score feels it: 1/L of the bias's.   [C21]"""

    def loss(bias, tokens, label):
        pooled = theory.pooled_by_key_bias(bias, tokens, layer.value_map, jnp.tanh)
        return layer._replace(label=label).loss(pooled) / len(bias)

    return loss


def path(loss, start, optimiser, samples) -> Float[Array, "step ..."]:
    """The parameters after every step."""

    def step(state, one):
        parameters, memory = state
        with jax.numpy_dtype_promotion("standard"):  # optax multiplies counts with decays
            change, memory = optimiser.update(jax.grad(loss)(parameters, *one), memory, parameters)
        return (parameters + change, memory), parameters + change

    return jax.lax.scan(step, (start, optimiser.init(start)), samples)[1]


def trained(config, *, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """By seed, optimiser and step: `alike`, the share of the squared movement all queries have in common;
    `centred`, root mean square of the rest; `reduced`, the movement over that of the key bias.

    `centred_other` is `centred` under Adam with a residual, and under reconstruction."""

    def one(seed):
        layer_key, bias_key, token_key = jax.random.split(seed, 3)
        layer = drawn(config.length, config.width, key=layer_key)
        bias = jax.random.normal(bias_key, (config.length,))
        tokens = jax.random.normal(token_key, (config.steps, config.length, config.width))
        samples = (tokens, jnp.arange(config.steps) % CLASSES)
        start = jnp.broadcast_to(bias[None, :], (config.length, config.length))
        follow = lambda loss, begun, rule: path(loss, begun, OPTIMISERS[rule](config.learning_rate), samples)
        full = jnp.stack([follow(labels(layer), start, rule) for rule in OPTIMISERS])
        key_bias = jnp.stack([follow(_by_key_bias(layer), bias, rule) for rule in OPTIMISERS])
        others = jnp.stack([follow(loss, start, "Adam") for loss in (labels(layer, 1.0), hidden)])
        moved = jnp.mean((full - start[None, None]) ** 2, axis=(2, 3))
        key_bias_share = jnp.mean((key_bias - bias[None, None]) ** 2, axis=2)
        centred = _root_mean_square(full)
        return {
            "alike": 1 - centred**2 / moved,
            "centred": centred,
            "reduced": jnp.sqrt(moved / key_bias_share),
            "centred_other": _root_mean_square(others),
        }

    return over_seeds(one, config, key)


def _root_mean_square(scores: Float[Array, "*axes query key"]) -> Float[Array, "*axes"]:
    """Of the doubly centred part."""
    by_key = scores - scores.mean(axis=-1, keepdims=True)
    centred = by_key - by_key.mean(axis=-2, keepdims=True)
    return jnp.sqrt(jnp.mean(centred**2, axis=(-2, -1)))
