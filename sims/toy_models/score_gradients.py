"""Gradients and losses of the minimal model on sampled sequences, and what their directions hold.

Scalar tokens, V = 1 for labels. Exact given the sample.   [C2, C3, C8, C9, C10]
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

import theory


def mean_label_loss(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "batch key width"],
    head: Float[Array, "classes width"],
    labels: Int[Array, " batch"],
) -> Float[Array, ""]:
    """Mean over sequences of `theory.label_loss` at V = 1, in nats."""
    value_map = jnp.eye(tokens.shape[-1])
    losses = jax.vmap(theory.label_loss, in_axes=(None, 0, None, None, 0))
    return losses(scores, tokens, value_map, head, labels).mean()


def second_moments(tokens: Float[Array, "batch key"]) -> Float[Array, "key other"]:
    """C_ij = mean_n x_ni x_nj: all that masked reconstruction reads from a sample.   [C8]"""
    return tokens.T @ tokens / len(tokens)


def uniform_value(autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """The v that minimises the reconstruction loss at uniform attention: values settle first.   [C10]"""
    flat = jnp.zeros_like(autocovariance)
    at_zero = theory.reduced_value_gradient(flat, 0.0, autocovariance)
    at_one = theory.reduced_value_gradient(flat, 1.0, autocovariance)
    return at_zero / (at_zero - at_one)


def proximity_direction(autocovariance: Float[Array, " lag"]) -> Float[Array, "query key"]:
    """C(r) minus its mean over r != 0, and 0 at lag 0, as scores with mean square 1. Doubly centred.   [C10]

    Exactly where descent of the reconstruction loss points at uniform attention once the value has
    settled (`uniform_value`), for every L: then lag 0 feels nothing.
    """
    others = (jnp.arange(len(autocovariance)) > 0).astype(autocovariance.dtype)
    kernel = others * (autocovariance - (others @ autocovariance) / others.sum())
    return theory.circulant(kernel / jnp.sqrt(jnp.mean(kernel**2)))


def alignment(gradient: Float[Array, "query key"], direction: Float[Array, "query key"]) -> Float[Array, ""]:
    """cos(-G, D): 1 when descent moves the scores along D. The measured `proximity_alignment`.   [C10]"""
    return -jnp.sum(gradient * direction) / (jnp.linalg.norm(gradient) * jnp.linalg.norm(direction))


def label_gradient_rank(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "batch key width"],
    value_map: Float[Array, "width width"],
    head_gradients: Float[Array, "batch width"],
) -> int:
    """Rank of the label gradients of a batch; more samples than L - 1 find every visible direction.   [C1]"""
    gradients = np.asarray(_per_sample_gradients(scores, tokens, value_map, head_gradients))
    return int(np.linalg.matrix_rank(gradients.reshape(len(gradients), -1)))


@jax.jit
@functools.partial(jax.vmap, in_axes=(None, 0, None, 0))
def _per_sample_gradients(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "key width"],
    value_map: Float[Array, "width width"],
    head_gradient: Float[Array, " width"],
) -> Float[Array, "query key"]:
    return theory.label_score_gradient(scores, tokens, value_map, head_gradient)
