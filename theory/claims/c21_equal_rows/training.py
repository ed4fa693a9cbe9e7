"""C21, what is trained: three models of a label, a masked loss, and Adam. Exact for every L."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.claims.checks.draws import CLASSES, LabelledSequence
from theory.label_blindness.query_independence import pooled_by_key_bias
from theory.minimal_model.attention import cross_entropy, mixed, pooled_features
from theory.reconstruction.masked_loss import reconstruction_loss

RATE, DECAY = 0.05, 0.1
MEMORY, SQUARE_MEMORY, FLOOR = 0.9, 0.99, 1e-8  # of Adam


def tanh_pool(scores, tokens, value_map) -> Float[Array, " width"]:
    """phi = tanh without a residual: the claim's model."""
    return jnp.tanh(mixed(scores, tokens, value_map)).mean(axis=0)


def bent_residual(scores, tokens, value_map) -> Float[Array, " width"]:
    """Residual and nonlinearity together."""
    return pooled_features(scores, tokens, value_map, jnp.tanh)


def single_query(bias, tokens, value_map) -> Float[Array, " width"]:
    """The reduced model."""
    return pooled_by_key_bias(bias, tokens, value_map, jnp.tanh)


def labels_through(model, sequence: LabelledSequence):
    """The label loss as a function of scores (or of their key bias), tokens and label."""
    return lambda scores, tokens, label: cross_entropy(
        sequence.head @ model(scores, tokens, sequence.value_map), label
    )


def reconstruction(sequence: LabelledSequence):
    """The masked loss of the first coordinate: no label at all."""
    return lambda scores, tokens, label: reconstruction_loss(
        scores, 0.7, jnp.outer(tokens[:, 0], tokens[:, 0])
    )


def trained(loss, scores, samples, *, scale=1.0, coupled=0.0) -> Float[Array, "..."]:
    """Scores after Adam with decoupled decay, one sample per step, labels in turn.

    `scale` multiplies the gradient; `coupled` is weight decay inside the normalisation.
    """

    def step(count, state):
        scores, mean, square = state
        slope = scale * jax.grad(loss)(scores, samples[count], count % CLASSES) + coupled * scores
        mean = MEMORY * mean + (1 - MEMORY) * slope
        square = SQUARE_MEMORY * square + (1 - SQUARE_MEMORY) * slope**2
        return (1 - RATE * DECAY) * scores - RATE * mean / (jnp.sqrt(square) + FLOOR), mean, square

    idle = jnp.zeros_like(scores)
    return jax.lax.fori_loop(0, len(samples), step, (scores, idle, idle))[0]
