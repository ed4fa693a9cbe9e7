"""What labels see in settings beside the paper's, on drawn sequences: seeds first.   [C25, C26, C27]"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from theory.claims.checks.programs import quick_compilation
from theory.label_blindness.subspaces import paired_key_bias_share

Curve = tuple[np.ndarray, np.ndarray]
"""Samples (seed, point) and the law (point)."""
WAYS, CONTRAST = 3, 0.1  # scores that the feature feels; how far the classes' responses lie apart in all
RATE, GROWTH, WATCHED = (
    4.0,
    10.0,
    0.2,
)  # of gradient descent; e-folds of the run, and the part that is watched
START = 1e-9  # so small that the saddle's own directions are all there is
WIDTH, ENCODING, MAPPED = 4, 6, 4
NEGLIGIBLE = 1e-10  # singular value over the largest, for a rank


def once(function: Callable, *given: Array) -> np.ndarray:
    """What it returns, compiled as one program and quickly, since it runs once."""
    return np.asarray(jax.jit(function, compiler_options=quick_compilation())(*given))


def over_seeds(one: Callable, key: PRNGKeyArray, seeds: int, *same: Array) -> np.ndarray:
    """`one(key, *same)` for each seed."""
    return once(jax.vmap(one, (0, *(None for _ in same))), jax.random.split(key, seeds), *same)


def escape_rates(config: Any, *, key: PRNGKeyArray) -> Curve:
    """C25: growth of the scores per unit of time under gradient descent from W = 0, over the number of classes."""
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    measured, laws = [], []
    for count in config.classes:
        shares = np.arange(1.0, count + 1) / sum(range(1, count + 1))
        responses = generator.normal(size=(count, WAYS))
        responses -= shares @ responses
        responses *= CONTRAST / np.sqrt(shares @ (responses**2).sum(axis=1))
        laws.append(float(once(_rate, jnp.asarray(shares), jnp.asarray(responses))))
        number = 210 * max(
            1, config.sequences // 2_000
        )  # a multiple of the shares' denominators: 3, 6, 10, 15, 21
        measured.append(_growth(shares, responses, number, config.seeds, laws[-1], generator))
    return np.stack(measured, axis=-1), np.array(laws)


def _rate(shares: Float[Array, " classes"], responses: Float[Array, "classes way"]) -> Float[Array, ""]:
    """The saddle's rate in the population: z has two values in each class."""
    count = len(shares)
    features = jnp.tile(jnp.asarray([1.0, -1.0]), count)[:, None]
    each = jnp.repeat(responses, 2, axis=0)[:, None, :, None]
    labels = jnp.repeat(jnp.arange(count), 2)
    return theory.many_class_saddle(features, each, labels, jnp.repeat(shares, 2) / 2, count).rate()


def _growth(
    shares: Float[np.ndarray, " classes"],
    responses: Float[np.ndarray, "classes way"],
    number: int,
    seeds: int,
    expected: float,
    generator: np.random.Generator,
) -> Float[np.ndarray, " seed"]:
    """Rate of |scores| over the last steps of every seed; features drawn, of mean 0 in every class."""
    counts = np.rint(shares * number).astype(int)
    labels = np.repeat(np.arange(len(shares)), counts)
    one_hot = np.eye(len(shares))[labels]
    features = generator.normal(size=(seeds, number))
    features -= (features @ one_hot / counts) @ one_hot.T
    features *= np.sqrt(number / (number - len(shares)))
    head, scores = np.zeros((seeds, len(shares))), START * generator.normal(size=(seeds, WAYS))
    sizes, steps = [], int(GROWTH / (RATE * expected))
    for _ in range(steps):
        moved = features + scores @ responses[labels].T
        logits = moved[:, :, None] * head[:, None, :] + np.log(shares)
        chances = np.exp(logits)
        errors = (chances / chances.sum(axis=2, keepdims=True) - one_hot) / number
        by_feature = np.einsum("snc,sc->sn", errors, head)
        head = head - RATE * np.einsum("snc,sn->sc", errors, moved)
        scores = scores - RATE * by_feature @ responses[labels]
        sizes.append(np.linalg.norm(scores, axis=1))
    watched = int(WATCHED * steps)
    return ((sizes[-1] / sizes[-1 - watched]) ** (1 / watched) - 1) / RATE


def visible_dimensions(config: Any, *, key: PRNGKeyArray) -> Curve:
    """C26: rank of label gradients, gauge left out, behind a head on position 0, over the length."""
    ranks = []
    for length in config.cls_lengths:
        gradients = over_seeds(functools.partial(_gradients, length), key, config.seeds)
        sizes = np.linalg.svd(gradients, compute_uv=False)
        ranks.append((sizes > NEGLIGIBLE * sizes[:, :1]).sum(axis=1))
    return np.stack(ranks, axis=-1).astype(float), np.array(config.cls_lengths) - 1.0


def _gradients(length: int, key: PRNGKeyArray) -> Float[Array, "sample score"]:
    """2L gradients of u . z in the scores at random ones; tanh features with a residual."""
    score_key, token_key, map_key = jax.random.split(key, 3)
    scores = jax.random.normal(score_key, (length, length))
    tokens = jax.random.normal(token_key, (2 * length, length, WIDTH))
    value_map, head = jnp.split(jax.random.normal(map_key, (WIDTH + 1, WIDTH)), [WIDTH])
    tanh = lambda stream: jnp.tanh(stream)
    slope = jax.grad(lambda scores, each: head[0] @ theory.cls_features(scores, each, value_map, tanh))
    return jax.vmap(slope, (None, 0))(scores, tokens).reshape(2 * length, -1)


def step_shares(config: Any, *, key: PRNGKeyArray) -> Curve:
    """C27: the key-bias share of the mean first step that labels ask for, over what encodings have in common.

    Both halves of the draws estimate the mean step; products of the two are free of noise on average.
    """
    base = jax.random.normal(key, (config.side, ENCODING))
    bias = jax.random.normal(jax.random.fold_in(key, 1), (config.side,))
    every = (base - base.mean(axis=0, keepdims=True) + 0.3)[None] + jnp.asarray(config.common)[:, None, None]
    share = functools.partial(_step_shares, config.sequences // 4)
    samples = over_seeds(share, key, config.seeds, every, bias - bias.mean())
    return samples, once(jax.vmap(theory.first_step_visible_share), every)


def _step_shares(
    number: int,
    key: PRNGKeyArray,
    every: Float[Array, "point length width"],
    bias: Float[Array, " length"],
) -> Float[Array, " point"]:
    """The share from so many drawn query and key maps, for all encodings."""
    maps = jax.random.normal(key, (2, number, 2, ENCODING, MAPPED))
    gradient = jnp.broadcast_to(bias[None, :], (len(bias), len(bias)))

    def share(positions: Float[Array, "length width"]) -> Float[Array, ""]:
        step = lambda pair: theory.step_of_scores(gradient, positions, pair[0], pair[1])
        return paired_key_bias_share(*(jax.vmap(step)(half).mean(axis=0) for half in maps))

    return jax.vmap(share)(every)
