"""Each sequence's pull along lag 1 on the scores, by automatic differentiation of both losses.   [C7]"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.processes import sample
from theory.probes.signal import standard_score

HEAD = 1e-3  # of the label's head: small enough for a constant prediction, and no ratio depends on it


@functools.partial(jax.jit, static_argnames="config")
@functools.partial(jax.vmap, in_axes=(None, None, 0))
def sampled_projections(
    covariances: Float[Array, "classes query key"], config, key: PRNGKeyArray
) -> dict[str, Float[Array, " sample"]]:
    """Minus each sequence's derivative along lag 1: label, label with an imbalanced head, reconstruction."""
    label_key, noise_key = jax.random.split(key)
    labels = jax.random.bernoulli(label_key, 0.5, (config.sequences,)).astype(covariances.dtype)
    powers = jnp.maximum(jax.vmap(lambda one: jnp.fft.fft(one[0]).real)(covariances), 0.0)
    both = jax.vmap(lambda power: sample(power, config.sequences, key=noise_key))(powers)
    tokens = jnp.where(labels[:, None] == 1, both[1], both[0])
    uniform = jnp.zeros_like(covariances[0])
    direction = theory.contrast_direction(config.length, 1)

    def label_loss(scores, ring, label, imbalance):
        value_map = jnp.full((1, 1), config.value)
        pooled = theory.pooled_features(scores, ring[:, None], value_map, lambda stream: stream**2 / 2)[0]
        held = jax.lax.stop_gradient(pooled)  # the prediction stays constant, its slope is the layer's
        logit = HEAD * (pooled - held) + jnp.log1p(imbalance) - jnp.log1p(-imbalance)
        return (jax.nn.softplus(logit) - label * logit) / HEAD

    def hidden_loss(scores, ring):
        return theory.reconstruction_loss(scores, config.value, jnp.outer(ring, ring))

    def along(loss, *arguments):
        return -jax.jvp(lambda scores: loss(scores, *arguments), (uniform,), (direction,))[1]

    label = lambda imbalance: jax.vmap(lambda ring, y: along(label_loss, ring, y, imbalance))(tokens, labels)
    return {
        "label": label(0.0),
        "imbalanced": label(config.imbalance),
        "hidden": jax.vmap(lambda ring: along(hidden_loss, ring))(tokens),
    }


def scores(projections: Float[np.ndarray, "*axes sample"]) -> Float[np.ndarray, "*axes"]:
    """Mean over standard deviation, with its sign: the signal-to-noise ratio is its square.

    Over seeds it is close to normal even where there is no signal, which its square is not."""
    return standard_score(np.moveaxis(projections, -1, 0))


def wrong_signs(projections: Float[np.ndarray, "*axes sample"], counts: tuple[int, ...]) -> np.ndarray:
    """Share of batches of each size whose mean pull is negative, last axis over sizes."""
    shares = []
    for count in counts:
        whole = projections.shape[-1] // count
        batches = projections[..., : whole * count].reshape(*projections.shape[:-1], whole, count)
        shares.append((batches.mean(axis=-1) < 0).mean(axis=-1))
    return np.stack(shares, axis=-1)
