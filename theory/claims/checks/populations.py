"""A population small enough to enumerate: binary rings in order, against the same bags shuffled.

Every expectation is an exact weighted sum over all sequences of both classes.   [C19]
"""

import itertools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.minimal_model.attention import pooled_features
from theory.reconstruction.masked_loss import Scalar

LENGTH = 5
WIDTH = 4
COUPLING = 0.8  # of neighbours in class 1
SHARE = 0.3  # of class 1: p (1 - p) is not 1/4, and the classes cannot be swapped


class Population(NamedTuple):
    """Labelled sequences and their probabilities, which sum to 1."""

    tokens: Float[Array, "sample key"]
    labels: Float[Array, " sample"]
    chances: Float[Array, " sample"]


def ordered_against_shuffled(field: Scalar = 0.0) -> Population:
    """Class 1: p(x) ~ exp(J sum x_i x_{i+1}) on a ring. Class 0: the same bags in random order.

    A `field` h tilts class 0 by exp(h sum x_i): then the bag knows something of the label.
    """
    tokens = jnp.asarray(list(itertools.product((-1.0, 1.0), repeat=LENGTH)))
    weights = jnp.exp(COUPLING * jnp.sum(tokens * jnp.roll(tokens, 1, axis=1), axis=1))
    totals = tokens.sum(axis=1)
    same_bag = (totals[:, None] == totals[None, :]).astype(weights.dtype)
    ordered = weights / weights.sum()
    shuffled = (same_bag / same_bag.sum(axis=1, keepdims=True)) @ ordered * jnp.exp(field * totals)
    return Population(
        jnp.concatenate([tokens, tokens]),
        jnp.repeat(jnp.asarray([1.0, 0.0]), len(tokens)),
        jnp.concatenate([SHARE * ordered, (1 - SHARE) * shuffled / shuffled.sum()]),
    )


def one_bag() -> Population:
    """Only the sequences with two tokens up: the bag is a constant."""
    whole = ordered_against_shuffled()
    (chosen,) = jnp.nonzero(whole.tokens.sum(axis=1) == 4 - LENGTH, size=2 * math.comb(LENGTH, 2))
    chances = whole.chances[chosen]
    return Population(whole.tokens[chosen], whole.labels[chosen], chances / chances.sum())


def bag_information(population: Population) -> Float[Array, ""]:
    """I(bag; label) in nats: E log P(bag, label) / (P(bag) P(label))."""
    tokens, labels, chances = population
    totals = tokens.sum(axis=1)
    same_bag = totals[:, None] == totals[None, :]
    same_label = labels[:, None] == labels[None, :]
    mass = lambda same: jnp.where(same, chances[None, :], 0.0).sum(axis=1)
    return chances @ jnp.log(mass(same_bag & same_label) / (mass(same_bag) * mass(same_label)))


class Reader(NamedTuple):
    """A residual attention layer and a token-wise MLP, on scalar tokens embedded with positions."""

    embedding: Float[Array, " width"]
    positions: Float[Array, "key width"]
    value_map: Float[Array, "width width"]
    hidden: Float[Array, "width width"]

    def embed(self, tokens: Float[Array, " key"]) -> Float[Array, "key width"]:
        """x_i e + p_i."""
        return tokens[:, None] * self.embedding[None, :] + self.positions

    def feature_map(self, stream: Float[Array, "query width"]) -> Float[Array, "query width"]:
        """phi: tanh of a linear map, on each position by itself."""
        return jnp.tanh(stream @ self.hidden.T)

    def pool(self, scores: Float[Array, "query key"], tokens: Float[Array, " key"]) -> Float[Array, " width"]:
        """z = mean_i phi(x_i + H_i)."""
        return pooled_features(scores, self.embed(tokens), self.value_map, self.feature_map)

    def deep_pool(
        self, scores: Float[Array, "query key"], tokens: Float[Array, " key"]
    ) -> Float[Array, " width"]:
        """The same with a second layer, at uniform attention, whose MLP acts on the mean of the first."""
        stream = self.embed(tokens)
        stream = self.feature_map(stream + jax.nn.softmax(scores) @ stream @ self.value_map.T)
        return self.feature_map(2 * stream + stream.mean(axis=0, keepdims=True) @ self.value_map).mean(axis=0)


def reader(key: PRNGKeyArray, position_size: float = 1.0) -> Reader:
    """A Gaussian reader."""
    rows = jax.random.normal(key, (1 + LENGTH + 2 * WIDTH, WIDTH))
    embedding, positions, value_map, hidden = jnp.split(rows, [1, 1 + LENGTH, 1 + LENGTH + WIDTH])
    return Reader(embedding[0], position_size * positions, value_map / WIDTH**0.5, hidden / WIDTH**0.5)
