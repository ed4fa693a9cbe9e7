"""Label heads: linear or two layers, on one sequence's vector or on a pair's."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from full_scale.data.dataset import Inputs
from full_scale.model.affine import linear
from full_scale.model.config import ModelConfig


class TwoLayerHead(eqx.Module):
    """W_2 relu(W_1 z + b_1) + b_2, as wide inside as the encoder."""

    expand: eqx.nn.Linear
    contract: eqx.nn.Linear

    def __init__(self, inputs: int, hidden: int, classes: int, *, key: PRNGKeyArray) -> None:
        expand_key, contract_key = jax.random.split(key)
        self.expand = linear(inputs, hidden, key=expand_key)
        self.contract = linear(hidden, classes, key=contract_key)

    def __call__(self, vector: Float[Array, " input"]) -> Float[Array, " label"]:
        """The logits of every class."""
        return self.contract(jax.nn.relu(self.expand(vector)))


def label_head(config: ModelConfig, inputs: Inputs, *, key: PRNGKeyArray) -> eqx.nn.Linear | TwoLayerHead:
    """The head of this kind for this task."""
    size = 4 * config.width if inputs.pair else config.width
    if config.head == "linear":
        return linear(size, inputs.classes, key=key)
    return TwoLayerHead(size, config.width, inputs.classes, key=key)


def compared(one: Float[Array, " width"], other: Float[Array, " width"]) -> Float[Array, " pair"]:
    """[a, b, a - b, a * b] of a pair's two vectors (Amos et al. 2024, retrieval)."""
    return jnp.concatenate([one, other, one - other, one * other])
