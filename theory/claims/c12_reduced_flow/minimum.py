"""C12's minimum: nearest neighbours reach the bound of a Markov process. Exact for every L >= 3."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import relative_gap, standard_errors_off
from theory.claims.checks.draws import correlation_draw, ring_sequences
from theory.reconstruction.circulant import circulant, reduced_loss, reduced_value_gradient
from theory.reconstruction.markov import (
    markov_autocovariance,
    nearest_neighbour_loss,
    nearest_neighbour_value,
)
from theory.reconstruction.masking import masked_error

LENGTH = 10
SEQUENCES = 20_000


def neighbour_kernel() -> Float[Array, " lag"]:
    """Half of the attention on each neighbour, reached only as scores diverge."""
    lags = jnp.arange(LENGTH)
    return jnp.where((lags == 1) | (lags == LENGTH - 1), 0.0, -jnp.inf)


def markov_process(key: PRNGKeyArray) -> Float[Array, " lag"]:
    """The cyclic AR(1) process."""
    return markov_autocovariance(LENGTH, correlation_draw(key))


def moving_average(key: PRNGKeyArray) -> Float[Array, " lag"]:
    """C = 1 at lag 0, 0.4 at lags 1 and -1, 0 beyond: correlated with its neighbours, not Markov."""
    lags = jnp.arange(LENGTH)
    return jnp.where(lags == 0, 1.0, jnp.where((lags == 1) | (lags == LENGTH - 1), 0.4, 0.0))


def optimality_gap(process, key: PRNGKeyArray) -> Float[Array, ""]:
    """Nearest neighbours, best v, against half the conditional variance: no predictor is below it."""
    autocovariance = process(key)
    flat, twice = (reduced_loss(neighbour_kernel(), v, autocovariance) for v in (0.0, 1.0))
    slope = reduced_value_gradient(neighbour_kernel(), 0.0, autocovariance)
    value = -slope / (2 * (twice - flat - slope))
    best = reduced_loss(neighbour_kernel(), value, autocovariance)
    return relative_gap(best, 0.5 / jnp.linalg.inv(circulant(autocovariance))[0, 0])


def minimum_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The reduced loss at nearest neighbours and v* against l*, and C(0) against 1."""
    correlation = correlation_draw(key)
    autocovariance = markov_autocovariance(LENGTH, correlation)
    reached = reduced_loss(neighbour_kernel(), nearest_neighbour_value(correlation), autocovariance)
    ratios = jnp.stack([reached / nearest_neighbour_loss(LENGTH, correlation), autocovariance[0]])
    return relative_gap(ratios, jnp.ones(2))


def sampled_minimum(key: PRNGKeyArray) -> Float[Array, ""]:
    """Masked error of sampled AR(1) sequences at the minimiser, and its slope in v, against l* and 0."""
    process, noise = jax.random.split(key)
    correlation = correlation_draw(process)
    sequences = ring_sequences(noise, LENGTH, correlation, SEQUENCES)
    scores, first = circulant(neighbour_kernel()), jnp.asarray(0)
    error = lambda value, each: masked_error(
        scores, jnp.full((1, 1), value), each[:, None], first, jnp.arange(LENGTH) == first, jnp.zeros(1)
    )
    best = nearest_neighbour_value(correlation)
    measured = jax.vmap(jax.value_and_grad(error), (None, 0))(best, sequences)
    least = nearest_neighbour_loss(LENGTH, correlation)
    return standard_errors_off(jnp.stack(measured, axis=1), jnp.stack([least, jnp.zeros_like(least)]))
