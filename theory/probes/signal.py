"""Signal to noise of gradients along a direction of score space, per sample.

SNR = (mean / standard deviation)^2 over samples of <G_n, D>: n* = z^2 / SNR samples tell the sign of
the mean at z standard errors. `snr` and its estimates take arrays of numpy or jax.   [C7, C16, C19]
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

Samples = Float[Array | np.ndarray, "sample *shape"]
PerShape = Float[Any, "*shape"]
Z95 = 1.959963984540054  # two-sided 95 % of a normal


class Signal(NamedTuple):
    """A signal-to-noise ratio per sample with its 95 % interval, per layer and head."""

    snr: Float[np.ndarray, "*shape"]
    """(mean/sd)^2 - 1/n: unbiased to order 1/n, so it can be below 0; exactly 0 where `blind`."""
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]
    blind: Bool[np.ndarray, "*shape"]
    """The projections are 0 up to rounding, in the mean square: the loss does not see this direction."""


def snr(mean_square: PerShape, variance: PerShape) -> PerShape:
    """mean^2 / variance, per sample; 0 where nothing varies.   [C7, C16]

    `mean_square` is the squared mean or its estimate, `unbiased_square`; `variance` an array.
    """
    where = variance.__array_namespace__().where
    return where(variance > 0, mean_square / where(variance > 0, variance, 1), 0)


def standard_score(samples: Samples) -> PerShape:
    """mean / standard deviation over the samples, with its sign; 0 where nothing varies. SNR is its square."""
    spread = samples.std(axis=0, ddof=1)
    where = spread.__array_namespace__().where
    return where(spread > 0, samples.mean(axis=0) / where(spread > 0, spread, 1), 0)


def unbiased_square(samples: Samples) -> PerShape:
    """mean^2 - variance / n over the samples: without bias for the squared mean, so it may be negative."""
    return samples.mean(axis=0) ** 2 - samples.var(axis=0, ddof=1) / len(samples)


def unbiased_snr(samples: Samples) -> PerShape:
    """(mean^2 - variance / n) / variance: 0 on average without signal, so it may be negative."""
    return snr(unbiased_square(samples), samples.var(axis=0, ddof=1))


def joint_snr(samples: Samples) -> Float[Any, ""]:
    """sum (mean^2 - variance / n) / sum variance over all axes but the first: |mean|^2 over the noise's."""
    return snr(unbiased_square(samples).sum(), samples.var(axis=0, ddof=1).sum())


def signal(
    projections: Float[np.ndarray, "sample *shape"],
    rounding: Float[np.ndarray, "sample *shape"] | float = 0.0,
) -> Signal:
    """The SNR of samples of a projection; interval from mean/sd, whose variance is (1 + r^2/2)/n.

    A projection of at most its `rounding` counts as 0. Where they are at most that in the mean square over
    samples, SNR and interval are 0 and `blind` is true. NaN where the projections are not 0 but vary by no
    more than rounding: there is no noise to compare.
    """
    count, floor = len(projections), np.broadcast_to(rounding, projections.shape)
    blind = (projections**2).mean(axis=0) <= (floor**2).mean(axis=0)
    projections = np.where(np.abs(projections) <= floor, 0.0, projections)
    spread = projections.std(axis=0, ddof=1)
    varies = spread > np.sqrt((floor**2).mean(axis=0))
    ratio = np.divide(projections.mean(axis=0), spread, out=np.full_like(spread, np.nan), where=varies)
    error = Z95 * np.sqrt((1 + ratio**2 / 2) / count)
    near = np.maximum(np.abs(ratio) - error, 0.0)
    estimate = np.where(varies, unbiased_snr(projections), np.nan)
    parts = estimate, near**2, (np.abs(ratio) + error) ** 2
    return Signal(*(np.where(blind, 0.0, part) for part in parts), blind)


def relative_rounding(length: int, dtype: np.dtype, entry: float) -> float:
    """L eps + u: what rounding can leave of <G, D> / (|G| |D|), with eps of the sum and u of G's entries.

    Each of the L^2 additions is off by at most eps/2 of a partial sum, itself at most |G| |D|; independent
    errors add up as their squares, to L eps/2: L eps is two standard deviations. Entries rounded to u/2 of
    themselves move the sum by at most u/2 |G| |D| (Cauchy and Schwarz).
    """
    return length * float(np.finfo(dtype).eps) + entry


def normalised(
    directions: Mapping[str, ArrayLike | Sequence], bias: Float[Array, "*maps query key"]
) -> Float[Array, "direction *maps query key"]:
    """Each direction at every layer and head, with unit norm over (L, L).

    Raises
    ------
    ValueError
        If a direction is none of (L, L), (heads, L, L) or the bias's shape, or is 0.
    """
    units = np.zeros((len(directions), *bias.shape), bias.dtype)
    for row, (name, direction) in zip(units, directions.items(), strict=True):
        direction = np.asarray(direction, bias.dtype)
        if direction.ndim < 2 or direction.shape != bias.shape[bias.ndim - direction.ndim :]:
            raise ValueError(
                f"direction {name!r} must have shape {bias.shape[-2:]} or the bias's, {bias.shape}, with or "
                f"without its first axes: got {direction.shape}; pass a row per query and a column per key"
            )
        norms = np.linalg.norm(direction, axis=(-2, -1), keepdims=True)
        if not (np.isfinite(norms) & (norms > 0)).all():
            raise ValueError(f"direction {name!r} must be finite and not 0 in any layer and head")
        row[...] = direction / norms
    return jnp.asarray(units)


def leading_projections(
    gram: Float[np.ndarray, "sample sample"], split: Int[np.ndarray, " sample"], number: int, rounding: float
) -> tuple[Float[np.ndarray, "held_out direction"], Float[np.ndarray, "held_out direction"]]:
    """Held-out gradients along directions found on the other half, and their rounding.

    From inner products alone. Direction 0 is the mean gradient of the half where `split` is 0, then its
    `number` leading principal directions; rows are the samples where `split` is 1. NaN where the half has no
    such direction. With
    coefficients c the rounding is `rounding` |G_n| sum_m |c_m| |G_m| / |sum_m c_m G_m|.
    """
    seek, test = np.flatnonzero(split == 0), np.flatnonzero(split == 1)
    within, sizes = gram[np.ix_(seek, seek)], np.sqrt(np.diag(gram))
    _, vectors = np.linalg.eigh(within)
    vectors = vectors[:, ::-1][:, :number]
    coefficients = np.concatenate([np.full((len(seek), 1), 1 / len(seek)), vectors], axis=1)
    squares = np.einsum("nd,nm,md->d", coefficients, within, coefficients)
    floor = len(seek) * np.finfo(gram.dtype).eps * np.abs(squares).max()
    norms = np.sqrt(np.where(squares > floor, squares, np.nan))
    errors = rounding * np.outer(sizes[test], sizes[seek] @ np.abs(coefficients))
    return gram[np.ix_(test, seek)] @ coefficients / norms, errors / norms
