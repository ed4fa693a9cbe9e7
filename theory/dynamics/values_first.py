"""Values first, scores later: both gradient flows of reconstruction at uniform attention, in closed form.

Exact for every L while attention stays uniform, that is to first order in the scores; scalar tokens, cyclic
stationarity. Time = learning rate x steps on the value and on each score alike.   [C11]
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.dynamics.adiabatic import fitted_value
from theory.minimal_model.shapes import require_kernel
from theory.reconstruction.masked_loss import Scalar, leading_proximity_law, proximity_law


def value_rate(autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """kappa = ((L - 2) T + C(0))/L^2, T = sum of C(r) over all lags: the value relaxes like e^(-kappa t).

    dl/dv = kappa (v - v*) at uniform attention, with v* = `fitted_value`; about T/L for large L.   [C11]

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    require_kernel(autocovariance, "autocovariance")
    length = len(autocovariance)
    return ((length - 2) * autocovariance.sum() + autocovariance[0]) / length**2


def value_path(time: Scalar, start: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """v(t) = v* + (v(0) - v*) e^(-kappa t).   [C11]

    From v(0) = 0 it rises at the rate (1/L) sum_{r != 0} C(r), whose sign v keeps.
    """
    limit = fitted_value(autocovariance)
    return limit + (start - limit) * jnp.exp(-value_rate(autocovariance) * time)


def score_path(time: Scalar, start: Scalar, autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """S_{i,i+r}(t) = a_r int v + b_r int v^2, from S = 0 and v(0), to first order in the scores.   [C11]

    v a + v^2 b is the proximity law of C10, a its leading form at v = 1; with e = v(0) - v*,
    int v = v* t + e (1 - e^(-kappa t))/kappa and
    int v^2 = v*^2 t + 2 v* e (1 - e^(-kappa t))/kappa + e^2 (1 - e^(-2 kappa t))/(2 kappa).

    Parameters
    ----------
    time
        Learning rate x steps.
    start
        v(0).
    autocovariance
        C(r), shape (L,), cyclic and even in r.
    """
    limit, rate = fitted_value(autocovariance), value_rate(autocovariance)
    away = start - limit
    once, twice = -jnp.expm1(-rate * time) / rate, -jnp.expm1(-2 * rate * time) / (2 * rate)
    first = limit * time + away * once
    second = limit**2 * time + 2 * limit * away * once + away**2 * twice
    along = leading_proximity_law(1.0, autocovariance)
    return along * first + (proximity_law(1.0, autocovariance) - along) * second


def early_score_law(autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """m (Co(r) - mean Co)/(2 L^3), m = sum_{r != 0} C(r): S_{i,i+r} = this times t^2, from v = 0.   [C11]

    Exact as the first term of the joint flow in t. Its sign does not depend on that of the value: scores
    start along m C(r).
    """
    return leading_proximity_law(
        (autocovariance.sum() - autocovariance[0]) / len(autocovariance) / 2, autocovariance
    )


def time_ratio(autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """kappa over the rate of S_{i,i+r} at v*: how many value times a unit of score takes.   [C11]

    About L T^2/((T - C(0)) C(r)) for large L, r != 0: value times grow like L, score times like L^2.
    Negative where scores fall.
    """
    return value_rate(autocovariance) / proximity_law(fitted_value(autocovariance), autocovariance)
