"""Pools, masks and scores as functions: what the head reads along one direction.   [C15]

Exact for every L >= 2. Values are s_j = x_j[0]; a pool with keys has them in x_j[1].
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.attention import attention_weights
from theory.minimal_model.score_families import alibi_scores, content_scores, rotary_scores
from theory.reconstruction.causal import causal_weights

ROTARY_FREQUENCY = 1.0  # no whole number of turns over any L
ALIBI_SLOPE = 0.5

Parameters = Float[Array, "*parameters"]
Tokens = Float[Array, "key width"]


def mean_pool(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """(1/L) sum_i H_i.   [C1, C15]"""
    return (attention_weights(scores) @ tokens[:, 0]).mean()


def last_token(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """H_L: the head reads one position, the last or a CLS token.   [C15]"""
    return (attention_weights(scores) @ tokens[:, 0])[-1]


def max_pool(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """max_i H_i.   [C15]"""
    return (attention_weights(scores) @ tokens[:, 0]).max()


def attention_pool(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """sum_i pi_i H_i, pi = softmax(q . H): a learned query on what attention wrote.   [C15]"""
    mixed = attention_weights(scores) @ tokens
    return jax.nn.softmax(mixed[:, 1]) @ mixed[:, 0]


def residual_attention_pool(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """sum_i pi_i H_i, pi = softmax(q . x): a learned query on the residual stream.   [C15]"""
    return jax.nn.softmax(tokens[:, 1]) @ (attention_weights(scores) @ tokens[:, 0])


def causal_mean_pool(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """The mean over positions of causal attention.   [C15, C18]"""
    return (causal_weights(scores) @ tokens[:, 0]).mean()


def padded_mean_pool(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """The mean over the real positions of attention to the real keys; padding is a row of zeros.   [C15]"""
    real = jnp.any(tokens != 0, axis=1)
    weights = jax.nn.softmax(jnp.where(real[None, :], scores, -jnp.inf), axis=1)
    return real.astype(tokens.dtype) @ weights @ tokens[:, 0] / real.sum().astype(tokens.dtype)


def rotary_mean_pool(parameters: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """Mean pool, one rotary pair at a frequency that does not close over the sequence.   [C15]"""
    return mean_pool(rotary_scores(parameters, len(tokens), ROTARY_FREQUENCY), tokens)


def closed_rotary_mean_pool(parameters: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """Mean pool, one rotary pair that makes one turn over the sequence.   [C3, C15]"""
    return mean_pool(rotary_scores(parameters, len(tokens), 2 * jnp.pi / len(tokens)), tokens)


def alibi_mean_pool(scores: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """Mean pool, free scores on top of ALiBi.   [C15]"""
    return mean_pool(scores + alibi_scores(len(tokens), ALIBI_SLOPE), tokens)


def content_mean_pool(interaction: Parameters, tokens: Tokens) -> Float[Array, ""]:
    """Mean pool, S_ij = x_i^T W x_j.   [C15]"""
    return mean_pool(content_scores(interaction, tokens), tokens)
