"""Signal to noise of gradients along a direction of score space, per sample.

SNR = (mean / standard deviation)^2 over samples of <G_n, D>: n* = z^2 / SNR samples tell the sign of
the mean at z standard errors.   [C7, C16, C19]
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

Z95 = 1.959963984540054  # two-sided 95 % of a normal


class Signal(NamedTuple):
    """A signal-to-noise ratio per sample with its 95 % interval, per layer and head."""

    snr: Float[np.ndarray, "*shape"]
    """(mean/sd)^2 - 1/n: unbiased to order 1/n, so it can be below 0."""
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]


def signal(projections: Float[np.ndarray, "sample *shape"]) -> Signal:
    """The SNR of samples of a projection; interval from mean/sd, whose variance is (1 + r^2/2)/n.

    NaN where the projections do not vary: there is no noise to compare with.
    """
    count = len(projections)
    spread = projections.std(axis=0, ddof=1)
    ratio = np.divide(projections.mean(axis=0), spread, out=np.full_like(spread, np.nan), where=spread > 0)
    error = Z95 * np.sqrt((1 + ratio**2 / 2) / count)
    near = np.maximum(np.abs(ratio) - error, 0.0)
    return Signal(ratio**2 - 1 / count, near**2, (np.abs(ratio) + error) ** 2)


def normalised(
    directions: Mapping[str, Float[Array, "..."]], bias: Float[Array, "*maps query key"]
) -> Float[Array, "direction *maps query key"]:
    """Each direction at every layer and head, with unit norm over (L, L).

    Raises
    ------
    ValueError
        If a direction is neither (L, L) nor of the bias's shape, or is 0.
    """
    units = []
    for name, direction in directions.items():
        if direction.shape not in (bias.shape, bias.shape[-2:]):
            raise ValueError(
                f"direction {name!r} must have shape {bias.shape[-2:]} or {bias.shape}: got {direction.shape}"
            )
        norms = jnp.linalg.norm(direction, axis=(-2, -1), keepdims=True)
        if not bool((norms > 0).all() & jnp.isfinite(norms).all()):
            raise ValueError(f"direction {name!r} must be finite and not 0 in any layer and head")
        units.append(jnp.broadcast_to((direction / norms).astype(bias.dtype), bias.shape))
    return jnp.stack(units) if units else jnp.zeros((0, *bias.shape), bias.dtype)


def found_projections(
    gram: Float[np.ndarray, "sample sample"], split: Int[np.ndarray, " sample"], number: int
) -> Float[np.ndarray, "held_out direction"]:
    """Held-out gradients along directions found on the other half, from inner products alone.

    Direction 0 is the mean gradient of the half where `split` is 0, then its `number` leading
    principal directions; rows are the samples where `split` is 1.
    """
    seek, test = np.flatnonzero(split == 0), np.flatnonzero(split == 1)
    within = gram[np.ix_(seek, seek)]
    _, vectors = np.linalg.eigh(within)
    vectors = vectors[:, ::-1][:, :number]
    coefficients = np.concatenate([np.full((len(seek), 1), 1 / len(seek)), vectors], axis=1)
    squares = np.einsum("nd,nm,md->d", coefficients, within, coefficients)
    floor = len(seek) * np.finfo(gram.dtype).eps * np.abs(squares).max()
    norms = np.sqrt(np.where(squares > floor, squares, np.nan))
    return gram[np.ix_(test, seek)] @ coefficients / norms
