"""The losses of one sequence: its label, its hidden tokens, its next tokens; nats, or standardised values.

Every mean is over one sequence's positions, so that each sequence of a batch counts the same; where all
sequences are full, this is the mean over the batch's positions up to the draw of the masks.
"""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

from full_scale.model import Transformer
from full_scale.objectives.masking import Error, draw_mask, within
from sims.runs.store import UserError

__all__ = ["draw_mask", "label_loss", "next_token_loss", "reconstruction_loss"]


def label_loss(
    model: Transformer,
    tokens: Array,
    label: Int[Array, ""],
    *,
    length: Array | None = None,
    bias: Array | None = None,
    frozen_uniform: bool = False,
) -> Float[Array, ""]:
    """Cross-entropy in nats of one sequence's (or pair's) label."""
    logits = model.label_logits(tokens, length, bias, frozen_uniform)
    return optax.softmax_cross_entropy_with_integer_labels(logits, label)


def reconstruction_loss(
    model: Transformer,
    tokens: Array,
    masked: Bool[Array, " length"] | Bool[Array, "length channel"],
    *,
    length: Int[Array, ""] | None = None,
    bias: Array | None = None,
    frozen_uniform: bool = False,
    error: Error = "auto",
) -> Float[Array, ""]:
    """Mean over the masked positions, or over masked channels of positions, of the error of what was hidden."""
    output = model.token_logits(tokens, masked, length, bias, frozen_uniform)
    if masked.ndim == 2:
        return _mean_where(masked, value_errors(model, output, tokens, error))
    return _mean_where(masked, errors(model, output, tokens, error))


def next_token_loss(
    model: Transformer,
    tokens: Array,
    *,
    length: Int[Array, ""] | None = None,
    bias: Array | None = None,
    frozen_uniform: bool = False,
    error: Error = "auto",
) -> Float[Array, ""]:
    """Mean over positions of the error of the token after each, from those up to it: attention is causal."""
    output = model.token_logits(tokens, None, length, bias, frozen_uniform, causal=True)
    predicted = within(len(tokens) - 1, jnp.int32(len(tokens)) - 1 if length is None else length - 1)
    return _mean_where(predicted, errors(model, output[:-1], tokens[1:], error))


def errors(model: Transformer, output: Array, tokens: Array, error: Error) -> Float[Array, " length"]:
    """Each position's error: cross-entropy, or the mean over channels of |.| or half the square."""
    if error_of(model, error) == "ce":
        return optax.softmax_cross_entropy_with_integer_labels(output, tokens.astype(jnp.int32))
    return value_errors(model, output, tokens, error).mean(axis=-1)


def value_errors(
    model: Transformer, output: Array, tokens: Array, error: Error
) -> Float[Array, "length channel"]:
    """|.| or half the square of every value's error."""
    difference = output - model.encoder.values(tokens)  # type: ignore[union-attr]
    return jnp.abs(difference) if error == "l1" else 0.5 * difference**2


def error_of(model: Transformer, error: Error) -> Error:
    """The error asked for. Raises UserError when the model's token head does not give what it needs."""
    levels = model.inputs.levels is not None and model.config.intensities == "levels"
    logits = model.inputs.symbols is not None or levels
    fits = ("auto", "ce") if logits else ("auto", "l1", "l2")
    if error not in fits:
        gives = "logits" if logits else "values"
        remedy = "intensities=values for L1, L2" if levels else f"loss={fits[1]}"
        raise UserError(f"expected a loss for a token head of {gives}: got {error}; try {remedy}")
    return ("ce" if logits else "l2") if error == "auto" else error


def _mean_where(counted: Bool[Array, "..."], errors: Float[Array, "..."]) -> Float[Array, ""]:
    """Mean of the counted errors; 0 where none is."""
    chosen = counted.astype(jnp.float32)
    return (chosen * errors).sum() / jnp.maximum(chosen.sum(), 1)
