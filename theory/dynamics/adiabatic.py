"""The adiabatic point: attention frozen uniform, everything fast already fitted.   [C19]

Exact for every L. Labels: a linear head on the pooled features, cross-entropy in nats, and a ridge
(lambda/2)|w|^2 that makes the head the smallest one. Reconstruction: the fitted scalar readout.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_kernel, require_length
from theory.reconstruction.masked_loss import Scalar, without_lag_zero

NEWTON_STEPS = 30


class Head(NamedTuple):
    """A binary linear head: logit = w . z + intercept.   [C19]"""

    weights: Float[Array, " features"]
    intercept: Float[Array, ""]


def head_loss(
    head: Head,
    features: Float[Array, "sample features"],
    labels: Float[Array, " sample"],
    chances: Float[Array, " sample"],
    penalty: Scalar,
) -> Float[Array, ""]:
    """sum_n chance_n CE(w . z_n + intercept, y_n) + (lambda/2) |w|^2, labels 0 or 1.   [C19]"""
    logits = features @ head.weights + head.intercept
    losses = jax.nn.softplus(logits) - labels * logits
    return chances @ losses + 0.5 * penalty * head.weights @ head.weights


def fit_head(
    features: Float[Array, "sample features"],
    labels: Float[Array, " sample"],
    chances: Float[Array, " sample"],
    penalty: Scalar,
) -> Head:
    """(w, intercept) = argmin of `head_loss`, by Newton's method; unique for lambda > 0.   [C19]

    The intercept carries no penalty. The weights are 0 exactly when both classes have the same
    mean features.

    Parameters
    ----------
    chances
        Probability of each sample, summing to 1; both labels must occur.
    penalty
        lambda > 0.

    Raises
    ------
    ValueError
        If `labels` or `chances` has another number of samples than `features`.
    """
    require_length(labels, len(features), "labels", "features", axes=1)
    require_length(chances, len(features), "chances", "features", axes=1)
    rows = jnp.concatenate([features, jnp.ones_like(features[:, :1])], axis=1)
    ridge = penalty * jnp.ones_like(rows[0]).at[-1].set(0.0)

    def step(_, parameters):
        rate = jax.nn.sigmoid(rows @ parameters)
        slope = rows.T @ (chances * (rate - labels)) + ridge * parameters
        curvature = (rows * (chances * rate * (1 - rate))[:, None]).T @ rows + jnp.diag(ridge)
        return parameters - jnp.linalg.solve(curvature, slope)

    share = chances @ labels
    start = jnp.zeros_like(rows[0]).at[-1].set(jnp.log(share) - jnp.log1p(-share))
    fitted = jax.lax.fori_loop(0, NEWTON_STEPS, step, start)
    return Head(fitted[:-1], fitted[-1])


def head_size_bound(information: Scalar, penalty: Scalar) -> Float[Array, ""]:
    """|w| <= sqrt(2 I / lambda): what I nats about the label in the features buy.   [C19]

    The loss with w = 0 is H(Y); with the fitted head it is at least H(Y) - I plus the ridge. Features that
    are sums over positions of functions of (token, position, bag) may use I(bag; label), where a position's
    token has one law given the bag: their mean given the bag is all that can help a convex loss.
    """
    return jnp.sqrt(2 * jnp.asarray(information) / penalty)


def label_gradient_bound(information: Scalar, penalty: Scalar, mean_pull: Scalar) -> Float[Array, ""]:
    """|E dl/dS| <= sqrt(2 I / lambda) E[|p - y| |dz/dS|], the last factor being `mean_pull`.   [C19]"""
    return head_size_bound(information, penalty) * mean_pull


def fitted_value(autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """v* = L (T - C(0)) / (L T - 2 T + C(0)): the best value at uniform attention.   [C10, C19]

    T is the sum of C(r) over all lags; C(r) is even, shape (L,).

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.

    Examples
    --------
    Three equally correlated tokens: T = 2, so v* = 3 (2 - 1) / (6 - 4 + 1).

    >>> import jax.numpy as jnp, theory
    >>> round(float(theory.fitted_value(jnp.array([1.0, 0.5, 0.5]))), 6)
    1.0
    """
    require_kernel(autocovariance, "autocovariance")
    length, everything, variance = len(autocovariance), autocovariance.sum(), autocovariance[0]
    return length * (everything - variance) / ((length - 2) * everything + variance)


def residual_covariance(autocovariance: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """C(r) - (v*/L)(T - C(r)), 0 at lag 0: the fitted residual's covariance with lag r.   [C19]

    Times v*/L^2 it is minus the reconstruction gradient in S_{i,i+r}. It sums to 0, and vanishes
    only if all C(r), r != 0, are equal; the gradient vanishes where they sum to 0 as well, since v* = 0.

    Raises
    ------
    ValueError
        If `autocovariance` is not a floating-point vector of at least 2 lags.
    """
    share = fitted_value(autocovariance) / len(autocovariance)
    return without_lag_zero(autocovariance - share * (autocovariance.sum() - autocovariance))
