"""Random settings that the checks of several claims share. Every draw is a function of its key."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from theory.label_blindness.labels import label_score_gradient
from theory.minimal_model.attention import attention_weights, label_loss, pooled
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance

WIDTH = 5
CLASSES = 3
VARIANCE = 1.3  # of a token: not 1, so that a variance left out is seen


class LabelledSequence(NamedTuple):
    """One sequence, its label, and a minimal model to read it with."""

    tokens: Float[Array, "key width"]
    value_map: Float[Array, "width width"]
    head: Float[Array, "classes width"]
    label: Int[Array, ""]

    def loss(self, scores: Float[Array, "query key"]) -> Float[Array, ""]:
        """The label loss as a function of the scores alone."""
        return label_loss(scores, self.tokens, self.value_map, self.head, self.label)

    def head_gradient(self, scores: Float[Array, "query key"]) -> Float[Array, " width"]:
        """u = W^T (p - y) at the pooled vector, p = softmax(W z): dl/dz without differentiating the loss."""
        logits = self.head @ pooled(scores, self.tokens, self.value_map)
        wanted = jax.nn.one_hot(self.label, len(logits), dtype=logits.dtype)
        return self.head.T @ (jax.nn.softmax(logits) - wanted)

    def score_gradient(self, scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
        """The closed form of dl/dS."""
        return label_score_gradient(scores, self.tokens, self.value_map, self.head_gradient(scores))


def labelled_sequence(key: PRNGKeyArray, length: int) -> LabelledSequence:
    """Gaussian tokens, value map and head, from one draw; label 1 of 3."""
    rows = jax.random.normal(key, (length + WIDTH + CLASSES, WIDTH))
    tokens, value_map, head = jnp.split(rows, [length, length + WIDTH])
    return LabelledSequence(tokens, value_map / WIDTH**0.5, head, jnp.asarray(1))


def gaussian_scores(key: PRNGKeyArray, length: int, scale: float = 1.0) -> Float[Array, "query key"]:
    """Independent Gaussian scores."""
    return scale * jax.random.normal(key, (length, length))


def correlation_draw(key: PRNGKeyArray) -> Float[Array, ""]:
    """A neighbour correlation between 0.3 and 0.8."""
    return jax.random.uniform(key, minval=0.3, maxval=0.8)


def even_autocovariance(key: PRNGKeyArray, length: int) -> Float[Array, " lag"]:
    """C(r) of a random cyclically stationary process: even, with a positive spectrum, C(0) = 1.3."""
    spectrum = jax.random.uniform(key, (length,), minval=0.1, maxval=2.0)
    covariance = jnp.fft.ifft(spectrum + jnp.roll(spectrum[::-1], 1)).real
    return VARIANCE * covariance / covariance[0]


def open_markov_covariance(length: int, correlation: Float[Array, ""]) -> Float[Array, "query key"]:
    """C_ij = rho^|i-j|: the AR(1) process on a line, Toeplitz but not circulant."""
    powers = jnp.cumprod(jnp.broadcast_to(correlation, (length,))) / correlation
    positions = jnp.arange(length)
    return powers[jnp.abs(positions[:, None] - positions[None, :])]


def gaussian_sequences(
    key: PRNGKeyArray, covariance: Float[Array, "query key"], number: int
) -> Float[Array, "sample key"]:
    """`number` zero-mean Gaussian sequences of scalar tokens with the given covariance."""
    return jax.random.normal(key, (number, len(covariance))) @ jnp.linalg.cholesky(covariance).T


def ring_sequences(
    key: PRNGKeyArray, length: int, correlation: Float[Array, ""], number: int
) -> Float[Array, "sample key"]:
    """`number` sequences of the cyclic AR(1) process."""
    return gaussian_sequences(key, circulant(markov_autocovariance(length, correlation)), number)


def hard_lookups(
    key: PRNGKeyArray, scores: Float[Array, "query key"], number: int
) -> Int[Array, "sample query"]:
    """Keys drawn as hard attention would: in each sample, query i picks key j with chance A_ij."""
    return jax.random.categorical(key, jnp.log(attention_weights(scores)), shape=(number, len(scores)))
