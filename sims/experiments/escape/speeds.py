"""How fast the signs of batches' gradients move scores out of the plateau.   [C20]"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

import theory
from sims.experiments.escape.steps import rescaled_gradient
from sims.processes import ar1, spectrum
from sims.toy_models.quadratic_ring import Parameters, Rings, paired_rings, plateau_of, pooled_squares

_TINY_STEP = 1e-6  # of the scores while speed is measured: they stay uniform
STEPS = 400


def speeds(config, *, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """How fast sign descent on batches moves scores along the way out; 1 is every step the right way.

    `blind` puts every ring under both labels: the classes do not differ at all."""
    power = spectrum(ar1(config.lengths[1], config.correlation).autocovariance)
    seeds = jax.random.split(key, config.seeds)
    by_batch = [_speeds(power, jnp.asarray(config.value), config, batch, seeds) for batch in config.batches]
    by_name = {name: np.stack([np.asarray(each[name]) for each in by_batch], axis=1) for name in by_batch[0]}
    return by_name | {"batches": np.array(config.batches)}


@partial(jax.jit, static_argnames=("config", "batch"))
@partial(jax.vmap, in_axes=(None, None, None, None, 0))
def _speeds(power, value, config, batch, seed) -> dict[str, Float[Array, ""]]:
    data_key, step_key = jax.random.split(seed)
    rings = paired_rings(power, config.pairs, key=data_key)
    direction = plateau_of(rings, value, len(power)).direction
    ordered = rings.powers[: config.pairs]
    blind = Rings(jnp.concatenate([ordered, ordered]), rings.labels)
    return {
        "speed": _measured_speed(rings, value, direction, config, batch, step_key),
        "speed_blind": _measured_speed(blind, value, direction, config, batch, step_key),
        "speed_predicted": _predicted_speed(rings, value, direction, batch),
    }


def _measured_speed(rings, value, direction, config, batch: int, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean of sign(head) x the step's sign along the way out, at scores too small to matter."""
    gradient = rescaled_gradient(rings, value, config, batch, key)
    weights, rate = direction / jnp.abs(direction).sum(), _TINY_STEP

    def step(parameters: Parameters, number: Int[Array, ""]) -> tuple[Parameters, Float[Array, ""]]:
        signs = jax.tree.map(jnp.sign, gradient(parameters, number))
        speed = -jnp.sign(parameters.weight) * (weights @ signs.amplitude)
        return jax.tree.map(lambda old, sign: old - rate * sign, parameters, signs), speed

    start = Parameters(jnp.asarray(rate / 2), jnp.zeros(()), jnp.zeros_like(direction))
    return jax.lax.scan(step, start, jnp.arange(STEPS))[1].mean()


def _predicted_speed(rings, value, direction, batch: int) -> Float[Array, ""]:
    """Mean over lags, weighted along the way out, of `theory.sign_drift` of the batch's gradient."""
    pull = jax.jacfwd(lambda amplitude: pooled_squares(amplitude, value, rings.powers))
    responses = pull(jnp.zeros_like(direction)) * (rings.labels - 0.5)[:, None]
    signal, noise = responses.mean(axis=0), responses.std(axis=0) / jnp.sqrt(1.0 * batch)
    weights = jnp.abs(direction) / jnp.abs(direction).sum()
    return weights @ jax.vmap(theory.sign_drift)(jnp.abs(signal), noise)
