"""The training that `benchmarks.ensembles` times, by `sims.toy_models.ensemble`: one pre-LN encoder, AdamW, float32.

A side is built for a size and a number of seeds; told a number of steps, it advances all seeds and returns
their mean losses.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

RATE, DECAY = 1e-3, 0.01
DATA = 4096


@dataclasses.dataclass(frozen=True)
class Size:
    """A model and a batch."""

    length: int
    width: int
    heads: int
    batch: int
    steps: int
    """Per timed turn and seed."""


SIZES = {"small": Size(16, 32, 2, 32, 192), "large": Size(64, 64, 2, 64, 24)}
SYMBOLS, CLASSES = 16, 4


def data(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and labels."""
    numbers = np.random.default_rng(0)
    tokens = numbers.integers(0, SYMBOLS, (DATA, size.length))
    return tokens.astype(np.int32), numbers.integers(0, CLASSES, DATA).astype(np.int32)


def parameters(size: Size, seeds: int):
    """The toy Transformer's initial parameters as numpy arrays, seeds in front."""
    import jax

    from sims.toy_models import transformer as toy

    model = toy.ToyTransformer(size.length, SYMBOLS, size.width, size.heads, 1, CLASSES)
    keys = jax.random.split(jax.random.key(0), seeds)
    stacked = jax.vmap(lambda key: toy.initial(model, key=key))(keys)
    return model, jax.tree.map(lambda leaf: np.array(leaf, np.float32), stacked)


def ours(size: Size, seeds: int) -> Callable[[int], np.ndarray]:
    """`sims.toy_models.ensemble`: advance all seeds by a number of steps; their mean losses."""
    import jax
    import jax.numpy as jnp
    import optax

    from sims.toy_models import ensemble
    from sims.toy_models import transformer as toy

    model, start = parameters(size, seeds)
    tokens, labels = map(jnp.asarray, data(size))

    def batch(key):
        rows = jax.random.randint(key, (size.batch,), 0, DATA)
        return tokens[rows], labels[rows]

    training = ensemble.Training(
        lambda key: None,
        batch,
        lambda params, both: toy.label_loss(model, params, *both),
        optax.adamw(RATE, weight_decay=DECAY),
    )
    params = jax.tree.map(jnp.asarray, start)
    state = ensemble.State(
        params,
        jax.vmap(training.optimizer.init)(params),
        jax.random.split(jax.random.key(1), seeds),
        jnp.zeros(seeds, int),
    )
    programs: dict[int, Callable] = {}

    def advance(steps: int) -> np.ndarray:
        nonlocal state
        if steps not in programs:
            programs[steps] = ensemble.compiled(training, state, steps, "auto")
        state, losses = programs[steps](state)
        return np.asarray(losses)

    return advance


def rows_of(size: Size, seeds: int, steps: int) -> np.ndarray:
    """The rows that `ours` draws, for the other sides: (seeds, steps, batch)."""
    import jax

    keys = jax.random.split(jax.random.key(1), seeds)
    draw = lambda key, step: jax.random.randint(jax.random.fold_in(key, step), (size.batch,), 0, DATA)
    every = jax.vmap(lambda key: jax.vmap(lambda step: draw(key, step))(np.arange(steps)))
    return np.array(every(keys))
