"""C19's head: the ridge-penalised fit is where the slope of its loss is 0. Exact."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import relative_gap
from theory.dynamics.adiabatic import Head, fit_head, head_loss, head_size_bound, label_gradient_bound

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


def half_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """A feature +-1 that says little, ridge p(1-p): |w| over half of its bound, the limit, against 1.

    And the label gradient over half of its own, where dz/dS has the sign of p - y, so that nothing cancels. Ten
    times the gap, so that a relative error of one per cent is seen.
    """
    share = jax.random.uniform(key, minval=0.2, maxval=0.4)
    excess = 0.01 * jnp.asarray([-share, 1 - share])  # P(+1 | y) - 1/2; the feature has mean 0
    classes = jnp.stack([1 - share, share])
    chances = (classes[:, None] * (0.5 + excess[:, None] * jnp.asarray([[1.0, -1.0]]))).ravel()
    information = chances @ jnp.log(2 * chances / jnp.repeat(classes, 2))
    features, penalty = jnp.asarray([[1.0], [-1.0], [1.0], [-1.0]]), share * (1 - share)
    labels = jnp.asarray([0.0, 0.0, 1.0, 1.0])
    head = fit_head(features, labels, chances, penalty)
    errors = chances * (jax.nn.sigmoid(features @ head.weights + head.intercept) - labels)
    response = 3.0 * jnp.sign(errors)  # of one score
    slope, mean_pull = head.weights[0] * errors @ response, jnp.abs(errors) @ jnp.abs(response)
    sizes = jnp.stack([jnp.linalg.norm(head.weights), jnp.abs(slope)])
    by_gradient = label_gradient_bound(information, penalty, mean_pull)
    bounds = jnp.stack([head_size_bound(information, penalty), by_gradient])
    return 10 * jnp.abs(2 * sizes / bounds - 1).max()
