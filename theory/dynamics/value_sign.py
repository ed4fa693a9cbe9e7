"""The sign of the first value: whether reconstruction turns attention to neighbours or away from them.

Scalar tokens, cyclic stationarity, from uniform attention. m and v* are exact for every L; the flow of the
scores, and where it turns, hold to leading order in 1/L at v of order sqrt(L). Time = learning rate x steps
on the value and on each score alike.   [C24]
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel
from theory.reconstruction.masked_loss import Scalar, without_lag_zero

HALVINGS = 60  # of an interval, to the last bit


def sum_excess(autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """m = sum_{r != 0} C(r) = E (sum_i x_i)^2 / L - C(0).   [C24]

    How much more the sum spreads than that of independent tokens. A property of the bag: permuting
    positions keeps it. -C(0) where every sequence sums to 0.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    return autocovariance[1:].sum()


def masked_fitted_value(autocovariance: Float[Array, " lag"], mask_rate: Scalar) -> Float[Array, ""]:
    """v* = L m / ((1 - p)((L - 2) T + C(0)) + p (L - 1) C(0)): the best value at uniform attention.   [C24]

    T = m + C(0), mask token 0, every other position hidden with probability p in [0, 1). Of the sign of m for
    every p; near -1/p for long sequences that sum to 0.
    """
    length, excess = len(autocovariance), sum_excess(autocovariance)
    pairs = (length - 2) * (excess + autocovariance[0]) + autocovariance[0]
    spread = (length - 1) * autocovariance[0]
    return length * excess / ((1 - mask_rate) * pairs + mask_rate * spread)


def early_flow_scores(clock: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """S_{i,i+r} = -log(1 - C(r) tau) off lag 0, tau = int v dt / L^2, from uniform attention.   [C24]

    Leading order in 1/L. Ordered as C(r) while tau > 0, the other way round while tau < 0.
    """
    return -jnp.log1p(-clock * without_lag_zero(autocovariance))


def early_flow_square(clock: Scalar, start: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """v^2 = v(0)^2 - 2 L sum_{r != 0} log(1 - C(r) tau): the value along the same flow.   [C24]

    Leading order in 1/L. Where it reaches 0, the value turns.
    """
    scores = early_flow_scores(clock, autocovariance)
    return start**2 + 2 * len(autocovariance) * scores.sum()


def flip_threshold(autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """How large a value of the sign opposite to m must start, to keep it.   [C24]

    v0*^2 = 2 L max_tau sum_{r != 0} log(1 - C(r) tau) over tau of that sign; leading order in 1/L. About
    |m| sqrt(L / sum_{r != 0} C(r)^2) where |m| is small, 0 at m = 0; else infinite where no C(r) has the sign
    opposite to m.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    against = -jnp.sign(sum_excess(autocovariance)) * without_lag_zero(autocovariance)
    largest = against.max()
    slope = lambda clock: (against / (1 - clock * against)).sum()

    def halve(_, bounds):
        middle = bounds.mean()
        return jnp.where(slope(middle) < 0, bounds.at[0].set(middle), bounds.at[1].set(middle))

    ends = jnp.stack([jnp.zeros_like(largest), 1 / largest])
    turn = jax.lax.fori_loop(0, HALVINGS, halve, ends)[0]
    squared = 2 * len(autocovariance) * jnp.log1p(-turn * against).sum()
    balanced = sum_excess(autocovariance) == 0
    return jnp.where(largest > 0, jnp.sqrt(jnp.maximum(squared, 0)), jnp.where(balanced, 0.0, jnp.inf))
