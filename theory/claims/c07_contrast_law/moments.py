"""C7's moments: the statistic x^T D x within classes, and the signals it gives both losses."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c07_contrast_law.samples import LENGTH, VALUE, classes
from theory.claims.checks.check import relative_gap
from theory.claims.checks.draws import open_markov_covariance
from theory.reconstruction.circulant import circulant
from theory.reconstruction.masked_loss import without_lag_zero
from theory.statistics.class_contrast import (
    class_contrast,
    contrast_direction,
    fluctuation_imbalance,
    label_signal,
    pair_moments,
    reconstruction_signal,
)

HEAD = 1.3


def line_classes() -> Float[Array, "classes query key"]:
    """Two AR(1) classes on a line, whose ends differ from their middle."""
    return jnp.stack([open_markov_covariance(LENGTH, jnp.asarray(each)) for each in (0.4, 0.7)])


def blind_direction(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """A random circulant that is doubly centred with diagonal 0, different on its two sides."""
    kernel = without_lag_zero(jax.random.normal(key, (LENGTH,)))
    return circulant(without_lag_zero(kernel - kernel.sum() / (LENGTH - 1)))


def moments_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean and variance of x^T D x, and its covariance with z, against their generating function by jax."""
    direction, covariance = blind_direction(key), line_classes()[1]
    passed = jnp.eye(LENGTH) + VALUE / LENGTH
    forms = jnp.stack([(direction + direction.T) / 2, passed @ passed / (2 * LENGTH)])

    def cumulants(amounts):
        tilted = jnp.eye(LENGTH) - 2 * jnp.tensordot(amounts, forms, axes=1) @ covariance
        return -jnp.linalg.slogdet(tilted)[1] / 2

    slope = jax.grad(cumulants)
    first, second = slope(jnp.zeros(2)), jax.jacfwd(slope)(jnp.zeros(2))
    moments = jnp.stack([first[0], second[0, 0], HEAD * second[0, 1] / (2 * first[0])])
    imbalance = fluctuation_imbalance(HEAD, VALUE, direction, covariance)
    return relative_gap(moments, jnp.stack([*pair_moments(direction, covariance), imbalance]))


def one_sided_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """2 tr(D C D C) without making D symmetric, for the one-sided lag 1, against the variance of x^T D x."""
    direction, covariance = jnp.roll(jnp.eye(LENGTH), 1, axis=1), line_classes()[1]
    spread = direction @ covariance
    return relative_gap(2 * jnp.sum(spread * spread.T), pair_moments(direction, covariance)[1])


def signal_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Both signals against squared mean over variance, from each class's moments, at a random tau."""
    direction, signs = neighbours_against_others(), jnp.asarray([-1.0, 1.0])
    means, variances = jax.vmap(pair_moments, (None, 0))(direction, classes())
    imbalance = jax.random.uniform(key)
    ratios = []
    for factors in (imbalance - signs, jnp.ones(2)):
        mean, power = (factors * means).mean(), (factors**2 * (variances + means**2)).mean()
        ratios.append(mean**2 / (power - mean**2))
    pair = class_contrast(contrast_direction(LENGTH, 1), classes())
    claimed = label_signal(pair, imbalance), reconstruction_signal(pair)
    signals = relative_gap(jnp.stack(ratios), jnp.stack(claimed))
    lags = (1, 3, LENGTH // 2)  # the last is its own opposite
    directions = [
        jnp.stack([contrast_direction(LENGTH, lag), neighbours_against_others(lag)]) for lag in lags
    ]
    return jnp.maximum(signals, relative_gap(*jnp.stack(directions, axis=1)))


def neighbours_against_others(lag: int = 1) -> Float[Array, "query key"]:
    """1/2 at either lag on the ring, less 1/(L - 1) off the diagonal."""
    beside = jnp.roll(jnp.eye(LENGTH), lag, axis=1) + jnp.roll(jnp.eye(LENGTH), -lag, axis=1)
    return beside / 2 - (1 - jnp.eye(LENGTH)) / (LENGTH - 1)


def exponent_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """As classes approach: fitted exponents in kappa, of the label's signal (2) and the other's (0)."""
    direction = contrast_direction(LENGTH, 1)
    pairs = [class_contrast(direction, classes(apart)) for apart in (0.1, 0.05, 0.025)]
    slope = lambda values: jnp.log(values[0] / values[2]) / jnp.log(pairs[0].kappa / pairs[2].kappa)
    label = slope([label_signal(pair) for pair in pairs])
    other = slope([reconstruction_signal(pair) for pair in pairs])
    return jnp.maximum(jnp.abs(label - 2), jnp.abs(other))
