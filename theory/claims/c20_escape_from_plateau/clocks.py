"""C20's clocks: the path out, a ridge, reconstruction, queries and keys. Exact flows."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import relative_gap
from theory.claims.checks.draws import even_autocovariance
from theory.claims.checks.exponents import fitted_exponent
from theory.dynamics.escape import (
    escape_rate,
    escape_time,
    factored_escape_time,
    first_order_time,
    noisy_spread,
    plateau_path,
    sign_drift,
    slow_factored_time,
)
from theory.reconstruction.circulant import circulant
from theory.reconstruction.masked_loss import proximity_law, reconstruction_loss

RING, VALUE = 8, 0.7
FLOW_STEPS = 2000  # of Runge and Kutta


def path_gap(claimed, key: PRNGKeyArray) -> Float[Array, ""]:
    """The path of the claimed curvature against the exponential of the flow, for k > 0 and for k = 0."""
    curvature, contrast = jax.random.uniform(key, (2,), minval=0.5, maxval=1.5)
    return jnp.maximum(
        *(path_gap_at(claimed, each, contrast) for each in (curvature, jnp.zeros_like(curvature)))
    )


def path_gap_at(claimed, curvature: Float[Array, ""], contrast: Float[Array, ""]) -> Float[Array, ""]:
    """The same at one k and sigma: the flow's matrix is [[-k, sigma], [sigma, 0]]."""
    times = jnp.linspace(0.1, 4.0, 5)
    flow = jnp.stack([jnp.stack([-curvature, contrast]), jnp.stack([contrast, jnp.zeros(())])])
    rates, ways = jnp.linalg.eigh(flow)
    exact = 0.3 * jnp.exp(times[:, None] * rates[None, :]) @ ways[1] ** 2
    return relative_gap(plateau_path(times, 0.3, claimed(curvature), contrast), exact)


def clock_of_each_loss_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The rate with a ridge; the size that the exact flow of the label's loss reaches at its time; and what is
    left without a way out: a path that stays, noise that adds up step by step; and the mean sign of a Gaussian."""
    curvature, contrast, penalty = jax.random.uniform(key, (3,), minval=0.5, maxval=1.5)
    hessian = jnp.stack([jnp.stack([curvature, -contrast]), jnp.stack([-contrast, penalty])])
    largest, (scale, size) = jnp.linalg.eigvalsh(-hessian)[1], (0.01, 2.0)
    rate = escape_rate(curvature, contrast, penalty)
    grown = scale * jnp.exp(largest * escape_time(scale, size, rate))
    still = jnp.stack([plateau_path(contrast, scale, 0.0, 0.0), escape_rate(0.0, 0.0) + scale])
    gaps = [
        relative_gap(rate, largest),
        relative_gap(grown, jnp.asarray(size)),
        relative_gap(still, scale + 0 * still),
    ]
    for escape in (rate, 0.0 * rate):
        add_up = lambda _, square, each=escape: (1 + 0.5 * each) ** 2 * square + (0.5 * contrast) ** 2
        walked = jax.lax.fori_loop(0, 5, add_up, jnp.asarray(size**2))
        gaps.append(relative_gap(noisy_spread(5.0, size, escape, 0.5, contrast), walked))
    chances = jax.scipy.stats.norm.cdf(jnp.stack([1.0, -1.0]) * contrast / penalty)
    gaps.append(relative_gap(sign_drift(contrast, penalty), chances[0] - chances[1]))
    return jnp.stack(gaps).max()


def first_order_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Ten steps of descent on the masked loss from uniform attention: their way along -G over the claim."""
    autocovariance, distance, steps = even_autocovariance(key, RING), 1e-9, 10
    law = circulant(proximity_law(VALUE, autocovariance))
    interval = first_order_time(distance, law) / steps
    slope = lambda scores: jax.grad(reconstruction_loss)(scores, VALUE, circulant(autocovariance))
    descend = lambda _, scores: scores - interval * slope(scores)
    reached = jax.lax.fori_loop(0, steps, descend, jnp.zeros((RING, RING)))
    return jnp.abs(jnp.vdot(reached, law) / jnp.linalg.norm(law) / distance - 1)


def factored_flow(start, curvature, contrast, duration) -> Float[Array, " amplitude"]:
    """Head, query and key amplitudes after gradient flow of k w^2/2 - sigma w q k, by Runge and Kutta."""
    interval = duration / FLOW_STEPS
    slope = lambda state: contrast * jnp.prod(state) / state - jnp.stack([curvature, 0.0, 0.0]) * state

    def step(_, state):
        first = slope(state)
        second = slope(state + interval / 2 * first)
        third = slope(state + interval / 2 * second)
        fourth = slope(state + interval * third)
        return state + interval / 6 * (first + 2 * second + 2 * third + fourth)

    return jax.lax.fori_loop(0, FLOW_STEPS, step, start)


def factored_gap(curvature: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """The amplitudes at the time 1/(e sigma) - 1/(A sigma) over A; the claim is for k = 0."""
    contrast, scale, size = jax.random.uniform(key, minval=0.5, maxval=1.5), 0.2, 0.6
    duration = factored_escape_time(scale, size, contrast)
    reached = factored_flow(jnp.full(3, scale), jnp.asarray(curvature), contrast, duration)
    return jnp.abs(reached / size - 1).max()


def slow_factored_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """For k > 0: fitted exponent in e of the relative error of the size at the claimed time, against 2."""
    curvature, contrast = jax.random.uniform(key, (2,), minval=0.5, maxval=1.5)
    scales = jnp.asarray([0.05, 0.025, 0.0125])

    def error(share):
        scale = share * curvature / contrast
        duration = slow_factored_time(scale, 2 * scale, curvature, contrast)
        start = jnp.stack([contrast * scale**2 / curvature, scale, scale])  # the head follows
        return jnp.abs(factored_flow(start, curvature, contrast, duration)[1] / (2 * scale) - 1)

    return jnp.abs(fitted_exponent(scales, jax.lax.map(error, scales)) - 2)
