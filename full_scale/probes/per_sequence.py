"""What a loss sees of a Transformer's attention scores: per-sequence gradients in the additive score bias.

Every number is per layer; gradients of a bias shared by a layer's heads are the sums over heads.
Nothing is trained here. Gradients are of one sequence's loss, in nats (symbols) or half squared
standard deviations (values).   [C1, C2, C9, C10, C16, C19]
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

from full_scale.model import Transformer
from full_scale.objectives.losses import draw_mask, label_loss, reconstruction_loss
from full_scale.training.step import Objective
from theory import decompose

CHUNK = 32  # sequences whose gradients are held at once; even, so that halves alternate


@dataclasses.dataclass(frozen=True)
class ScoreGradients:
    """Per-sequence gradients reduced to what the named probes need; n sequences, K directions.

    Attributes
    ----------
    along
        (n, layer, head, K) inner products with the unit directions.
    energy
        (n, layer, head) squared norm without its gauge part.
    key_bias_energy
        (n, layer, head) squared norm of the key-bias part.
    halves
        (2, layer, head, L, L) mean gradient over the even and over the odd sequences.
    """

    along: Float[np.ndarray, "n layer head direction"]
    energy: Float[np.ndarray, "n layer head"]
    key_bias_energy: Float[np.ndarray, "n layer head"]
    halves: Float[np.ndarray, "2 layer head query key"]

    @property
    def mean(self) -> Float[np.ndarray, "layer head query key"]:
        """The mean gradient over all sequences."""
        return self.halves.mean(axis=0)


@eqx.filter_jit
def _reduced(
    model: Transformer,
    objective: Objective,
    frozen_uniform: bool,
    tokens: Array,
    labels: Array,
    directions: Float[Array, "direction query key"],
    keys: Key[Array, " n"],
) -> tuple[Array, Array, Array, Array]:
    zero = jnp.zeros(model.bias_shape(tokens.shape[1]), jnp.float32)
    parts = jax.vmap(jax.vmap(decompose))

    def loss(bias: Array, one: Array, label: Array, key: PRNGKeyArray) -> Array:
        if objective == "labels":
            return label_loss(model, one, label, bias=bias, frozen_uniform=frozen_uniform)
        masked = draw_mask(len(one), key=key)
        return reconstruction_loss(model, one, masked, bias=bias, frozen_uniform=frozen_uniform)

    def one_sequence(item: tuple) -> tuple[Array, tuple]:
        gradient = jax.grad(loss)(zero, *item)
        split = parts(gradient)
        bias_energy = (split.key_bias**2).sum(axis=(-2, -1))
        energy = bias_energy + (split.doubly_centred**2).sum(axis=(-2, -1))
        return gradient, (jnp.einsum("lhqk,dqk->lhd", gradient, directions), energy, bias_energy)

    def chunk(halves: Array, items: tuple) -> tuple[Array, tuple]:
        gradients, reduced = jax.vmap(one_sequence)(items)
        return halves + jnp.stack([gradients[::2].sum(axis=0), gradients[1::2].sum(axis=0)]), reduced

    chunks = jax.tree.map(lambda a: a.reshape(-1, CHUNK, *a.shape[1:]), (tokens, labels, keys))
    halves, reduced = jax.lax.scan(chunk, jnp.zeros((2, *zero.shape), jnp.float32), chunks)
    whole = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), reduced)
    return halves * 2 / len(tokens), *whole


def score_gradients(
    model: Transformer,
    objective: Objective,
    tokens: Array,
    labels: Array,
    directions: Float[np.ndarray, "direction query key"],
    *,
    key: PRNGKeyArray,
    frozen_uniform: bool = False,
) -> ScoreGradients:
    """Gradients of every sequence's loss in the score bias, reduced as they are made.

    Parameters
    ----------
    model
        The Transformer, at any state of training.
    objective
        "labels" or "reconstruction".
    tokens, labels
        Held-out sequences, a multiple of `CHUNK` of them.
    directions
        Unit directions, (K, L, L).
    key
        Draws the masks.
    frozen_uniform
        Take the gradient at uniform attention, as in C19, instead of at the model's own attention.
    """
    if len(tokens) == 0 or len(tokens) % CHUNK:
        fits = max(1, len(tokens) // CHUNK) * CHUNK
        raise ValueError(f"expected a multiple of {CHUNK} sequences: got {len(tokens)}; try {fits}")
    keys = jax.random.split(key, len(tokens))
    halves, *reduced = _reduced(
        model, objective, frozen_uniform, tokens, labels, jnp.asarray(directions, jnp.float32), keys
    )
    return ScoreGradients(*map(np.asarray, reduced), np.asarray(halves))
