"""Readouts fitted to convergence: what is left to learn once attention is frozen.   [C19]

Both problems are convex and are solved, not trained: the fit is the optimum up to rounding.
Features are standardised before the ridge, so that it has no preferred unit.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

NEWTON_STEPS = 12  # from 0 on standardised features: quadratic convergence reaches rounding well before


class Readout(NamedTuple):
    """score = features . weights + offset."""

    weights: Float[Array, " features"]
    offset: Float[Array, ""]

    def __call__(self, features: Float[Array, "*batch features"]) -> Float[Array, "*batch"]:
        """The score of each feature vector: a logit or a predicted token."""
        return features @ self.weights + self.offset


def logistic_readout(
    features: Float[Array, "batch features"],
    labels: Int[Array, " batch"],
    counted: Float[Array, " batch"],
    ridge: float,
) -> Readout:
    """argmin mean of [log(1 + e^s_n) - y_n s_n] over counted rows + ridge/2 |w|^2, by Newton's method.

    `counted` is 0 or 1 per row."""
    share = counted / counted.sum()
    design, centre, scale = _standardised(features, share)
    targets, penalty = labels.astype(features.dtype), _penalty(design, ridge)

    def newton(_: Int[Array, ""], weights: Float[Array, " column"]) -> Float[Array, " column"]:
        chance = jax.nn.sigmoid(design @ weights)
        slope = design.T @ (share * (chance - targets)) + penalty * weights
        curvature = (design * (share * chance * (1 - chance))[:, None]).T @ design + jnp.diag(penalty)
        return weights - jnp.linalg.solve(curvature, slope)

    fitted = jax.lax.fori_loop(0, NEWTON_STEPS, newton, jnp.zeros(design.shape[1], features.dtype))
    return _in_raw_units(fitted, centre, scale)


def least_squares_readout(
    features: Float[Array, "batch features"],
    targets: Float[Array, " batch"],
    counted: Float[Array, " batch"],
    ridge: float,
) -> Readout:
    """argmin mean of (t_n - s_n)^2 / 2 over counted rows + ridge/2 |w|^2; `counted` is 0 or 1 per row."""
    share = counted / counted.sum()
    design, centre, scale = _standardised(features, share)
    moments = (design * share[:, None]).T @ design + jnp.diag(_penalty(design, ridge))
    return _in_raw_units(jnp.linalg.solve(moments, design.T @ (share * targets)), centre, scale)


def _standardised(
    features: Float[Array, "batch features"], share: Float[Array, " batch"]
) -> tuple[Float[Array, "batch column"], Float[Array, " features"], Float[Array, " features"]]:
    centre = share @ features
    scale = jnp.sqrt(share @ (features - centre[None]) ** 2)
    ones = jnp.ones((len(features), 1), features.dtype)
    return jnp.concatenate([(features - centre[None]) / scale[None], ones], axis=1), centre, scale


def _penalty(design: Float[Array, "batch column"], ridge: float) -> Float[Array, " column"]:
    return jnp.full(design.shape[1], ridge, design.dtype).at[-1].set(0)


def _in_raw_units(
    fitted: Float[Array, " column"], centre: Float[Array, " features"], scale: Float[Array, " features"]
) -> Readout:
    weights = fitted[:-1] / scale
    return Readout(weights, fitted[-1] - centre @ weights)
