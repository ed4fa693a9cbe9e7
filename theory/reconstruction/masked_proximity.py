"""Where reconstruction's first pull differs from that on a ring with one mask: many masks, and open ends.

Scalar tokens, uniform attention. The law under masks is exact for every L [C28]; the share on a line is leading
order in 1/L [C29].
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel
from theory.reconstruction.masked_loss import Scalar, without_lag_zero


def masked_proximity_law(
    value: Scalar, autocovariance: Float[Array, " lag"], mask_rate: Scalar
) -> Float[Array, " lag"]:
    """-dl/dS_{i,i+r} at uniform attention where every other position is hidden with probability p as well.   [C28]

    (1/L^2) [v q (1 + v q/L)(C0(r) - mean C0) - (v^2 q/L)(q T + p C(0))(1[r != 0] - (L-1)/L)], q = 1 - p,
    mask token 0. p = 0 gives `proximity_law`.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    length, seen_rate = len(autocovariance), 1 - jnp.asarray(mask_rate)
    other_lags = without_lag_zero(autocovariance)
    others = without_lag_zero(jnp.ones_like(autocovariance))
    along = value * seen_rate * (1 + value * seen_rate / length) * (other_lags - other_lags.mean())
    carried = seen_rate * autocovariance.sum() + mask_rate * autocovariance[0]
    away = value**2 * seen_rate * carried / length * (others - (length - 1) / length)
    return (along - away) / length**2


def line_visible_share(value: Scalar, correlation: Scalar, length: int) -> Float[Array, ""]:
    """((1 - v)/((1 - rho) L))^2: what of reconstruction's gradient is a key bias, for AR(1) on a line.   [C29]

    Of its squared norm at uniform attention; leading order in 1/L, for rho other than 0. On a ring
    it is 0 [C9], as at rho = 0.
    """
    return ((1 - jnp.asarray(value)) / ((1 - jnp.asarray(correlation)) * length)) ** 2
