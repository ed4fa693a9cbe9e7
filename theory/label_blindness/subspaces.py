"""The three orthogonal parts of score space: gauge, key bias, doubly centred. Exact for every L.

R^{L x L} = {a 1^T} + {1 b^T, sum b = 0} + {rows and columns sum to 0},
of dimensions L, L-1 and (L-1)^2.   [C1, C2, C9]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_square


class Dimensions(NamedTuple):
    """Dimensions of the parts of score space; they sum to L^2."""

    gauge: int
    key_bias: int
    doubly_centred: int


class Decomposition(NamedTuple):
    """The three orthogonal parts of a score direction; they sum to it."""

    gauge: Float[Array, "query key"]
    key_bias: Float[Array, "query key"]
    doubly_centred: Float[Array, "query key"]


def decompose(direction: Float[Array, "query key"]) -> Decomposition:
    """D = a 1^T + 1 b^T + D_cc, the three terms mutually orthogonal.   [C1, C2]

    a_i is the mean of row i, b_j the mean of column j minus the grand mean, D_cc the rest.

    Raises
    ------
    ValueError
        If `direction` is not a square floating-point matrix with L >= 2.

    Examples
    --------
    >>> import jax.numpy as jnp, theory
    >>> gauge, key_bias, doubly_centred = theory.decompose(jnp.array([[3.0, 1.0], [1.0, 3.0]]))
    >>> gauge.tolist(), key_bias.tolist(), doubly_centred.tolist()
    ([[2.0, 2.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]], [[1.0, -1.0], [-1.0, 1.0]])
    """
    require_square(direction, "direction")
    gauge = jnp.broadcast_to(direction.mean(axis=1, keepdims=True), direction.shape)
    key_bias = jnp.broadcast_to((direction - gauge).mean(axis=0, keepdims=True), direction.shape)
    return Decomposition(gauge, key_bias, direction - gauge - key_bias)


def visible_share(
    key_bias_energy: Float[Any, "*shape"], energy: Float[Any, "*shape"]
) -> Float[Any, "*shape"]:
    """|key bias|^2 / |G without its gauge|^2, from these squared norms; NaN where both are 0.   [C1, C2, C9]

    The measured `visible_share`; energies may be sums over samples. `key_bias_share` is that of one matrix.
    """
    where = energy.__array_namespace__().where
    return where(energy > 0, key_bias_energy / where(energy > 0, energy, 1), np.nan)


def key_bias_share(direction: Float[Array, "query key"]) -> Float[Array, ""]:
    """|key bias|^2 / |D without its gauge|^2, in [0, 1]: the `visible_share` of a direction.   [C1, C2, C9]

    1 for label gradients at row-constant S [C2], 0 for the reconstruction gradient of stationary
    data [C9], 1/L on average for an isotropic direction [C1]. NaN for a pure gauge direction,
    which has no share.

    Raises
    ------
    ValueError
        If `direction` is not a square floating-point matrix with L >= 2.

    Examples
    --------
    Half of this direction is a key bias, half is "attend to yourself":

    >>> import jax.numpy as jnp, theory
    >>> key_bias, own_token = jnp.array([[1.0, -1.0], [1.0, -1.0]]), jnp.array([[1.0, -1.0], [-1.0, 1.0]])
    >>> float(theory.key_bias_share(key_bias + own_token))
    0.5
    """
    _, key_bias, doubly_centred = decompose(direction)
    visible = jnp.sum(key_bias**2)
    return visible_share(visible, visible + jnp.sum(doubly_centred**2))


def paired_energies(
    first: Float[Array, "query key"], second: Float[Array, "query key"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """<K_1, K_2> and <K_1, K_2> + <D_1, D_2> of two independent estimates of one gradient.   [C9]

    Of their key biases K and doubly centred parts D. Inner products between the two replace squared norms, so
    that sampling noise adds nothing on average; they may be negative.
    """
    ours, theirs = decompose(first), decompose(second)
    visible = jnp.sum(ours.key_bias * theirs.key_bias)
    return visible, visible + jnp.sum(ours.doubly_centred * theirs.doubly_centred)


def paired_key_bias_share(
    first: Float[Array, "query key"], second: Float[Array, "query key"]
) -> Float[Array, ""]:
    """The key-bias share of what two independent estimates of one gradient have in common.   [C9]

    The ratio of their `paired_energies`; it means nothing where the second is not positive.
    """
    visible, whole = paired_energies(first, second)
    return visible / whole


def dimensions(length: int) -> Dimensions:
    """Dimensions of gauge, key bias and doubly centred space: L, L-1, (L-1)^2.   [C1]"""
    return Dimensions(length, length - 1, (length - 1) ** 2)


def blind_dimension(length: int) -> int:
    """L^2 - L + 1: score directions, gauge included, that no label loss can feel.   [C1]

    Examples
    --------
    >>> import theory
    >>> theory.blind_dimension(64), theory.dimensions(64).key_bias
    (4033, 63)
    """
    return length**2 - length + 1


def isotropic_visible_share(length: int) -> float:
    """(L-1) / (L(L-1)) = 1/L: visible share of the non-gauge directions.   [C1]

    By dimensions, and so what `key_bias_share` of an isotropic random direction is on average. Several heads
    and layers: `theory.visible_dimension_share`.
    """
    return 1.0 / length
