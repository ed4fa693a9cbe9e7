"""The saddle of the label loss for any number of classes, at the adiabatic point.   [C25]

Exact for every L and every architecture with a softmax head; the rate of `class_contrast_rate` is that of one
centred feature whose head follows the scores. Time = learning rate x steps, loss in nats.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from theory.dynamics.escape import Saddle
from theory.minimal_model.shapes import require_length
from theory.reconstruction.masked_loss import Scalar


def many_class_saddle(
    features: Float[Array, "sample features"],
    responses: Float[Array, "sample features query key"],
    labels: Int[Array, " sample"],
    chances: Float[Array, " sample"],
    classes: int,
    penalty: Scalar = 0.0,
) -> Saddle:
    """K = (diag pi - pi pi^T) x E[(z,1)(z,1)^T] + ridge, M_c = pi_c (r_c - rbar), pi_c = P(y = c).   [C25]

    r_c = E[dz/dS | c], rbar their mean. Rows go class by class, features first and the intercept last; all the
    M_c sum to 0, so that at most (classes - 1) x features directions lead down.

    Parameters
    ----------
    features, responses
        z and dz/dS of each sequence at uniform attention.
    labels, chances
        A class in 0..classes-1, and the probability of each sequence; every class must occur.
    penalty
        The ridge (penalty/2)|W|^2; intercepts carry none.

    Raises
    ------
    ValueError
        If `responses` or `labels` has another number of samples than `features`.
    """
    require_length(responses, len(features), "responses", "features", axes=4)
    require_length(labels, len(features), "labels", "features", axes=1)
    rows = jnp.concatenate([features, jnp.ones_like(features[:, :1])], axis=1)
    hits = jax.nn.one_hot(labels, classes, dtype=features.dtype)
    shares = chances @ hits
    ridge = jnp.kron(jnp.eye(classes), jnp.diag(penalty * jnp.ones_like(rows[0]).at[-1].set(0.0)))
    curvature = jnp.kron(jnp.diag(shares) - jnp.outer(shares, shares), (rows * chances[:, None]).T @ rows)
    contrast = jnp.einsum("n,nc,nfij->cfij", chances, hits - shares[None, :], responses)
    padded = jnp.concatenate([contrast, jnp.zeros_like(contrast[:, :1])], axis=1)
    return Saddle(curvature + ridge, padded.reshape(-1, *padded.shape[2:]))


def class_contrast_rate(
    shares: Float[Array, " classes"], responses: Float[Array, "classes query key"], variance: Scalar
) -> Float[Array, ""]:
    """gamma = lambda_max(sum_c pi_c (r_c - rbar)(r_c - rbar)^T) / Var z, one centred feature.   [C25]

    A Fisher ratio: how far the classes' mean responses lie apart, over how much the feature varies. The rate of
    the saddle where the head follows the scores, |M| small beside K; for two classes sigma^2/k.

    Parameters
    ----------
    shares
        pi_c, summing to 1.
    responses
        r_c = E[dz/dS | c] at uniform attention.
    variance
        Var z over all classes, without a ridge.

    Raises
    ------
    ValueError
        If `responses` has another number of classes than `shares`.
    """
    require_length(responses, len(shares), "responses", "shares", axes=3)
    apart = responses - jnp.tensordot(shares, responses, axes=1)[None]
    scaled = jnp.sqrt(shares)[:, None] * apart.reshape(len(shares), -1)
    return jnp.linalg.eigvalsh(scaled @ scaled.T)[-1] / variance
