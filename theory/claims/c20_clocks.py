"""C20's clocks: the path out, a ridge, queries and keys, noise, normalised steps. Exact flows."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.check import relative_gap, standard_errors_off
from theory.escape import (
    escape_rate,
    escape_time,
    factored_escape_time,
    first_order_time,
    noisy_spread,
    plateau_path,
    sign_drift,
)

WALKERS, STEPS = 20_000, 30


def path_gap(claimed, key: PRNGKeyArray) -> Float[Array, ""]:
    """The path of the claimed curvature against the exponential of the flow, curvature k included."""
    curvature, contrast = jax.random.uniform(key, (2,), minval=0.5, maxval=1.5)
    times = jnp.linspace(0.1, 4.0, 5)
    flow = jnp.stack([jnp.stack([-curvature, contrast]), jnp.stack([contrast, jnp.zeros(())])])
    rates, ways = jnp.linalg.eigh(flow)
    exact = jnp.exp(times[:, None] * rates[None, :]) @ ways[1] ** 2
    return relative_gap(plateau_path(times, 1.0, claimed(curvature), contrast), exact)


def clock_of_each_loss_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The rate with a ridge; and the size that the exact flow of each loss reaches at its time."""
    curvature, contrast, penalty = jax.random.uniform(key, (3,), minval=0.5, maxval=1.5)
    hessian = jnp.stack([jnp.stack([curvature, -contrast]), jnp.stack([-contrast, penalty])])
    largest, (scale, size) = jnp.linalg.eigvalsh(-hessian)[1], (0.01, 2.0)
    rate = escape_rate(curvature, contrast, penalty)
    grown = scale * jnp.exp(largest * escape_time(scale, size, rate))
    moved = first_order_time(size, hessian) * hessian  # descent with a constant gradient
    ends = jnp.stack([grown, jnp.vdot(moved, hessian) / jnp.linalg.norm(hessian)])
    return jnp.maximum(relative_gap(rate, largest), relative_gap(ends, jnp.full(2, size)))


def factored_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Runge-Kutta on head, query and key amplitudes until the predicted time, against the size."""
    contrast, scale, size, steps = jax.random.uniform(key, minval=0.5, maxval=1.5), 0.2, 0.6, 400
    interval = factored_escape_time(scale, size, contrast) / steps
    slope = lambda state: contrast * jnp.prod(state) / state

    def step(_, state):
        first = slope(state)
        second = slope(state + interval / 2 * first)
        third = slope(state + interval / 2 * second)
        fourth = slope(state + interval * third)
        return state + interval / 6 * (first + 2 * second + 2 * third + fourth)

    reached = jax.lax.fori_loop(0, steps, step, jnp.full(3, scale))
    return jnp.abs(reached / size - 1).max()


def noisy_walk(key: PRNGKeyArray) -> Float[Array, ""]:
    """Noisy descent along the escape direction from near 0: mean square and mean sign against the laws."""
    rate, learning_rate, noise, scale = 0.3, 0.2, 0.5, 0.05
    draws = noise * jax.random.normal(key, (STEPS, WALKERS))
    step = lambda walkers, draw: (walkers + learning_rate * (rate * walkers + draw), None)
    walkers, _ = jax.lax.scan(step, jnp.full(WALKERS, scale), draws)
    found = jnp.stack([walkers**2, jnp.sign(0.3 + draws[0])], axis=1)
    expected = [noisy_spread(1.0 * STEPS, scale, rate, learning_rate, noise), sign_drift(0.3, noise)]
    return standard_errors_off(found, jnp.stack(expected))
