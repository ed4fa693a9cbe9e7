"""Leaving the plateau: the strict saddle of the label loss at the adiabatic point, and its clocks.   [C20]

Exact for every L and every architecture with a linear head; the times are those of the loss to second
order, 1/2 w^T K w - w^T M[S] with ridges. Time = learning rate x steps, scores dimensionless, loss in nats.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from theory.minimal_model.shapes import require_length
from theory.reconstruction.masked_loss import Scalar


class Saddle(NamedTuple):
    """K and M of the label loss to second order, 1/2 w^T K w - w^T M[S]; intercept last in w.   [C20]"""

    curvature: Float[Array, "features features"]
    contrast: Float[Array, "features query key"]

    def hessian(self) -> Float[Array, "parameters parameters"]:
        """[[K, -M], [-M^T, 0]]: head and intercept first, then the L^2 scores row by row.   [C20]"""
        coupling = self.contrast.reshape(len(self.contrast), -1)
        silent = jnp.zeros_like(coupling, shape=(coupling.shape[1],) * 2)
        return jnp.block([[self.curvature, -coupling], [-coupling.T, silent]])

    def rate(self) -> Float[Array, ""]:
        """gamma = -min eigenvalue of the Hessian, the largest root of det(gamma^2 + gamma K - M M^T).   [C20]

        Positive exactly when M is not 0. Between the two values of `escape_rate` for the largest
        and the smallest eigenvalue of K.
        """
        hessian = self.hessian()
        steepest = jax.lax.stop_gradient(jnp.linalg.eigh(hessian)[1][:, 0])  # Hellmann-Feynman
        return -(steepest @ hessian @ steepest)


def label_saddle(
    features: Float[Array, "sample features"],
    responses: Float[Array, "sample features query key"],
    labels: Float[Array, " sample"],
    chances: Float[Array, " sample"],
    penalty: Scalar = 0.0,
) -> Saddle:
    """K = p(1-p) E[(z,1)(z,1)^T] + ridge, M = p(1-p) (E[dz/dS | 1] - E[dz/dS | 0]), p = P(y = 1).   [C20]

    Parameters
    ----------
    features, responses
        z and dz/dS of each sequence at uniform attention.
    labels, chances
        0 or 1, and the probability of each sequence; both labels must occur.
    penalty
        The ridge (penalty/2)|w|^2; the intercept carries none.

    Raises
    ------
    ValueError
        If `responses` or `labels` has another number of samples than `features`.
    """
    require_length(responses, len(features), "responses", "features", axes=4)
    require_length(labels, len(features), "labels", "features", axes=1)
    rows = jnp.concatenate([features, jnp.ones_like(features[:, :1])], axis=1)
    ridge = penalty * jnp.ones_like(rows[0]).at[-1].set(0.0)
    share = chances @ labels
    curvature = share * (1 - share) * (rows * chances[:, None]).T @ rows + jnp.diag(ridge)
    contrast = jnp.tensordot(chances * (labels - share), responses, axes=1)
    return Saddle(curvature, jnp.concatenate([contrast, jnp.zeros_like(contrast[:1])]))


def escape_rate(curvature: Scalar, contrast: Scalar, score_penalty: Scalar = 0.0) -> Float[Array, ""]:
    """gamma = 2 (sigma^2 - k mu) / (k + mu + sqrt((k - mu)^2 + 4 sigma^2)), one centred feature.   [C20]

    Between sigma^2/(k + sigma) and min(sigma, sigma^2/k) when mu = 0: sigma for a flat feature (k = 0),
    sigma^2/k where the head follows the scores at once. With a ridge mu on the scores it is
    positive exactly when sigma^2 > k mu: below, the plateau is a minimum and is never left.
    0 where all are 0.

    Parameters
    ----------
    curvature
        k = p(1-p) Var z + ridge of the head.
    contrast
        sigma = |M|, the Frobenius norm of p(1-p) times the class contrast of dz/dS.
    score_penalty
        mu, the ridge (mu/2)|S|^2.
    """
    spread = jnp.sqrt((jnp.asarray(curvature) - score_penalty) ** 2 + 4 * jnp.asarray(contrast) ** 2)
    whole = curvature + score_penalty + spread
    numerator = 2 * (jnp.asarray(contrast) ** 2 - curvature * score_penalty)
    return jnp.where(whole == 0, 0.0, numerator / jnp.where(whole == 0, 1.0, whole))


def plateau_path(
    time: Float[Array, "*axes"], scale: Scalar, curvature: Scalar, contrast: Scalar
) -> Float[Array, "*axes"]:
    """a(t) = e [(gamma + k) exp(gamma t) + gamma exp(-(gamma + k) t)] / (2 gamma + k).   [C20]

    The score's component along the contrast under gradient flow, from a = `scale` and a zero head; it stays
    at `scale` where gamma = k = 0.
    """
    rate = escape_rate(curvature, contrast)
    fading = rate + curvature
    still = rate + fading == 0
    grown = scale * (fading * jnp.exp(rate * time) + rate * jnp.exp(-fading * time))
    return jnp.where(still, scale, grown / jnp.where(still, 1.0, rate + fading))


def escape_time(scale: Scalar, size: Scalar, rate: Scalar) -> Float[Array, ""]:
    """log(size/scale)/gamma: labels from a score of `scale` to one of `size`.   [C20]"""
    return jnp.log(jnp.asarray(size) / scale) / rate


def escape_steps(scale: Scalar, size: Scalar, rate: Scalar, learning_rate: Scalar) -> Float[Array, ""]:
    """log(size/scale)/log(1 + eta gamma): the same in steps of gradient descent, for every eta.   [C20]"""
    return jnp.log(jnp.asarray(size) / scale) / jnp.log1p(learning_rate * jnp.asarray(rate))


def factored_escape_time(scale: Scalar, size: Scalar, contrast: Scalar) -> Float[Array, ""]:
    """(1/scale - 1/size)/sigma: labels through queries and keys, for flat features (k = 0).   [C20]

    Head, query and key amplitudes all start at `scale` with S = query x key and loss -sigma w S: a saddle of
    third order, whose plateau is a power of the scale and no longer a logarithm. For k > 0 it is longer,
    `slow_factored_time`.
    """
    return (1 / jnp.asarray(scale) - 1 / jnp.asarray(size)) / contrast


def slow_factored_time(scale: Scalar, size: Scalar, curvature: Scalar, contrast: Scalar) -> Float[Array, ""]:
    """k (1/scale^2 - 1/size^2)/(2 sigma^2): the same where features vary, k > 0.   [C20]

    The head follows at w = sigma S/k, and the amplitudes grow like their cube. Leading order in
    sigma size/k; a head that starts at `scale` adds a relative error of order sigma scale/k.
    """
    return curvature * (1 / jnp.asarray(scale) ** 2 - 1 / jnp.asarray(size) ** 2) / (2 * contrast**2)


def first_order_time(distance: Scalar, gradient: Float[Array, "*axes"]) -> Float[Array, ""]:
    """distance/|G|: reconstruction, whose gradient is not 0 on the plateau.   [C20]"""
    return distance / jnp.linalg.norm(gradient.ravel())


def noisy_spread(
    steps: Scalar, scale: Scalar, rate: Scalar, learning_rate: Scalar, noise: Scalar
) -> Float[Array, ""]:
    """E a_n^2 = e^2 r^(2n) + eta^2 tau^2 (r^(2n) - 1)/(r^2 - 1), r = 1 + eta gamma.   [C20]

    Stochastic gradient descent along the escape direction, with independent gradient noise of standard
    deviation tau: noise starts the escape even at e = 0, as an initial scale of
    tau sqrt(eta/(2 gamma)) for small eta would, so the plateau has a longest length. A random
    walk at gamma = 0.
    """
    growth = (1 + learning_rate * jnp.asarray(rate)) ** 2
    grown = growth**steps
    still = growth == 1
    summed = jnp.where(still, steps, (grown - 1) / jnp.where(still, 1.0, growth - 1))
    return scale**2 * grown + (learning_rate * noise) ** 2 * summed


def sign_drift(signal: Scalar, noise: Scalar) -> Float[Array, ""]:
    """E sign(g) = erf(signal / (sqrt(2) noise)): the speed of a sign-normalised step over its size.   [C20]

    The label's score gradient is w times (p - y) dz/dS: signal and noise both carry the factor |w|, so the
    normalised step does not slow down with a small head, unlike gradient descent's.
    """
    return jax.scipy.special.erf(jnp.asarray(signal) / (jnp.sqrt(2.0) * noise))
