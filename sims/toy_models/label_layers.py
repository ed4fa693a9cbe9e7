"""Label losses of random layers: balanced scores, slopes without a residual, ranks of heads and stacks.

[C4, C5, C23]"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

import theory
from theory.minimal_model.attention import cross_entropy

CLASSES = 3
BIASES = ("plain", "own", "borrowed")
NEGLIGIBLE = 1e-10  # singular value over the largest, for a rank
_NORM_FLOOR = 1e-5
HEADS = {  # value maps present, whether they are one, rho
    "1 head": ((1.0, 0.0, 0.0), 0.0, 1),
    "3 heads, one value map": ((1.0, 1.0, 1.0), 1.0, 1),
    "3 heads": ((1.0, 1.0, 1.0), 0.0, 3),
}
STACKS = {  # layers present, scores above the first times this, rho
    "2 layers, upper uniform": ((1.0, 1.0, 0.0), 0.0, 1),
    "2 layers": ((1.0, 1.0, 0.0), 1.0, 2),
    "3 layers": ((1.0, 1.0, 1.0), 1.0, 4),
}
KINDS = (*HEADS, *STACKS)


class Layer(NamedTuple):
    """A labelled sequence and what reads it."""

    tokens: Float[Array, "key width"]
    value_map: Float[Array, "width width"]
    head: Float[Array, "classes width"]
    label: Int[Array, ""]

    def loss(self, pooled: Float[Array, " width"]) -> Float[Array, ""]:
        """Cross-entropy of the head on the pooled vector."""
        return cross_entropy(self.head @ pooled, self.label)


def drawn(length: int, width: int, *, key: PRNGKeyArray) -> Layer:
    """Gaussian tokens, value map and head; label 1."""
    token_key, map_key, head_key = jax.random.split(key, 3)
    tokens = jax.random.normal(token_key, (length, width))
    value_map = jax.random.normal(map_key, (width, width)) / width**0.5
    return Layer(tokens, value_map, jax.random.normal(head_key, (CLASSES, width)), jnp.asarray(1))


def over_seeds(one, config, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """`one(key)` for each seed, stacked."""
    arrays = jax.jit(jax.vmap(one))(jax.random.split(key, config.seeds))
    return {name: np.asarray(array) for name, array in arrays.items()}


def balanced(config, *, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """Label loss over that of uniform attention, (seed, size): scores plain, or with a key bias.   [C4]

    The bias is their own, or that of their transpose."""

    def one(seed):
        layer_key, score_key = jax.random.split(seed)
        layer = drawn(config.length, config.width, key=layer_key)
        unit = jax.random.normal(score_key, (config.length, config.length))
        loss = lambda scores: layer.loss(theory.pooled(scores, layer.tokens, layer.value_map))

        def at(size):
            scores = size * unit
            biases = jax.vmap(theory.sinkhorn_key_bias)(jnp.stack([scores, scores.T]))
            shifts = jnp.concatenate([jnp.zeros_like(biases[:1]), biases])
            losses = jax.vmap(lambda shift: loss(scores + shift[None, :]))(shifts)
            return losses / loss(jnp.zeros_like(unit))

        ratios = jax.vmap(at)(jnp.asarray(config.sizes))
        return {f"loss_{name}": ratios[:, index] for index, name in enumerate(BIASES)}

    return over_seeds(one, config, key)


def slopes(config, *, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """dl/dt at S = t D, D doubly centred and of entries of size 1, phi = tanh; with a residual too.   [C5]

    And the curvature at t = 0, by automatic differentiation and in closed form."""

    def one(seed):
        layer_key, score_key = jax.random.split(seed)
        layer = drawn(config.length, config.width, key=layer_key)
        noise = jax.random.normal(score_key, (config.length, config.length))
        direction = theory.decompose(noise).doubly_centred

        def slope(amount, residual=0.0):
            def along(t):
                written = theory.mixed(t * direction, layer.tokens, layer.value_map)
                return layer.loss(jnp.tanh(residual * layer.tokens + written).mean(axis=0))

            return jax.jvp(along, (amount,), (jnp.ones(()),))[1]

        start, amounts = jnp.zeros(()), jnp.asarray(config.amounts)
        return {
            "slope": jax.vmap(slope)(amounts),
            "slope_residual": jax.vmap(lambda amount: slope(amount, 1.0))(amounts),
            "slope_at_uniform": slope(start)[None],
            "curvature": jax.jvp(slope, (start,), (jnp.ones(()),))[1][None],
            "curvature_predicted": curvature(layer, direction)[None],
        }

    return over_seeds(one, config, key)


def curvature(layer: Layer, direction: Float[Array, "query key"]) -> Float[Array, ""]:
    """The closed form, with phi's slope and bend at the one point where all H_i sit.   [C5]"""
    written = layer.value_map @ layer.tokens.mean(axis=0)
    pulled = jax.grad(layer.loss)(jnp.tanh(written))
    through = jax.grad(lambda h: pulled @ jnp.tanh(h))
    slope, bend = through(written), jax.jacfwd(through)(written)
    return theory.feature_curvature(direction, layer.tokens, layer.value_map, slope, bend)


def ranks(config, *, key: PRNGKeyArray) -> dict[str, np.ndarray]:
    """Visible dimension over L - 1, (model, kind, length); rho; two layers with LayerNorm.   [C23]"""
    by_length = [_ranks(config, length, key=jax.random.fold_in(key, length)) for length in config.lengths]
    rank, other = (np.stack(each, axis=-1) for each in zip(*by_length, strict=True))
    rho = np.array([kind[-1] for kind in (*HEADS.values(), *STACKS.values())], float)
    predicted = np.broadcast_to(rho[:, None], rank.shape[1:])
    return {"rank": rank, "rank_other": other, "rank_predicted": predicted[None]}


def _ranks(config, length: int, *, key: PRNGKeyArray) -> tuple[np.ndarray, np.ndarray]:
    samples = length * (length - 1) + 8  # more than there are directions

    def rank(model, scores, maps, data):
        """Of the gradients in `scores`, over L - 1."""
        read = lambda scores, one: one[-1] @ model(scores, one[:-1], maps)
        gradients = jax.vmap(jax.grad(read), (None, 0))(scores, data).reshape(samples, -1)
        sizes = jnp.linalg.svd(gradients, compute_uv=False)
        return jnp.sum(sizes > NEGLIGIBLE * sizes[0]) / (length - 1)

    def one(seed):
        score_key, map_key, data_key = jax.random.split(seed, 3)
        scores = 2 * jax.random.normal(score_key, (3, length, length))
        maps = jax.random.normal(map_key, (3, config.width, config.width)) / config.width**0.5
        data = jax.random.normal(data_key, (samples, length + 1, config.width))
        first_of = lambda model, above: (
            lambda first, *rest: model(jnp.concatenate([first[None], above]), *rest)
        )

        def heads(kind):
            present, alike, _ = kind
            chosen = present[:, None, None] * (maps + alike * (maps[:1] - maps))
            return rank(theory.heads_pooled, scores, chosen, data)

        def layers(kind):
            present, opened, _ = kind
            model = first_of(theory.stack_pooled, opened * scores[1:])
            return rank(model, scores[0], present[:, None, None] * maps, data)

        counts = [jax.lax.map(heads, columns(HEADS)), jax.lax.map(layers, columns(STACKS))]
        other = rank(first_of(_normalised_stack, scores[1:2]), scores[0], maps[:2], data)
        return jnp.concatenate(counts), other

    counts = jax.jit(functools.partial(jax.lax.map, one))(jax.random.split(key, config.ranked))
    return np.asarray(counts[0]), np.asarray(counts[1])


def columns(kinds: dict[str, tuple]) -> tuple[Array, ...]:
    """Each setting of all kinds."""
    return tuple(map(jnp.asarray, zip(*kinds.values(), strict=True)))


def _normalised_stack(scores, tokens, value_maps) -> Float[Array, " width"]:
    """`theory.stack_pooled` with LayerNorm, without gain, after each layer."""
    stream = tokens
    for each, value_map in zip(scores, value_maps, strict=True):
        stream = stream + theory.mixed(each, stream, value_map)
        centred = stream - stream.mean(axis=1, keepdims=True)
        stream = centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=1, keepdims=True) + _NORM_FLOOR)
    return stream.mean(axis=0)
