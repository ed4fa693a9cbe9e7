"""C13's settings: a labelled sequence, maps, encodings and a process, cut from one Gaussian draw."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.draws import LabelledSequence
from theory.positions.absolute_positions import PositionMaps, ring_positions
from theory.reconstruction.circulant import circulant

LENGTH, FREQUENCIES, FEATURES = 8, (1, 2), 3
WIDTH = 2 * len(FREQUENCIES)
TOKEN_WIDTH, CLASSES = 3, 2
VALUE = 0.7
SHAPES = (
    (LENGTH, TOKEN_WIDTH),
    (TOKEN_WIDTH, TOKEN_WIDTH),
    (CLASSES, TOKEN_WIDTH),
    (2, WIDTH, FEATURES),
    (1, WIDTH),
    (LENGTH,),
    (WIDTH, WIDTH),
)


class Setting(NamedTuple):
    """What a check of C13 is tried on."""

    sequence: LabelledSequence
    maps: PositionMaps
    shift: Float[Array, "1 width"]
    smoothing: Float[Array, " lag"]
    product: Float[Array, "width width"]

    def autocovariance(self) -> Float[Array, " lag"]:
        """C(r) = sum_s h_s h_{s+r}: white noise smoothed by h on the ring."""
        return circulant(self.smoothing) @ self.smoothing

    def centred(self) -> Float[Array, "length width"]:
        """Sinusoids over full periods."""
        return ring_positions(LENGTH, FREQUENCIES)

    def shifted(self) -> Float[Array, "length width"]:
        """The same with a constant added to each column: they no longer sum to 0."""
        return ring_positions(LENGTH, FREQUENCIES) + self.shift

    def silent_queries(self) -> PositionMaps:
        """W_Q = 0: uniform attention, whatever the keys."""
        return PositionMaps(jnp.zeros_like(self.maps.query), self.maps.key)

    def per_key(self) -> Float[Array, " length"]:
        """s_j = u^T V x_j at uniform attention."""
        slope = self.sequence.head_gradient(jnp.zeros((LENGTH, LENGTH)))
        return self.sequence.tokens @ self.sequence.value_map.T @ slope


def drawn(key: PRNGKeyArray) -> Setting:
    """Everything from one draw: each further one would have to be compiled."""
    ends, parts = 0, []
    numbers = jax.random.normal(key, (sum(math.prod(shape) for shape in SHAPES),))
    for shape in SHAPES:
        parts.append(numbers[ends : ends + math.prod(shape)].reshape(shape))
        ends += math.prod(shape)
    tokens, value_map, head, maps, shift, noise, product = parts
    sequence = LabelledSequence(tokens, value_map, head, jnp.asarray(1))
    smoothing = 0.5 ** jnp.arange(float(LENGTH)) * (1 + 0.3 * noise)
    return Setting(sequence, PositionMaps(maps[0], maps[1]), shift, smoothing, product)
