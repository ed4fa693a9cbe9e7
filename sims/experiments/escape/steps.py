"""What noise and rescaled steps do to the plateau: descent on batches, Adam, sign descent.   [C20]

Adam and sign descent step the kernel S_{i,i+r} = g_r itself, so that one step moves a score by at most
about their rate. Batches are drawn from each seed's own set, with replacement.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

import theory
from sims.experiments.escape.clocks import MEAN_LOG, descent, random_start, steps_until
from sims.processes import ar1, spectrum
from sims.toy_models.quadratic_ring import (
    Parameters,
    Plateau,
    Rings,
    label_loss,
    paired_rings,
    plateau_of,
    pooled_squares,
)

_RECORDS = 13  # moments at which the spread of noisy descent is compared


def over_scales(config, *, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """Steps to leave by optimiser, seeds x scales, with the predictions of C20, and the spread on the way."""
    power = spectrum(ar1(config.lengths[1], config.correlation).autocovariance)
    value, scales = jnp.asarray(config.value), jnp.asarray(config.scales)
    seeds = jax.random.split(key, config.seeds)
    arrays = _over_scales(power, scales, value, config, seeds)
    return {name: np.asarray(array) for name, array in arrays.items()}


@partial(jax.jit, static_argnames="config")
@partial(jax.vmap, in_axes=(None, None, None, None, 0))
def _over_scales(power, scales, value, config, seed) -> dict[str, Array]:
    data_key, start_key, step_key = jax.random.split(seed, 3)
    length = len(power)
    rings = paired_rings(power, config.pairs, key=data_key)
    plateau, size = plateau_of(rings, value, length), jnp.asarray(config.size * length)
    along = lambda parameters: jnp.abs(parameters.amplitude @ plateau.direction)
    begin = lambda scale: random_start(length, scale, key=start_key)
    noisy = _noisy_descent(rings, value, config, step_key)
    whole = descent(rings, value, config.learning_rate)
    until = lambda rule: jax.lax.map(lambda scale: steps_until(rule, along, begin(scale), size), scales)
    steps = {"flow": until(whole), "sgd": until(noisy)}
    noise = _way_out_noise(rings, value, plateau, config.batch)
    rate = plateau.rate()
    predicted = {
        "flow": _mean_steps(plateau, scales, size, 0.0 * noise, config.learning_rate),
        "sgd": _mean_steps(plateau, scales, size, noise, config.learning_rate),
    }
    rescaled = partial(_adam_steps, rings, value, config, plateau, size, key=step_key)
    steps["adam"] = jax.lax.map(lambda scale: rescaled(begin(scale), config.batch), scales)
    steps["adam_whole"] = jax.lax.map(lambda scale: rescaled(begin(scale), None), scales)
    steps["sign_whole"] = jax.lax.map(lambda scale: rescaled(begin(scale), None, forgetful=True), scales)
    # every score moves by one rate per step, so |S| along M grows by rate sqrt(L) |direction|_1
    speed = config.sign_rate * jnp.sqrt(1.0 * length) * jnp.abs(plateau.direction).sum()
    begun = jax.vmap(lambda scale: along(begin(scale)))(scales)
    predicted["sign_whole"] = 1 + (size - begun) / speed
    spread = _spread_on_the_way(noisy, plateau, begin(scales[0]), scales[0], noise, config)
    times = {f"{name}_times": array for name, array in steps.items()}
    return (
        times
        | {f"{name}_predicted": array for name, array in predicted.items()}
        | spread
        | {
            "flow_rate": jnp.log1p(config.learning_rate * rate),
            "noise": noise,
        }
    )


def _mean_steps(
    plateau: Plateau,
    scales: Float[Array, " scale"],
    size: Float[Array, ""],
    noise: Float[Array, ""],
    rate: float,
) -> Float[Array, " scale"]:
    """Mean steps to leave, over random starts: the growing part is normal with `theory.noisy_spread`."""
    gamma = plateau.rate()
    shrunk = (gamma + plateau.curvature) / (2 * gamma + plateau.curvature)
    started = (scales * shrunk) ** 2 + (rate * noise) ** 2 / ((1 + rate * gamma) ** 2 - 1)
    return (jnp.log(size) - 0.5 * jnp.log(started) + MEAN_LOG) / jnp.log1p(rate * gamma)


def drawn(rings: Rings, count: int, key: PRNGKeyArray) -> Rings:
    """A batch, with replacement."""
    chosen = jax.random.randint(key, (count,), 0, len(rings.labels))
    return Rings(rings.powers[chosen], rings.labels[chosen])


def _centre_of(rings: Rings, value: Float[Array, ""]) -> Float[Array, ""]:
    """Mean z of the set at uniform attention."""
    return pooled_squares(jnp.zeros(2 * rings.powers.shape[1] - 2), value, rings.powers).mean()


def _noisy_descent(rings: Rings, value: Float[Array, ""], config, key: PRNGKeyArray):
    """One step of gradient descent on a batch drawn for that step."""
    centre = _centre_of(rings, value)

    def step(parameters: Parameters, number: Int[Array, ""]) -> Parameters:
        sample = drawn(rings, config.batch, jax.random.fold_in(key, number))
        slopes = jax.grad(label_loss)(parameters, value, sample, centre)
        return jax.tree.map(lambda old, slope: old - config.learning_rate * slope, parameters, slopes)

    return step


def _way_out_noise(rings: Rings, value: Float[Array, ""], plateau: Plateau, batch: int) -> Float[Array, ""]:
    """tau: standard deviation of a batch's gradient along the way out, at a zero head: the head's alone."""
    return plateau.way_out()[0] * jnp.sqrt(plateau.curvature / batch)


def _spread_on_the_way(noisy, plateau: Plateau, start: Parameters, scale, noise, config) -> dict[str, Array]:
    """x^2 along the way out at moments of noisy descent from `start`, and `theory.noisy_spread`."""
    head, scores = plateau.way_out()
    last = (
        jnp.log(config.size * len(start.amplitude)) - jnp.log(noise)
    ) / 4  # in 1/(eta gamma), early enough
    each = (last / jnp.log1p(config.learning_rate * plateau.rate()) / (_RECORDS - 1)).astype(int)

    def stretch(state: Parameters, number: Int[Array, ""]) -> tuple[Parameters, Float[Array, ""]]:
        moved = jax.lax.fori_loop(number * each, (number + 1) * each, lambda n, at: noisy(at, n), state)
        return moved, (head * moved.weight + scores * moved.amplitude @ plateau.direction) ** 2

    spreads = jax.lax.scan(stretch, start, jnp.arange(_RECORDS - 1))[1]
    steps = (jnp.arange(1, _RECORDS) * each).astype(spreads.dtype)
    spread = lambda n: theory.noisy_spread(n, scale * scores, plateau.rate(), config.learning_rate, noise)
    predicted = jax.vmap(spread)(steps)
    return {"spread": spreads, "spread_predicted": predicted, "spread_steps": steps}


def rescaled_gradient(rings: Rings, value: Float[Array, ""], config, batch: int | None, key: PRNGKeyArray):
    """Gradient in head, intercept and kernel g, S_{i,i+r} = g_r, on the set or on a batch of it."""
    centre = _centre_of(rings, value)

    def gradient(parameters: Parameters, number: Int[Array, ""]) -> Parameters:
        sample = rings if batch is None else drawn(rings, batch, jax.random.fold_in(key, number))
        return jax.grad(label_loss)(parameters, value, sample, centre)

    return gradient


def _adam_steps(
    rings, value, config, plateau, size, start, batch, *, key, forgetful=False
) -> Float[Array, ""]:
    """Steps of Adam to leave; `forgetful` sets both its memories to 0, which leaves the gradient's sign."""
    memory = {"b1": 0.0, "b2": 0.0, "eps": 1e-30} if forgetful else {}
    optimizer = optax.adam(config.sign_rate, **memory)
    gradient = rescaled_gradient(rings, value, config, batch, key)
    root = jnp.sqrt(1.0 * len(start.amplitude))

    def step(state, number):
        parameters, moments = state
        slopes = gradient(parameters, number)
        with jax.numpy_dtype_promotion("standard"):  # optax raises a float to the power of its count
            moves, moments = optimizer.update(slopes, moments)
        moves = moves._replace(amplitude=root * moves.amplitude)
        return optax.apply_updates(parameters, moves), moments

    measure = lambda state: jnp.abs(state[0].amplitude @ plateau.direction)
    return steps_until(step, measure, (start, optimizer.init(start)), size)
