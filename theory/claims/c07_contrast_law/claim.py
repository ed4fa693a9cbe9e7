"""C7, the contrast law. Exact for every L at a constant prediction; variances for Gaussian tokens."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c07_contrast_law import (
    moments as c07_moments,
)
from theory.claims.c07_contrast_law import (
    samples as c07_samples,
)
from theory.claims.c07_contrast_law import (
    symbolic as c07_symbols,
)
from theory.claims.c07_contrast_law.moments import HEAD, blind_direction, line_classes
from theory.claims.c07_contrast_law.samples import LENGTH, VALUE
from theory.claims.checks.check import (
    Claim,
    autodiff,
    counterexample,
    finite_difference,
    finite_difference_gap,
    relative_gap,
    simulation,
    symbolic,
)
from theory.claims.checks.feature_maps import squared
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, STANDARD_ERRORS
from theory.minimal_model.attention import pooled_features
from theory.reconstruction.masked_loss import reconstruction_loss
from theory.statistics.class_contrast import class_pull, contrast_gradient


def uncentred_direction(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Diagonal 0, but rows and columns that do not sum to 0."""
    return jax.random.normal(key, (LENGTH, LENGTH)) * (1 - jnp.eye(LENGTH))


def label_loss(scores, ring, label) -> Float[Array, ""]:
    """Cross-entropy of the logit w z, z = mean_i (x_i + H_i)^2 / 2."""
    logit = HEAD * pooled_features(scores, ring[:, None], jnp.full((1, 1), VALUE), squared)[0]
    return jax.nn.softplus(logit) - label * logit


def statistic_gap(direction_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """One sequence: both losses' slopes along D, by jax, against their multiples of x^T D x."""
    draw, direction_key = jax.random.split(key)
    ring, direction = jax.random.normal(draw, (LENGTH,)), direction_of(direction_key)
    flat, scale = jnp.zeros((LENGTH, LENGTH)), VALUE / LENGTH**2 * (ring @ direction @ ring)
    label_slope = jax.grad(label_loss)(flat, ring, 1.0)
    masked_slope = jax.grad(reconstruction_loss)(flat, VALUE, jnp.outer(ring, ring))
    logit = HEAD * jnp.mean((ring + VALUE * ring.mean()) ** 2) / 2
    slopes = jnp.stack([jnp.vdot(label_slope, direction), -jnp.vdot(masked_slope, direction)])
    return relative_gap(slopes, scale * jnp.stack([HEAD * (jax.nn.sigmoid(logit) - 1), 1 + VALUE / LENGTH]))


def population_loss(scores) -> Float[Array, ""]:
    """E[(1/2 - y) w z]: the label loss to first order in w, from second moments alone."""
    passed = jnp.eye(LENGTH) + VALUE * jax.nn.softmax(scores)
    powers = jax.vmap(lambda covariance: jnp.sum(passed * (passed @ covariance)))(line_classes())
    return HEAD / 4 * (powers[0] - powers[1]) / (2 * LENGTH)


def law_gap(scale: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's population gradient at scores of the given size against the contrast law."""
    scores = scale * jax.random.normal(key, (LENGTH, LENGTH))
    return relative_gap(jax.grad(population_loss)(scores), contrast_gradient(VALUE, HEAD, line_classes()))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The contrast law against central differences of the population loss."""
    law = contrast_gradient(VALUE, HEAD, line_classes())
    return finite_difference_gap(population_loss, law, jnp.zeros((LENGTH, LENGTH)), key=key)


def pair_gap(rings: tuple[tuple[int, ...], ...], key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean of dz/dS by jax over all rotations of a ring less that of another, phi = exp, over their sum."""
    slope = jax.grad(lambda s, ring: pooled_features(s, ring[:, None], jnp.full((1, 1), VALUE), jnp.exp)[0])
    turned = jnp.asarray([[ring[r:] + ring[:r] for r in range(len(ring))] for ring in rings], float)
    flat = jnp.zeros(turned.shape[1:])
    means = jax.vmap(jax.vmap(slope, (None, 0)), (None, 0))(flat, turned).mean(axis=1)
    return relative_gap(means[1], means[0], scale=means.sum(axis=0))


def many_classes_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Four classes: slope by jax of the mean cross-entropy as features move by m_y, against the law."""
    numbers = jax.random.normal(key, (4, 6))
    class_slopes, head, weights = numbers[:, :2], numbers[:, 2:4], jax.nn.softmax(numbers[:, 4:], axis=0)
    priors, predicted = weights.T

    def loss(amount):
        logits = jnp.log(predicted)[None, :] + amount * class_slopes @ head.T
        return -priors @ jnp.diag(jax.nn.log_softmax(logits, axis=1))

    return relative_gap(-jax.grad(loss)(0.0), class_pull(class_slopes, head, priors, predicted))


CLAIM = Claim(
    label="C7",
    title="Contrast law",
    statement=(
        "For phi(h) = h^2/2 behind a residual, both losses pull each sequence along a doubly centred "
        "D by the same number q = x^T D x: reconstruction by its sum over the classes, labels by "
        "their difference. With the class contrast kappa, SNR(label) = kappa^2/(1 + omega) and "
        "SNR(reconstruction) = 1/(kappa^2 + omega). Classes that share the law of (x_i, x_k, xbar) "
        "are label-blind on average, exactly, for any phi."
    ),
    details=(
        "Balanced classes, residual, phi(h) = h^2/2, prediction 1/2: the population label gradient at "
        "uniform attention is -(w v/4 L^2)(I + (v/L) 1 1^T)(C_1 - C_0) P, the classes' difference. Along any "
        "doubly centred D with diagonal 0 both losses pull each sequence by the same number q = x^T D x: "
        "reconstruction by (v/L^2)(1 + v/L) q, the label by (v/L^2) w (y - p) q. So with means m_y and "
        "variances W_y of q, kappa = (m_1 - m_0)/(m_1 + m_0), omega = (W_1 + W_0)/(2 m^2): SNR(label) = "
        "kappa^2/(1 + omega), SNR(reconstruction) = 1/(kappa^2 + omega); for Gaussian tokens m = tr(D C), W "
        "= 2 tr(D' C D' C), D' = (D + D^T)/2. A prediction p = (1 + tau)/2 measures kappa - tau in place of "
        "kappa: classes that agree leave the floor tau^2/(1 + (1 + tau^2) omega), which no data removes, and "
        "a head that reads z adds tau_w = w Cov(z, q)/(2 m). For any number of classes the pull is sum_y "
        "pi_y (w_y - wbar)^T m_y, wbar = sum_c p_c w_c. For any phi, classes that share the law of (x_i, "
        "x_k, xbar) are label-blind on average, exactly: rings and their mirror images, for one, if tokens "
        "take two values; with more values phi must be of second degree."
    ),
    regime=(
        "Exact for every L, zero-mean scalar tokens, at a constant prediction: to first order in the head "
        "under cross-entropy. The shared statistic is exact per sequence at any head. Variances need "
        "Gaussian tokens, tau_w a small head and a fitted intercept. Reconstruction masks every position in "
        "turn. Symbolic L: the shared statistic, the signals; the Gaussian variance for L = 2, 3; "
        "mirror images of a binary ring for L = 6, any phi and v, and of any ring for L = 3..6, phi of "
        "second degree."
    ),
    formula=(
        r"\mathrm{SNR}_{\mathrm{label}} = \frac{(\kappa - \tau)^{2}}{(1 - \tau \kappa)^{2} + (1 + \tau^{2}) "
        r"\omega - 2 \tau \delta}, \quad \mathrm{SNR}_{\mathrm{rec}} = \frac{1}{\kappa^{2} + \omega}, \quad "
        r"\kappa = \frac{\mathrm{tr}\, D (C_1 - C_0)}{\mathrm{tr}\, D (C_1 + C_0)}"
    ),
    checks=(
        symbolic("both responses, differentiated, symbolic L", c07_symbols.responses_by_differentiation),
        symbolic("both losses pull by x^T D x, symbolic L", c07_symbols.one_statistic),
        symbolic("signal and noise of both", c07_symbols.signal_to_noise),
        symbolic("Gaussian variance, L = 2, 3", c07_symbols.gaussian_variance),
        symbolic(
            "certificate: binary mirror images are label-blind, L = 6",
            c07_symbols.mirror_images_share_all_pairs,
        ),
        symbolic(
            "certificate: phi of second degree cannot tell mirror images, L = 3..6",
            c07_symbols.second_degree_cannot_tell_mirror_images,
        ),
        autodiff("both losses pull by x^T D x, by jax", lambda key: statistic_gap(blind_direction, key)),
        autodiff("the population gradient is the classes' difference", lambda key: law_gap(0.0, key)),
        autodiff("moments against their generating function", c07_moments.moments_gap),
        autodiff("both signals from each class's moments", c07_moments.signal_gap),
        autodiff("the signal falls like kappa^2", c07_moments.exponent_gap, tolerance=ASYMPTOTIC_EXPONENT),
        autodiff("any number of classes", many_classes_gap),
        autodiff(
            "mirror images of a binary ring by jax",
            lambda key: pair_gap((c07_symbols.RING, c07_symbols.RING[::-1]), key),
        ),
        finite_difference("the population gradient", difference_gap),
        simulation(
            "signal and noise of sampled classes", lambda key: c07_samples.sampled_deviation(0.0, key)
        ),
        simulation("a head's own fluctuations", c07_samples.fluctuation_deviation),
        counterexample(
            "a direction that is not centred", lambda key: statistic_gap(uncentred_direction, key)
        ),
        counterexample("far from uniform attention", lambda key: law_gap(2.0, key)),
        counterexample(
            "rings that differ in pairs", lambda key: pair_gap((c07_symbols.RING, (0, 0, 0, 1, 1, 1)), key)
        ),
        counterexample(
            "mirror images with three values of a token", lambda key: pair_gap(((0, 1, 2), (2, 1, 0)), key)
        ),
        counterexample("one-sided D in 2 tr(D C D C)", c07_moments.one_sided_gap),
        counterexample(
            "tokens with heavier tails, the same covariance",
            lambda key: c07_samples.sampled_deviation(0.8, key),
            tolerance=STANDARD_ERRORS,
        ),
    ),
)
