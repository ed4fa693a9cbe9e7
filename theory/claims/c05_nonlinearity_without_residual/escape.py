"""C5's escape from uniform attention, in a population. Leading order in the size of the scores."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import relative_gap
from theory.dynamics.escape import escape_time
from theory.label_blindness.features import blind_escape_rate
from theory.label_blindness.subspaces import decompose
from theory.minimal_model.attention import attention_weights
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance

LENGTH = 8
VALUE, HEAD = 0.7, 4.0  # the value weight, and the head's weight on the pooled feature
STEPS, START, END = 400, 1e-4, 1e-2  # of gradient descent away from uniform attention


def class_contrast() -> Float[Array, "key key"]:
    """C_1 - C_0 of two AR(1) classes."""
    return circulant(markov_autocovariance(LENGTH, 0.5) - markov_autocovariance(LENGTH, 0.1))


def population_loss(scores: Float[Array, "query key"]) -> Float[Array, ""]:
    """-(w/4)(E[z|1] - E[z|0]) for phi(h) = h^2/2: balanced classes, prediction 1/2, small head."""
    weights = attention_weights(scores)
    return -HEAD * VALUE**2 / (8 * LENGTH) * jnp.sum(weights * (weights @ class_contrast()))


def fastest(key: PRNGKeyArray) -> tuple[Float[Array, "query key"], Float[Array, ""]]:
    """The claimed fastest direction, of size 1 and random over queries, and its rate."""
    contrast = HEAD * VALUE**2 / 4 * decompose(class_contrast()).doubly_centred
    queries = jax.random.normal(key, (LENGTH,))
    queries -= queries.mean()
    direction = jnp.outer(queries / jnp.linalg.norm(queries), jnp.linalg.eigh(contrast)[1][:, -1])
    return direction, blind_escape_rate(-HEAD * VALUE**2 / 4 * class_contrast())


def saddle_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's Hessian of the population loss at uniform attention: its lowest eigenvalue is -rate."""
    direction, rate = fastest(key)
    hessian = jax.hessian(population_loss)(jnp.zeros((LENGTH, LENGTH))).reshape(LENGTH**2, LENGTH**2)
    lowest = relative_gap(jnp.linalg.eigvalsh(hessian)[0], -rate)
    return jnp.maximum(lowest, relative_gap(hessian @ direction.ravel(), -rate * direction.ravel()))


def escape_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Gradient descent for the claimed escape time: its growth in logarithms against the claimed one.

    Ten times the gap, so that one of a hundredth counts; the steps themselves leave half of that.
    """
    direction, rate = fastest(key)
    step = escape_time(START, END, rate) / STEPS
    descend = lambda _, scores: scores - step * jax.grad(population_loss)(scores)
    reached = jnp.linalg.norm(jax.lax.fori_loop(0, STEPS, descend, START * direction))
    return 10 * jnp.abs(jnp.log(reached / START) / jnp.log(END / START) - 1)
