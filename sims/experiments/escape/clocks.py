"""When scores leave: gradient flow of both losses from one small start, measured and predicted.   [C20]

Descent runs until every seed has left, so one program serves any time.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

import theory
from sims.processes import ar1, spectrum
from sims.toy_models.quadratic_ring import (
    Parameters,
    Plateau,
    Rings,
    autocovariance_of,
    label_loss,
    paired_rings,
    plateau_of,
    pooled_squares,
)

POINTS = 300  # steps of reconstruction's descent
SHARES = (1.0, 0.1)  # of the size at which reconstruction has left, for the order of what C20 leaves out
HALVES = (1.0, 0.5)  # the same for labels, whose law holds to second order
EARLY = (0.05, 0.02)  # of the size, where labels still follow the loss to second order
_MAX_STEPS = 400_000  # steps; a run that is still on the plateau then has no time
MEAN_LOG = 0.5 * (np.euler_gamma + np.log(2))  # -E log|N(0, 1)|: how far a random start lies below its scale


class Crossing(NamedTuple):
    """A descent on its way out."""

    parameters: PyTree
    size: Float[Array, ""]
    steps: Float[Array, ""]
    left: Float[Array, " size"]
    """When it grew to each size, between two steps; `_MAX_STEPS` while it has not."""


def random_start(length: int, scale: Float[Array, ""], *, key: PRNGKeyArray) -> Parameters:
    """A zero head, and the circulant part of scores with N(0, scale^2) entries."""
    zero = jnp.zeros(())
    return Parameters(zero, zero, scale * jax.random.normal(key, (length,)))


def moments(step, measure, start, sizes: Float[Array, " size"]) -> Float[Array, " size"]:
    """`step(parameters, number)` until `measure` has reached every size; log-linear between two steps."""

    def going(state: Crossing) -> Bool[Array, ""]:
        return (state.size < sizes.max()) & (state.steps < _MAX_STEPS)

    def onward(state: Crossing) -> Crossing:
        moved = step(state.parameters, state.steps.astype(int))
        after = measure(moved)
        part = jnp.log(sizes / state.size) / jnp.log(after / state.size)
        reached = (state.left == _MAX_STEPS) & (after >= sizes)
        return Crossing(moved, after, state.steps + 1, jnp.where(reached, state.steps + part, state.left))

    never = jnp.full(sizes.shape, float(_MAX_STEPS))
    return jax.lax.while_loop(going, onward, Crossing(start, measure(start), jnp.zeros(()), never)).left


def steps_until(step, measure, start, size: Float[Array, ""]) -> Float[Array, ""]:
    """The moment of one size."""
    return moments(step, measure, start, size[None])[0]


def descent(rings: Rings, value: Float[Array, ""], learning_rate: float):
    """One step of full-batch gradient descent on the label loss."""
    centre = pooled_squares(jnp.zeros(2 * rings.powers.shape[1] - 2), value, rings.powers).mean()
    gradient = jax.grad(lambda parameters: label_loss(parameters, value, rings, centre))

    def step(parameters: Parameters, _: Array) -> Parameters:
        return jax.tree.map(lambda old, slope: old - learning_rate * slope, parameters, gradient(parameters))

    return step


def _predicted_steps(
    plateau: Plateau, start: Float[Array, ""], size: Float[Array, ""], learning_rate: float
) -> Float[Array, ""]:
    """`theory.escape_steps` from the part of the start that grows: a(0) (gamma + k)/(2 gamma + k)."""
    rate = plateau.rate()
    growing = jnp.abs(start) * (rate + plateau.curvature) / (2 * rate + plateau.curvature)
    return theory.escape_steps(growing, size, rate, learning_rate)


def times(config, length: int, scale: float, *, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """Time of each seed to leave, by labels and by reconstruction (`hidden`), with predictions."""
    power = spectrum(ar1(length, config.correlation).autocovariance)
    seeds = jax.random.split(key, config.seeds)
    arrays = _times(power, jnp.asarray(scale), jnp.asarray(config.value), config, seeds)
    return {name: np.asarray(array) for name, array in arrays.items()}


@partial(jax.jit, static_argnames="config")
@partial(jax.vmap, in_axes=(None, None, None, None, 0))
def _times(power, scale, value, config, seed) -> dict[str, Float[Array, ""]]:
    data_key, start_key = jax.random.split(seed)
    length, rate = len(power), config.learning_rate
    rings = paired_rings(power, config.pairs, key=data_key)
    plateau, start = plateau_of(rings, value, length), random_start(length, scale, key=start_key)
    size = jnp.asarray(config.size * length)
    hidden = _reconstruction_times(
        autocovariance_of(rings.powers, length), start.amplitude, size * jnp.asarray(SHARES)
    )
    return _label_times(descent(rings, value, rate), plateau, start, size, rate) | hidden


def _label_times(
    step, plateau: Plateau, start: Parameters, size: Float[Array, ""], rate: float
) -> dict[str, Float[Array, "..."]]:
    """Time to leave and, `early`, to grow to a twentieth of that, and the growth from a fiftieth; with C20's.

    Each is the mean over both ways out, from the start and from its mirror image: what one way gains by the
    loss's third order the other loses, up to the square of the size; `delay`: what the law leaves after that.
    """
    begun = start.amplitude @ plateau.direction
    along = lambda parameters: jnp.abs(parameters.amplitude @ plateau.direction)
    mirrored = start._replace(amplitude=start.amplitude - 2 * begun * plateau.direction)
    sizes = size * jnp.asarray(HALVES + EARLY)
    both = jax.tree.map(lambda *ways: jnp.stack(ways), start, mirrored)
    left = rate * jax.vmap(lambda way: moments(step, along, way, sizes))(both).mean(axis=0)
    law = rate * jax.vmap(lambda each: _predicted_steps(plateau, begun, each, rate))(sizes)
    return {
        "label": left[0],
        "label_predicted": law[0],
        "early": left[2],
        "early_predicted": law[2],
        "delay": (left - law)[:2] - (left - law)[2],
        "growth": jnp.log(sizes[2] / sizes[3]) / (left[2] - left[3]),
        "growth_predicted": jnp.log1p(rate * plateau.rate()) / rate,
        "rate": plateau.rate(),
    }


def _reconstruction_times(
    autocovariance: Float[Array, " lag"], start: Float[Array, " lag"], sizes: Float[Array, " size"]
) -> dict[str, Float[Array, "..."]]:
    """Time until descent of the reconstruction loss at the fitted value has moved by each size; and by C20.

    `hidden_ratio` holds measured over predicted for every size, `hidden` the time of the first."""
    root, value = jnp.sqrt(1.0 * len(start)), theory.fitted_value(autocovariance)
    slope = lambda amplitude: (
        theory.reconstruction_kernel_gradient(amplitude / root, value, autocovariance) / root
    )
    pull = slope(jnp.zeros_like(start))
    way = -pull / jnp.linalg.norm(pull)

    def measured(size: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        predicted = theory.first_order_time(size, pull)
        every = predicted / POINTS
        step = lambda amplitude, _: amplitude - every * slope(amplitude)
        left = steps_until(step, lambda amplitude: (amplitude - start) @ way, step(start, 0), size)
        return every * (1 + left), predicted

    elapsed, predicted = jax.lax.map(measured, sizes)
    return {"hidden": elapsed[0], "hidden_predicted": predicted[0], "hidden_ratio": elapsed / predicted}
