"""C19, the reconstruction side: at uniform attention and the fitted readout it is not blind. Exact."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import finite_difference_gap, relative_gap, standard_errors_off
from theory.claims.checks.draws import correlation_draw, ring_sequences
from theory.dynamics.adiabatic import fitted_value, residual_covariance
from theory.reconstruction.circulant import circulant, circulant_kernel
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import (
    reconstruction_loss,
    reconstruction_score_gradient,
    reconstruction_value_gradient,
)

LENGTH = 10
SEQUENCES = 20_000


def reconstruction_law(autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """dl/dS_{i,i+r} = -(v*/L^2) Cov(residual_i, x_{i+r}) at uniform attention and v*."""
    share = fitted_value(autocovariance) / len(autocovariance) ** 2
    return -share * residual_covariance(autocovariance)


def reconstruction_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against `jax.grad`, and dl/dv = 0 at v*, for AR(1)."""
    autocovariance = markov_autocovariance(LENGTH, correlation_draw(key))
    value, flat = fitted_value(autocovariance), jnp.zeros((LENGTH, LENGTH))
    by_jax = jax.grad(reconstruction_loss)(flat, value, circulant(autocovariance))
    gap = relative_gap(by_jax, circulant(reconstruction_law(autocovariance)))
    return jnp.maximum(gap, jnp.abs(reconstruction_value_gradient(flat, value, circulant(autocovariance))))


def no_residual_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """AR(1) less each sequence's mean: v* = -L, and jax's gradient there, 0, over that of half the value."""
    autocovariance = markov_autocovariance(LENGTH, correlation_draw(key))
    autocovariance, flat = autocovariance - autocovariance.mean(), jnp.zeros((LENGTH, LENGTH))
    value = fitted_value(autocovariance)
    slope = lambda at: jax.grad(reconstruction_loss)(flat, at, circulant(autocovariance))
    left = relative_gap(slope(value), jnp.zeros_like(flat), scale=slope(value / 2))
    return jnp.maximum(left, jnp.abs(value / LENGTH + 1))


def reconstruction_difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences, for AR(1)."""
    process, direction_key = jax.random.split(key)
    autocovariance = markov_autocovariance(LENGTH, correlation_draw(process))
    loss = lambda scores: reconstruction_loss(scores, fitted_value(autocovariance), circulant(autocovariance))
    law = circulant(reconstruction_law(autocovariance))
    return finite_difference_gap(loss, law, jnp.zeros((LENGTH, LENGTH)), key=direction_key)


def sampled_reconstruction(key: PRNGKeyArray) -> Float[Array, ""]:
    """Per-sequence reconstruction gradients of sampled AR(1) rings at v*, lag by lag, against the law."""
    process, noise = jax.random.split(key)
    correlation = correlation_draw(process)
    autocovariance = markov_autocovariance(LENGTH, correlation)
    flat, value = jnp.zeros((LENGTH, LENGTH)), fitted_value(autocovariance)
    moments = lambda each: jnp.outer(each, each)
    slope = lambda each: circulant_kernel(reconstruction_score_gradient(flat, value, moments(each)))
    sequences = ring_sequences(noise, LENGTH, correlation, SEQUENCES)
    return standard_errors_off(jax.vmap(slope)(sequences), reconstruction_law(autocovariance))
