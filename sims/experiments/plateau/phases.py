"""A layer frozen at uniform attention, then released: gradients and steps beside their laws.   [C19, C20]"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import theory
from sims.experiments.escape.clocks import steps_until
from sims.toy_models.residual_layer import Layer

TINY = 1e-300  # in place of a fall of 0, whose logarithm is asked for


class PlateauTask:
    """One seed's set and layer, its label loss in head, scores and phi together, and its saddle."""

    def __init__(self, config, layer: Layer, tokens: Array, labels: Array) -> None:
        self.config, self.layer, self.tokens, self.labels = config, layer, tokens, labels
        self.flat = jnp.zeros((config.length,) * 2)
        self.centre = self.pooled(self.flat, layer).mean(axis=0)
        pull = jax.vmap(jax.jacrev(self.pool), (None, None, 0))(self.flat, layer, tokens)
        chances = jnp.full(len(labels), 1 / len(labels))
        centred = self.pooled(self.flat, layer) - self.centre[None]
        self.saddle = theory.label_saddle(centred, pull, labels, chances, config.penalty)

    def pool(self, scores: Array, layer: Layer, ring: Float[Array, " key"]) -> Float[Array, " features"]:
        """z of a sequence."""
        return theory.pooled_features(scores, ring[:, None], jnp.full((1, 1), self.config.value), layer)

    def pooled(self, scores: Array, layer: Layer) -> Float[Array, "sample features"]:
        """z of every sequence."""
        return jax.vmap(self.pool, (None, None, 0))(scores, layer, self.tokens)

    def loss(self, head: Float[Array, " parameter"], scores: Array, layer: Layer) -> Float[Array, ""]:
        """Mean cross-entropy with the head's ridge; the head reads z - centre and 1."""
        logits = (self.pooled(scores, layer) - self.centre[None]) @ head[:-1] + head[-1]
        ridge = 0.5 * self.config.penalty * head[:-1] @ head[:-1]
        return jnp.mean(jax.nn.softplus(logits) - self.labels * logits) + ridge


def train_unfrozen(
    task: PlateauTask, noise: Float[Array, "query key"]
) -> dict[str, Float[Array, "rate scale"]]:
    """Steps until scores, and until the loss, have left; all parameters train. With both predictions."""
    config, saddle = task.config, task.saddle
    steepest = jnp.linalg.eigh(saddle.hessian())[1][:, 0]
    gamma, count = saddle.rate(), config.features + 1
    gradient = jax.grad(task.loss, argnums=(0, 1, 2))
    start_loss = task.loss(jnp.zeros(count), task.flat, task.layer)

    def one(rate: Float[Array, ""], scale: Float[Array, ""]) -> Float[Array, " number"]:
        def step(state, _):
            return jax.tree.map(lambda old, slope: old - rate * slope, state, gradient(*state))

        along = lambda state: jnp.abs(steepest[:count] @ state[0] + steepest[count:] @ state[1].ravel())
        fallen = lambda state: jnp.maximum(start_loss - task.loss(*state), TINY)
        start = jnp.zeros(count), scale * noise, task.layer
        sizes = jnp.asarray(config.size * config.length), jnp.sqrt(2 * config.loss_drop / gamma)
        left = steps_until(step, along, start, sizes[0])
        fell = steps_until(step, fallen, start, jnp.asarray(config.loss_drop))
        predicted = [theory.escape_steps(along(start), size, gamma, rate) for size in sizes]
        return jnp.stack([left, predicted[0], fell, predicted[1]])

    rates, scales = jnp.asarray(config.learning_rates), jnp.asarray(config.scales)
    counts = jax.lax.map(lambda rate: jax.lax.map(lambda scale: one(rate, scale), scales), rates)
    names = ("left", "left_predicted", "fell", "fell_predicted")
    return {name: counts[..., index] for index, name in enumerate(names)} | {"rate": gamma}


def frozen_labels(task: PlateauTask, head: Float[Array, " parameter"]) -> dict[str, Float[Array, " time"]]:
    """|dl/dS| while the head decays at uniform attention, and |M^T (1 - eta K)^n w(0)|."""
    config, saddle = task.config, task.saddle
    slope = jax.grad(task.loss, argnums=(0, 1))
    gap = config.frozen_time / (config.moments - 1)
    steps = int(np.ceil(gap / 0.5))

    def stretch(head: Array, _: None) -> tuple[Array, Float[Array, ""]]:
        size = jnp.linalg.norm(slope(head, task.flat, task.layer)[1])
        step = lambda _, at: at - gap / steps * jax.grad(task.loss)(at, task.flat, task.layer)
        return jax.lax.fori_loop(0, steps, step, head), size

    measured = jax.lax.scan(stretch, head, None, length=config.moments)[1]
    values, vectors = jnp.linalg.eigh(saddle.curvature)
    numbers = jnp.arange(config.moments, dtype=float)
    decayed = (1 - gap / steps * values[None]) ** (steps * numbers[:, None])
    heads = (decayed * (vectors.T @ head)[None]) @ vectors.T
    predicted = jnp.linalg.norm(heads @ saddle.contrast.reshape(len(head), -1), axis=1)
    return {"frozen_label": measured, "frozen_label_predicted": predicted}


def frozen_reconstruction(task: PlateauTask) -> dict[str, Float[Array, "..."]]:
    """-dl/dS along lag 1 while the value is fitted from 0 on the ordered sequences, and by C19."""
    config = task.config
    ordered = task.tokens[: config.pairs]
    sampled = ordered.T @ ordered / config.pairs
    autocovariance = theory.circulant_kernel(sampled)  # rotations of the set: all that is left in the mean
    gap = config.frozen_time / (config.moments - 1)
    steps = int(np.ceil(gap / 0.5))
    slope = jax.grad(theory.reconstruction_loss, argnums=(0, 1))

    def stretch(value: Array, _: None) -> tuple[Array, Float[Array, ""]]:
        pull = -theory.circulant_kernel(slope(task.flat, value, sampled)[0])[1]
        step = lambda _, at: at - gap / steps * slope(task.flat, at, sampled)[1]
        return jax.lax.fori_loop(0, steps, step, value), pull

    measured = jax.lax.scan(stretch, jnp.zeros(()), None, length=config.moments)[1]
    flat = jnp.zeros(config.length)
    at_zero, at_one = (
        theory.reduced_value_gradient(flat, value, autocovariance) for value in (jnp.zeros(()), jnp.ones(()))
    )
    fading = (1 - gap / steps * (at_one - at_zero)) ** (steps * jnp.arange(config.moments, dtype=float))
    values = theory.fitted_value(autocovariance) * (1 - fading)
    gradients = jax.vmap(lambda value: theory.reconstruction_kernel_gradient(flat, value, autocovariance)[1])(
        values
    )
    limit = theory.fitted_value(autocovariance) / config.length**2
    limit *= theory.residual_covariance(autocovariance)[1]
    return {
        "frozen_hidden": measured,
        "frozen_hidden_predicted": -gradients / config.length,
        "settled": limit,
    }
