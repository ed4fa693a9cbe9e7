"""C24's flow: its closed form against the reduced flow of C12, and the starts that it divides."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c11_values_first.claim import joint_flow
from theory.claims.checks.check import relative_gap
from theory.claims.checks.draws import correlation_draw
from theory.claims.checks.exponents import fitted_exponent
from theory.dynamics.value_sign import early_flow_square, flip_threshold
from theory.reconstruction.circulant import reconstruction_kernel_gradient, reduced_value_gradient
from theory.reconstruction.markov import markov_autocovariance

LENGTHS = (64, 128, 256)  # for the fitted order of the correction
LENGTH = 128
START = 0.2  # of a value that begins beside 0, over sqrt(L)
APART = (0.9, 1.1)  # starts on both sides of the threshold, which is off by 2 % here
PER_LAG = float(LENGTH)  # how much faster scores move with one parameter per lag (C12)
STEP = 0.01  # of L^(3/2)


def markov(length: int, key: PRNGKeyArray) -> Float[Array, " lag"]:
    """The cyclic AR(1) process: C > 0, so m > 0."""
    return markov_autocovariance(length, correlation_draw(key))


def centred(length: int, key: PRNGKeyArray) -> Float[Array, " lag"]:
    """The same less each sequence's mean, at variance 1: every sequence sums to 0, so m = -1."""
    autocovariance = markov(length, key)
    return (autocovariance - autocovariance.mean()) / (autocovariance[0] - autocovariance.mean())


def order_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """|fitted exponent in L of the relative error of v^2 along the flow, against -1|, from v = 0 and beyond.

    After L^(3/2)/2; the clock is read off the score of lag 1 over that of the farthest lag.
    """
    errors = []
    for length in LENGTHS:
        autocovariance = centred(length, key)

        def error(start, autocovariance=autocovariance, length=length):
            kernel, value = joint_flow(length**1.5 / 2, start, autocovariance)
            clock = -jnp.expm1(kernel[length // 2] - kernel[1]) / autocovariance[1]
            return relative_gap(value**2, early_flow_square(clock, start, autocovariance))

        errors.append(jax.lax.map(error, jnp.asarray([0.0, -START * length**0.5])))
    return jnp.abs(fitted_exponent(jnp.asarray(LENGTHS, float), jnp.stack(errors)) + 1).max()


def two_values_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The threshold where C is c at two lags and -d at n others: tau = (n d - 2 c)/((n + 2) c d).

    And where the lags balance, 0, or where all of them have one sign, infinity; and v^2 at that tau.
    """
    near, far, others = 0.3 + 0.3 * jax.random.uniform(key), 0.25, LENGTH - 3
    lags = jnp.arange(LENGTH)
    autocovariance = jnp.where(lags == 0, 1.0, jnp.where((lags == 1) | (lags == LENGTH - 1), near, -far))
    clock = (others * far - 2 * near) / ((others + 2) * near * far)
    squared = 2 * LENGTH * (2 * jnp.log(1 - near * clock) + others * jnp.log(1 + far * clock))
    balanced = jnp.where(jnp.abs(autocovariance - near) < 0.1, others * far / 2, autocovariance)  # m = 0
    ends = flip_threshold(balanced), 1 / flip_threshold(jnp.abs(autocovariance))  # 0, and infinity
    along = relative_gap(early_flow_square(clock, START, autocovariance), START**2 - squared)
    return relative_gap(flip_threshold(autocovariance), jnp.sqrt(squared)) + along + jnp.stack(ends).max()


def turn_gap(speed: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """How many of two starts beside the threshold end on the wrong side, scores moving `speed` times as fast.

    A flow is decided where the value has crossed 0, or where it begins to grow.
    """
    autocovariance = centred(LENGTH, key)
    duration = STEP * LENGTH**1.5

    def undecided(state):
        kernel, value = state
        return (value > 0) & (reduced_value_gradient(kernel, value, autocovariance) > 0)

    def step(state):
        kernel, value = state
        by_kernel = speed / LENGTH * reconstruction_kernel_gradient(kernel, value, autocovariance)
        by_value = reduced_value_gradient(kernel, value, autocovariance)
        return kernel - duration * by_kernel, value - duration * by_value

    def keeps(share):
        start = share * flip_threshold(autocovariance)
        return jax.lax.while_loop(undecided, step, (jnp.zeros(LENGTH), start))[1] > 0

    positive = jax.lax.map(keeps, jnp.asarray(APART))
    return jnp.sum(positive != jnp.asarray([False, True])).astype(autocovariance.dtype)
