"""One layer with switches for residual, nonlinearity, pool and positions: every cell of the map of blindness.

z = pool_i phi(r x_i + H_i + p_i), random maps, positions and head.   [C1, C2, C5, C6, C15]
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

import theory

RESIDUALS, BENDS = ("no residual", "residual"), ("linear", "tanh")
POOLS = ("mean", "last token", "max")
POSITIONS = ("no positions", "before attention", "after attention")


class Model(NamedTuple):
    """A random layer with its switches; stacked over cells and seeds."""

    residual: Float[Array, "*maps"]
    bend: Float[Array, "*maps"]
    pool: Float[Array, "*maps kind"]
    """Shares of mean, last token and max."""
    position_switch: Float[Array, "*maps kind"]
    """Size of positions before and after attention."""
    value_map: Float[Array, "*maps width width"]
    positions: Float[Array, "*maps query width"]
    slopes: Float[Array, "*maps width width"]
    offsets: Float[Array, "*maps width"]
    head: Float[Array, "*maps width"]

    def pooled(
        self, scores: Float[Array, "query key"], tokens: Float[Array, "key width"]
    ) -> Float[Array, " width"]:
        """z, with positions before or after attention."""
        entering = tokens + self.position_switch[0] * self.positions
        return self.read(theory.mixed(scores, entering, self.value_map), entering)

    def read(
        self, mixed: Float[Array, "query width"], entering: Float[Array, "query width"]
    ) -> Float[Array, " width"]:
        """z from what attention wrote: stream, phi, pool."""
        stream = self.residual * entering + mixed + self.position_switch[1] * self.positions
        linear = stream @ self.slopes.T + self.offsets[None]
        features = (1 - self.bend) * linear + self.bend * jnp.tanh(linear)
        means = jnp.stack([features.mean(axis=0), features[-1], features.max(axis=0)])
        return self.pool @ means


def cells() -> list[tuple[str, str, str, str]]:
    """All combinations, in the order of the maps."""
    return list(itertools.product(RESIDUALS, BENDS, POOLS, POSITIONS))


def random_models(config, *, key: PRNGKeyArray) -> Model:
    """Random layers, the same in every cell but for its switches."""
    names = ("value_map", "positions", "slopes", "offsets", "head")
    wide = config.width
    shapes = ((wide, wide), (config.length, wide), (wide, wide), (wide,), (wide,))
    drawn = {
        name: jax.random.normal(one, (config.models, *shape)) / (wide**0.5 if len(shape) == 2 else 1.0)
        for name, shape, one in zip(names, shapes, jax.random.split(key, len(names)), strict=True)
    }
    drawn["positions"] = drawn["positions"] * wide**0.5
    switches = [
        (
            float(RESIDUALS.index(residual)),
            float(BENDS.index(bend)),
            [float(pool == each) for each in POOLS],
            [float(positions == each) for each in POSITIONS[1:]],
        )
        for residual, bend, pool, positions in cells()
    ]
    stacked = [jnp.asarray(each) for each in zip(*switches, strict=True)]
    every = lambda array: jnp.broadcast_to(array[:, None], (len(array), config.models, *array.shape[1:]))
    alike = lambda array: jnp.broadcast_to(array[None], (len(switches), *array.shape))
    return Model(*(every(array) for array in stacked), **{name: alike(drawn[name]) for name in names})
