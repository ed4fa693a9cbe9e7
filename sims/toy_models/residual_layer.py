"""One residual layer on scalar tokens, its two supervisions and their gradients in the scores.   [C19]

z = mean_i phi(x_i + H_i), phi = tanh of random affine maps, V = 1. Gradients are taken at uniform
attention, one per sequence, along unit directions "attend r steps away". Exact given the sample.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

import theory
from sims.toy_models.readouts import Readout, least_squares_readout, logistic_readout
from theory.minimal_model.attention import cross_entropy

_VALUE_MAP = 1.0  # V of the layer; phi's slopes carry the scale


class Sample(NamedTuple):
    """Labelled sequences, each with a mask."""

    tokens: Float[Array, "batch length"]
    labels: Int[Array, " batch"]
    masked: Bool[Array, "batch length"]


class Layer(NamedTuple):
    """phi(h) = tanh(h slopes + offsets), at each position by itself."""

    slopes: Float[Array, "width features"]
    offsets: Float[Array, " features"]

    def __call__(self, stream: Float[Array, "query width"]) -> Float[Array, "query features"]:
        """phi at every position."""
        return jnp.tanh(stream @ self.slopes + self.offsets[None])


def draw_layer(features: int, scale: float, *, key: PRNGKeyArray) -> Layer:
    """A random phi: slopes of standard deviation `scale`, offsets of 1."""
    slope_key, offset_key = jax.random.split(key)
    return Layer(
        scale * jax.random.normal(slope_key, (1, features)), jax.random.normal(offset_key, (features,))
    )


def lag_directions(length: int) -> Float[Array, "lag query key"]:
    """`theory.lag_direction` on the ring, r = 1 .. L/2."""
    towards = lambda lag: theory.lag_direction(length, lag, cyclic=True)
    return jax.vmap(towards)(jnp.arange(1, length // 2 + 1))


def pooled_batch(layer: Layer, tokens: Float[Array, "batch length"]) -> Float[Array, "batch features"]:
    """z of each sequence at uniform attention: a function of its bag."""
    uniform = jnp.zeros((tokens.shape[1], tokens.shape[1]))
    return jax.vmap(lambda one: _pooled(uniform, layer, one))(tokens)


def fit_head(layer: Layer, sample: Sample, counted: Float[Array, " batch"], ridge: float) -> Readout:
    """The best logistic head on z at uniform attention, on the counted sequences."""
    return logistic_readout(pooled_batch(layer, sample.tokens), sample.labels, counted, ridge)


def fit_reader(layer: Layer, sample: Sample, counted: Float[Array, " batch"], ridge: float) -> Readout:
    """The best linear reader of masked tokens from phi at their positions, on the counted sequences."""
    uniform = jnp.zeros((sample.tokens.shape[1], sample.tokens.shape[1]))
    features = jax.vmap(lambda one, hidden: _masked_features(uniform, layer, one, hidden))
    return least_squares_readout(
        features(sample.tokens, sample.masked).reshape(sample.tokens.size, -1),
        sample.tokens.ravel(),
        (sample.masked.astype(counted.dtype) * counted[:, None]).ravel(),
        ridge,
    )


def label_gradients_along(layer: Layer, head: Readout, sample: Sample) -> Float[Array, "batch lag"]:
    """Per sequence, the label loss's derivative along each lag direction at uniform attention."""

    def loss(scores: Float[Array, "query key"], one: Float[Array, " key"], label: Int[Array, ""]):
        logit = head(_pooled(scores, layer, one))
        return cross_entropy(jnp.stack([jnp.zeros_like(logit), logit]), label)

    return _along(loss, sample.tokens, sample.labels)


def reconstruction_gradients_along(
    layer: Layer, reader: Readout, sample: Sample
) -> Float[Array, "batch lag"]:
    """Per sequence, the derivative of half the mean squared error over tokens, counted where masked."""

    def loss(scores: Float[Array, "query key"], one: Float[Array, " key"], hidden: Bool[Array, " key"]):
        guess = reader(_masked_features(scores, layer, one, hidden))
        return 0.5 * jnp.mean(hidden.astype(one.dtype) * (one - guess) ** 2)

    return _along(loss, sample.tokens, sample.masked)


def _along(loss, tokens: Float[Array, "batch length"], target: Array) -> Float[Array, "batch lag"]:
    length = tokens.shape[1]
    uniform, directions = jnp.zeros((length, length)), lag_directions(length)
    gradients = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))(uniform, tokens, target)
    return jnp.einsum("nij,rij->nr", gradients, directions)


def _pooled(
    scores: Float[Array, "query key"], layer: Layer, tokens: Float[Array, " key"]
) -> Float[Array, " features"]:
    return theory.pooled_features(scores, tokens[:, None], jnp.full((1, 1), _VALUE_MAP), layer)


def _masked_features(
    scores: Float[Array, "query key"],
    layer: Layer,
    tokens: Float[Array, " key"],
    hidden: Bool[Array, " key"],
) -> Float[Array, "query features"]:
    stream = jnp.where(hidden, 0, tokens)[:, None]
    return layer(stream + theory.mixed(scores, stream, jnp.full((1, 1), _VALUE_MAP)))
