"""C19's head: the ridge-penalised fit is where the slope of its loss is 0. Exact."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.adiabatic import Head, fit_head, head_loss
from theory.claims.check import relative_gap

SAMPLES, FEATURES = 12, 3
PENALTY = 0.1


def fit_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's slope of the loss at the fitted head, relative to that at a zero head."""
    features = jax.random.normal(key, (SAMPLES, FEATURES))
    labels = (jnp.arange(SAMPLES) % 3 == 0).astype(features.dtype)
    chances = jax.nn.softmax(features[:, 0])
    slope = lambda head: jnp.concatenate(
        [part.ravel() for part in jax.grad(head_loss)(head, features, labels, chances, PENALTY)]
    )
    left = slope(fit_head(features, labels, chances, PENALTY))
    return relative_gap(left, jnp.zeros_like(left), scale=slope(Head(jnp.zeros(FEATURES), jnp.zeros(()))))
