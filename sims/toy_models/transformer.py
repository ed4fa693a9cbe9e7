"""The smallest Transformer encoder that is one: pre-LN, learned positions, mean pool, linear head.

x <- x + O softmax(q k^T / sqrt(head width) + bias) v of LN(x), x <- x + W2 gelu(W1 LN(x)), per layer; then
LN, pool, head. Parameters are a pytree of arrays, so that seeds stack along a first axis; every layer
takes an additive score bias, as `theory.probe` asks.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from sims.runs.config_validation import at_least
from sims.runs.store import UserError

_NORM_EPSILON = 1e-5


@dataclasses.dataclass(frozen=True)
class ToyTransformer:
    """Sizes of the model; tokens are symbols 0..symbols-1, one of which may serve as the mask."""

    length: int = 16
    """L, tokens per sequence."""
    symbols: int = 8
    """How many different tokens there are."""
    width: int = 32
    """d of the residual stream."""
    heads: int = 2
    """Attention heads; must divide width."""
    layers: int = 1
    """Blocks of attention and MLP."""
    classes: int = 2
    """Outputs of the label head."""
    expansion: int = 4
    """Hidden units of the MLP per unit of width."""

    def __post_init__(self) -> None:
        at_least(1, layers=self.layers, heads=self.heads, symbols=self.symbols, expansion=self.expansion)
        at_least(2, length=self.length, classes=self.classes)
        if self.width % self.heads:
            fits = self.heads * max(1, self.width // self.heads)
            raise UserError(
                f"heads must divide width: got width={self.width}, heads={self.heads}; try width={fits}"
            )


def initial(model: ToyTransformer, *, key: PRNGKeyArray) -> PyTree:
    """Gaussian matrices of scale 1/sqrt(inputs), embeddings and positions of scale 0.02, zero biases."""
    width, hidden = model.width, model.expansion * model.width
    keys = jax.random.split(key, 4)
    embed, position_key, head, layers = keys[0], keys[1], keys[2], jax.random.split(keys[3], model.layers)
    return {
        "tokens": 0.02 * jax.random.normal(embed, (model.symbols, width)),
        "positions": 0.02 * jax.random.normal(position_key, (model.length, width)),
        "blocks": [block(width, hidden, key=layer) for layer in layers],
        "norm": affine(width),
        "head": matrix(head, width, model.classes) | {"bias": jnp.zeros(model.classes)},
        "readout": matrix(jax.random.fold_in(head, 1), width, model.symbols)
        | {"bias": jnp.zeros(model.symbols)},
    }


def block(width: int, hidden: int, *, key: PRNGKeyArray) -> PyTree:
    """The parameters of one layer, drawn at random."""
    keys = jax.random.split(key, 4)
    return {
        "attention_norm": affine(width),
        "qkv": matrix(keys[0], width, 3 * width) | {"bias": jnp.zeros(3 * width)},
        "out": matrix(keys[1], width, width) | {"bias": jnp.zeros(width)},
        "mlp_norm": affine(width),
        "up": matrix(keys[2], width, hidden) | {"bias": jnp.zeros(hidden)},
        "down": matrix(keys[3], hidden, width) | {"bias": jnp.zeros(width)},
    }


def matrix(key: PRNGKeyArray, inputs: int, outputs: int) -> dict[str, Array]:
    """A linear map's weights."""
    return {"weights": jax.random.normal(key, (inputs, outputs)) / inputs**0.5}


def affine(width: int) -> dict[str, Array]:
    """A normalisation's scale and shift."""
    return {"scale": jnp.ones(width), "shift": jnp.zeros(width)}


def linear(part: PyTree, stream: Float[Array, "*axes inputs"]) -> Float[Array, "*axes outputs"]:
    """x W + b."""
    flat = stream.reshape(-1, stream.shape[-1]) @ part["weights"] + part["bias"][None, :]
    return flat.reshape(*stream.shape[:-1], -1)


def _normalise(part: PyTree, stream: Float[Array, "*axes width"]) -> Float[Array, "*axes width"]:
    """LayerNorm over the width."""
    centred = stream - stream.mean(axis=-1, keepdims=True)
    spread = jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + _NORM_EPSILON)
    shape = (*[1] * (stream.ndim - 1), -1)
    return centred * spread * part["scale"].reshape(shape) + part["shift"].reshape(shape)


def attend(
    model: ToyTransformer,
    part: PyTree,
    stream: Float[Array, "batch length width"],
    bias: Float[Array, "head query key"] | None,
) -> Float[Array, "batch length width"]:
    """Multi-head attention of a normalised stream."""
    batch, length, width = stream.shape
    split = linear(part["qkv"], stream).reshape(batch, length, 3, model.heads, width // model.heads)
    queries, keys, values = split[:, :, 0], split[:, :, 1], split[:, :, 2]
    scores = jnp.einsum("bqhw,bkhw->bhqk", queries, keys) / (width // model.heads) ** 0.5
    scores = scores if bias is None else scores + bias[None]
    mixed = jnp.einsum("bhqk,bkhw->bqhw", jax.nn.softmax(scores), values)
    return linear(part["out"], mixed.reshape(batch, length, width))


def features(
    model: ToyTransformer,
    params: PyTree,
    tokens: Int[Array, "batch length"],
    bias: Float[Array, "layer head query key"] | None = None,
) -> Float[Array, "batch length width"]:
    """The last layer's normalised stream at every position."""
    stream = params["tokens"][tokens] + params["positions"][None]
    for layer, part in enumerate(params["blocks"]):
        ours = None if bias is None else bias[layer]
        stream = stream + attend(model, part, _normalise(part["attention_norm"], stream), ours)
        inner = jax.nn.gelu(linear(part["up"], _normalise(part["mlp_norm"], stream)))
        stream = stream + linear(part["down"], inner)
    return _normalise(params["norm"], stream)


def label_logits(
    model: ToyTransformer,
    params: PyTree,
    tokens: Int[Array, "batch length"],
    bias: Float[Array, "layer head query key"] | None = None,
) -> Float[Array, "batch classes"]:
    """The head on the mean over positions."""
    return linear(params["head"], features(model, params, tokens, bias).mean(axis=1))


def label_loss(
    model: ToyTransformer,
    params: PyTree,
    tokens: Int[Array, "batch length"],
    labels: Int[Array, " batch"],
    bias: Float[Array, "layer head query key"] | None = None,
) -> Float[Array, ""]:
    """Mean cross-entropy with the labels, in nats."""
    logs = jax.nn.log_softmax(label_logits(model, params, tokens, bias))
    return -jnp.take_along_axis(logs, labels[:, None], axis=1).mean()


def reconstruction_loss(
    model: ToyTransformer,
    params: PyTree,
    tokens: Int[Array, "batch length"],
    masked: Float[Array, "batch length"],
    mask_symbol: int,
    bias: Float[Array, "layer head query key"] | None = None,
) -> Float[Array, ""]:
    """Mean cross-entropy of the hidden tokens where `masked` is 1, each shown as `mask_symbol`."""
    visible_tokens = jnp.where(masked > 0, mask_symbol, tokens)
    logs = jax.nn.log_softmax(linear(params["readout"], features(model, params, visible_tokens, bias)))
    losses = -jnp.take_along_axis(logs, tokens[:, :, None], axis=2)[:, :, 0]
    return jnp.sum(masked * losses) / jnp.maximum(masked.sum(), 1.0)
