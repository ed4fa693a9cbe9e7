"""The two losses, per sequence: labels through the mean-pooled head, and masked reconstruction."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from full_scale.model import Transformer

MASK_RATIO = 0.5  # Amos et al. 2024, section 2, images; redrawn at every access


def draw_mask(length: int, *, key: PRNGKeyArray, ratio: float = MASK_RATIO) -> Bool[Array, " length"]:
    """Each position hidden independently with probability `ratio`."""
    return jax.random.bernoulli(key, jnp.float32(ratio), (length,))


def label_loss(
    model: Transformer,
    tokens: Array,
    label: Int[Array, ""],
    bias: Array | None = None,
    frozen_uniform: bool = False,
) -> Float[Array, ""]:
    """Cross-entropy in nats of one sequence's label."""
    logits = model.label_logits(tokens, bias=bias, frozen_uniform=frozen_uniform)
    return optax.softmax_cross_entropy_with_integer_labels(logits, label)


def reconstruction_loss(
    model: Transformer,
    tokens: Array,
    masked: Bool[Array, " length"],
    bias: Array | None = None,
    frozen_uniform: bool = False,
) -> Float[Array, ""]:
    """Mean over the masked positions: cross-entropy in nats of symbols, half squared error of values."""
    output = model.token_logits(tokens, masked, bias=bias, frozen_uniform=frozen_uniform)
    if jnp.issubdtype(tokens.dtype, jnp.integer):
        errors = optax.softmax_cross_entropy_with_integer_labels(output, tokens)
    else:
        errors = 0.5 * (output[:, 0] - tokens) ** 2
    hidden = masked.astype(jnp.float32)
    return (hidden * errors).sum() / jnp.maximum(hidden.sum(), 1)
