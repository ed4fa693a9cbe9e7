"""C29, open ends: what reconstruction shows to labels on a line. Leading order in 1/L."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import (
    Claim,
    autodiff,
    counterexample,
    finite_difference,
    finite_difference_gap,
    relative_gap,
    simulation,
    standard_errors_off,
    symbolic,
)
from theory.claims.checks.draws import correlation_draw, gaussian_sequences, open_markov_covariance
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import reconstruction_loss, reconstruction_score_gradient
from theory.reconstruction.masked_proximity import line_visible_share

LENGTHS = (128, 256)
SMALL, SEQUENCES, LARGEST_EXACT = 8, 70_000, 8

v, correlation = sympy.symbols("v rho", real=True)


def column_sums() -> Iterator[sympy.Expr]:
    """L = 2..8, every key: sum_k rho^|k - j| = (1 + rho - rho^(j+1) - rho^(L-j))/(1 - rho)."""
    for length in range(2, LARGEST_EXACT + 1):
        for key in range(length):
            whole = sum(correlation ** abs(key - each) for each in range(length))
            lacking = correlation ** (key + 1) + correlation ** (length - key)
            yield sympy.cancel(whole - (1 + correlation - lacking) / (1 - correlation))


def share_of_the_ends() -> Iterator[sympy.Expr]:
    """Certificate: what the ends lack, squared and summed, over the squared autocovariance, by the geometric sum."""
    count = sympy.Symbol("n", integer=True, positive=True)
    partial = lambda n: correlation**2 * (1 - correlation ** (2 * n)) / (1 - correlation**2)
    yield partial(0)
    yield sympy.simplify(partial(count + 1) - partial(count) - correlation ** (2 * count + 2))
    squares = correlation**2 / (1 - correlation**2)
    ends, lags = 2 * (v * (1 - v) / (1 - correlation)) ** 2 * squares, 2 * v**2 * squares
    yield sympy.cancel(ends / lags - ((1 - v) / (1 - correlation)) ** 2)


def share_where_the_value_settles() -> Iterator[sympy.Expr]:
    """v = (T - 1)/T with T = (1 + rho)/(1 - rho) leaves 1/(1 + rho)."""
    everything = (1 + correlation) / (1 - correlation)
    value = sympy.cancel((everything - 1) / everything)
    yield sympy.cancel((1 - value) / (1 - correlation) - 1 / (1 + correlation))


def on_a_line(length: int, rho) -> Float[Array, "query key"]:
    """AR(1) between two ends."""
    return open_markov_covariance(length, rho)


def on_a_ring(length: int, rho) -> Float[Array, "query key"]:
    """The same, closed."""
    return circulant(markov_autocovariance(length, rho))


def moving_sum(length: int, rho) -> Float[Array, "query key"]:
    """A process on a line that is not AR(1): neighbours alone are correlated."""
    distances = jnp.abs(jnp.arange(length)[:, None] - jnp.arange(length)[None, :])
    return jnp.where(distances == 0, 1.0, jnp.where(distances == 1, rho / 2, 0.0))


def independent(length: int, rho) -> Float[Array, "query key"]:
    """Tokens that are independent, on a line as on a ring."""
    return jnp.eye(length)


def share(gradient: Float[Array, "query key"]) -> Float[Array, ""]:
    """The key bias in a gradient, of its squared norm."""
    return len(gradient) * jnp.sum(gradient.mean(axis=0) ** 2) / jnp.sum(gradient**2)


def limit_gap(covariance_of, value_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's share over the leading law, extrapolated in 1/L from two lengths, against 1: ten times the gap, so
    that a relative error of one per cent is seen."""
    rho = correlation_draw(key)

    def ratio(length):
        loss = lambda scores: reconstruction_loss(scores, value_of(rho), covariance_of(length, rho))
        gradient = jax.grad(loss)(jnp.zeros((length, length)) * rho)  # not a constant, or it would be folded
        return share(gradient) / line_visible_share(value_of(rho), rho, length)

    first, second = (ratio(length) for length in LENGTHS)
    return 10 * jnp.abs(2 * second - first - 1)


def small(rho) -> Float[Array, ""]:
    """A small value: share 1/((1 - rho) L)^2."""
    return 0.01 * jnp.ones_like(rho)


def at_rest(rho) -> Float[Array, ""]:
    """The value that reconstruction settles at: share 1/((1 + rho) L)^2."""
    return 2 * rho / (1 + rho)


def settled_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law at the settled value against 1/((1 + rho) L)^2."""
    rho = correlation_draw(key)
    return relative_gap(line_visible_share(at_rest(rho), rho, 50), 1 / ((1 + rho) * 50) ** 2)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Slopes along key biases, by central differences, against C8's gradient on a line."""
    rho, directions = correlation_draw(key), jax.random.normal(key, (4, 1, SMALL))
    covariance, flat = on_a_line(SMALL, rho), jnp.zeros((SMALL, SMALL))
    loss = lambda scores: reconstruction_loss(scores, 0.3, covariance)
    closed = reconstruction_score_gradient(flat, 0.3, covariance)
    along = jnp.broadcast_to(directions, (4, SMALL, SMALL))
    return finite_difference_gap(loss, closed, flat, key=key, directions=along)


def sampled_columns(key: PRNGKeyArray) -> Float[Array, ""]:
    """Key biases in the gradients of sampled lines against the population's, for tokens whose ends tell."""
    rho, noise = (1 + correlation_draw(key)) / 2, jax.random.fold_in(key, 1)
    covariance, flat = on_a_line(SMALL, rho), jnp.zeros((SMALL, SMALL))
    sequences = gaussian_sequences(noise, covariance, SEQUENCES)
    columns = lambda moments: reconstruction_score_gradient(flat, 0.5, moments).mean(axis=0)
    each = jax.vmap(lambda tokens: columns(jnp.outer(tokens, tokens)))(sequences)
    return standard_errors_off(each, columns(covariance))


CLAIM = Claim(
    label="C29",
    title="Open ends",
    statement=(
        "On a line, not a ring, labels see reconstruction's gradient through the two ends alone: for AR(1) and "
        "uniform attention a share ((1 - v)/((1 - rho) L))^2 of its squared norm is a key bias, to leading order in "
        "1/L. That is 1/((1 - rho) L)^2 for small values and 1/((1 + rho) L)^2 at the value that settles, v = 2 "
        "rho/(1 + rho). On a ring it is exactly 0 (C9): what C9 says of a ring holds of a long line."
    ),
    regime=(
        "Exact column sums for every L; the share is leading order in 1/L with relative error O(1/L), in the "
        "population, at uniform attention, for 0 < |rho| < 1 and v neither 0 nor 1. Column sums in exact arithmetic "
        "for L = 2..8; sptlab's own statement."
    ),
    formula=r"\mathrm{share} \to \left( \frac{1 - v}{(1 - \rho) L} \right)^{2}",
    checks=(
        symbolic("column sums of AR(1), L = 2..8", column_sums),
        symbolic("certificate: the share of the ends", share_of_the_ends),
        symbolic("the share where the value settles", share_where_the_value_settles),
        autodiff(
            "small value: jax's share over the law, extrapolated",
            functools.partial(limit_gap, on_a_line, small),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        autodiff(
            "settled value: jax's share over the law, extrapolated",
            functools.partial(limit_gap, on_a_line, at_rest),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        autodiff("the law at the settled value", settled_gap),
        finite_difference("slopes along key biases", difference_gap),
        simulation("key biases of sampled lines", sampled_columns),
        counterexample(
            "closed into a ring",
            functools.partial(limit_gap, on_a_ring, small),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        counterexample(
            "independent tokens, rho = 0",
            functools.partial(limit_gap, independent, small),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        counterexample(
            "a moving average", functools.partial(limit_gap, moving_sum, small), tolerance=ASYMPTOTIC_EXPONENT
        ),
    ),
)
