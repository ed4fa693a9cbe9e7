"""C7 sampled: two Gaussian classes, and what both losses make of their sequences."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import standard_errors_off
from theory.claims.checks.draws import gaussian_sequences
from theory.claims.checks.feature_maps import squared
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance
from theory.statistics.class_contrast import (
    class_contrast,
    contrast_direction,
    fluctuation_imbalance,
    label_signal,
    pair_moments,
    reconstruction_signal,
)

LENGTH = 8
VALUE, SMALL_HEAD = 0.7, 0.01
IMBALANCE = 0.3
SEQUENCES = 30_000


def classes(apart: float = 0.2) -> Float[Array, "classes query key"]:
    """Covariances of two AR(1) classes, of correlations 0.6 -/+ half of `apart`."""
    return jnp.stack([circulant(markov_autocovariance(LENGTH, 0.6 + s * apart / 2)) for s in (-1, 1)])


def sampled_deviation(tails: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean and power of both losses' pulls on sampled rings, prediction not at 1/2, against the law.

    With `tails`, each sequence is scaled at random, its covariance kept.
    """
    draw, size = jax.random.split(key)
    scales = jnp.sqrt(1 + tails * jax.random.rademacher(size, (SEQUENCES, 1), dtype=float))
    rings = [gaussian_sequences(draw, each, SEQUENCES) * scales for each in classes()]
    direction, pair = contrast_direction(LENGTH, 1), class_contrast(contrast_direction(LENGTH, 1), classes())
    forms = jnp.stack([jnp.sum(each @ direction * each, axis=1) for each in rings]) / pair.pooled
    signs = jnp.asarray([[-1.0], [1.0]])
    label, masked = (IMBALANCE - signs) * forms, forms
    moments = jnp.stack([label, label**2, masked, masked**2], axis=-1).mean(axis=0)
    mean, signals = IMBALANCE - pair.kappa, (label_signal(pair, IMBALANCE), reconstruction_signal(pair))
    powers = mean**2 * (1 + 1 / signals[0]), 1 + 1 / signals[1]
    return standard_errors_off(moments, jnp.stack([mean, powers[0], jnp.ones(()), powers[1]]))


def fluctuation_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Classes that agree: E[(p - 1/2)(q - m)] for p = sigmoid(w (z - E z)) against tau_w m / 2.

    At v < 0 the mean token is damped, so that z and q vary together and few sequences show their covariance;
    q - m in place of q, as E[p - 1/2] is of order w^2.
    """
    covariance, direction = classes()[1], contrast_direction(LENGTH, 1)
    rings = gaussian_sequences(key, covariance, 3 * SEQUENCES)  # products of squares have heavy tails
    vectors = squared(rings - VALUE * rings.mean(axis=1, keepdims=True)).mean(axis=1)
    passed = jnp.eye(LENGTH) - VALUE / LENGTH
    centre = jnp.sum(passed * (passed @ covariance)) / (2 * LENGTH)
    rates = jax.nn.sigmoid(SMALL_HEAD * (vectors - centre)) - 0.5
    mean = pair_moments(direction, covariance)[0]
    law = fluctuation_imbalance(SMALL_HEAD, -VALUE, direction, covariance) * mean / 2
    return standard_errors_off(rates * (jnp.sum(rings @ direction * rings, axis=1) - mean), law)
