"""Affine maps y = W x + b with float32 parameters, computed in float32 or bfloat16."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from full_scale.model.config import Precision


def linear(inputs: int, outputs: int, *, key: PRNGKeyArray) -> eqx.nn.Linear:
    """y = W x + b in float32, uniform within 1/sqrt(inputs) (PyTorch default, as in Amos et al.)."""
    return eqx.nn.Linear(inputs, outputs, dtype=jnp.float32, key=key)


def apply(
    weight: Float[Array, "output input"],
    bias: Float[Array, " output"],
    tokens: Float[Array, "length input"],
    precision: Precision,
) -> Float[Array, "length output"]:
    """X W^T + b for every row of X, in `precision`, which is also the result's type."""
    return tokens.astype(precision) @ weight.astype(precision).T + bias.astype(precision)[None, :]


def project(
    layer: eqx.nn.Linear, tokens: Float[Array, "length input"], precision: Precision
) -> Float[Array, "length output"]:
    """`apply` with a layer's weight and bias."""
    return apply(layer.weight, layer.bias, tokens, precision)
