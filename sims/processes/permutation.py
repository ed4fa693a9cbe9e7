"""Is this sequence permuted? The same bag in another order: the simplest task whose label is in the order only."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from sims.processes.gaussian_ring import sample


def permute_positions(
    tokens: Shaped[Array, "batch length"], *, key: PRNGKeyArray
) -> Shaped[Array, "batch length"]:
    """Each sequence's tokens in a random order of their own: the same bag without its order."""
    return jax.random.permutation(key, tokens, axis=1, independent=True)


def permutation_task(
    power: Float[Array, " frequency"], count: int, *, key: PRNGKeyArray
) -> tuple[Float[Array, "batch length"], Int[Array, " batch"]]:
    """Label 1: a sequence with its positions permuted; label 0: one as the process drew it. Balanced coin."""
    tokens_key, label_key, order_key = jax.random.split(key, 3)
    tokens = sample(power, count, key=tokens_key)
    labels = jax.random.bernoulli(label_key, 0.5, (count,)).astype(jnp.int32)
    shuffled = permute_positions(tokens, key=order_key)
    return jnp.where(labels[:, None] == 1, shuffled, tokens), labels
