"""C5, nonlinearity alone does not help. Exact for every L; the escape to leading order near S = 0."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c05_nonlinearity_without_residual import escape as c05_escape
from theory.claims.c05_nonlinearity_without_residual import symbolic as c05_symbols
from theory.claims.checks.check import (
    Claim,
    autodiff,
    counterexample,
    finite_difference,
    finite_difference_gap,
    relative_gap,
    simulation,
    standard_errors_off,
    symbolic,
)
from theory.claims.checks.draws import (
    LabelledSequence,
    gaussian_scores,
    labelled_sequence,
    open_markov_covariance,
    ring_sequences,
)
from theory.claims.checks.feature_maps import normalised, squared, tanh_map
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, STANDARD_ERRORS
from theory.label_blindness.features import feature_curvature
from theory.label_blindness.subspaces import decompose
from theory.minimal_model.attention import attention_weights, mixed, pooled_features
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance

LENGTH = 8
VALUE, CORRELATION = 0.7, 0.6
SEQUENCES = 15_000


def row_constant(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """S_ij = a_i."""
    return jnp.broadcast_to(jax.random.normal(key, (LENGTH, 1)), (LENGTH, LENGTH))


def centred_direction(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """A random doubly centred direction."""
    return decompose(gaussian_scores(key, LENGTH)).doubly_centred


def attended(scores, tokens, value_map, feature_map) -> Float[Array, " features"]:
    """z = mean_i phi(H_i): no residual."""
    return feature_map(mixed(scores, tokens, value_map)).mean(axis=0)


def label_loss(pool, scores, sequence: LabelledSequence, feature_map) -> Float[Array, ""]:
    """|z - target|^2 / 2: any loss does, and this one compiles fast."""
    vector = pool(scores, sequence.tokens, sequence.value_map, feature_map)
    return jnp.sum((vector - sequence.head[0]) ** 2) / 2


def bent_then_normalised(stream: Float[Array, "query width"]) -> Float[Array, "query width"]:
    """phi: an MLP, then LayerNorm."""
    return normalised(tanh_map(stream))


def centred_gap(pool, key: PRNGKeyArray) -> Float[Array, ""]:
    """Doubly centred part of jax's label gradient, relative to the gradient."""
    draw, scores_key = jax.random.split(key)
    sequence = labelled_sequence(draw, LENGTH)
    loss = lambda scores: label_loss(pool, scores, sequence, bent_then_normalised)
    gradient = jax.grad(loss)(row_constant(scores_key))
    return relative_gap(decompose(gradient).doubly_centred, jnp.zeros_like(gradient), scale=gradient)


def curvature(sequence: LabelledSequence, direction) -> Float[Array, ""]:
    """The closed form, with phi's slope and bend by jax at the one point where all H_i sit."""
    vector = sequence.value_map @ sequence.tokens.mean(axis=0)
    phi = lambda h: tanh_map(h[None, :])[0]
    through = jax.grad(lambda h: (phi(vector) - sequence.head[0]) @ phi(h))
    slope, bend = through(vector), jax.jacfwd(through)(vector)
    return feature_curvature(direction, sequence.tokens, sequence.value_map, slope, bend)


def slope_along(sequence, direction, amount) -> Float[Array, ""]:
    """dl/dt at S = t D, by jax."""
    along = lambda t: label_loss(attended, t * direction, sequence, tanh_map)
    return jax.jvp(along, (amount,), (jnp.ones(()),))[1]


def curvature_gap(key: PRNGKeyArray, direction_of=centred_direction) -> Float[Array, ""]:
    """jax's second derivative of the label loss along D against the closed form."""
    draw, direction_key = jax.random.split(key)
    sequence, direction = labelled_sequence(draw, LENGTH), direction_of(direction_key)
    slope = lambda amount: slope_along(sequence, direction, amount)
    second = jax.jvp(slope, (jnp.zeros(()),), (jnp.ones(()),))[1]
    return relative_gap(second, curvature(sequence, direction))


def mean_curvature_gap(covariance_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's second derivative of E z along D, phi(h) = h^2/2, against (v^2/L^3) tr(D C D^T)."""
    direction, covariance = centred_direction(key), covariance_of(LENGTH, jnp.asarray(CORRELATION))

    def slope(amount):
        weights = lambda size: attention_weights(size * direction)
        power = lambda size: VALUE**2 / (2 * LENGTH) * jnp.sum(weights(size) * (weights(size) @ covariance))
        return jax.jvp(power, (amount,), (jnp.ones(()),))[1]

    second = jax.jvp(slope, (jnp.zeros(()),), (jnp.ones(()),))[1]
    return relative_gap(second, VALUE**2 / LENGTH**3 * jnp.sum(direction * (direction @ covariance)))


def on_a_ring(length: int, correlation: Float[Array, ""]) -> Float[Array, "key key"]:
    """The covariance of a cyclic AR(1) process."""
    return circulant(markov_autocovariance(length, correlation))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The curvature against central differences of the slope along D."""
    sequence, direction = labelled_sequence(key, LENGTH), centred_direction(key)
    slope = lambda amount: slope_along(sequence, direction, amount)
    ahead = jnp.ones((1,))
    return finite_difference_gap(
        slope, curvature(sequence, direction), ahead[0] * 0, key=key, directions=ahead
    )


def sampled_deviation(feature_map, key: PRNGKeyArray) -> Float[Array, ""]:
    """Second derivative of z for AR(1) rings and phi(h) = h^2/2 against (v^2/L^3) tr(D C D^T)."""
    noise, direction_key = jax.random.split(key)
    direction = centred_direction(direction_key)
    rings = ring_sequences(noise, LENGTH, jnp.asarray(CORRELATION), SEQUENCES)

    def second(ring):
        along = lambda t: attended(t * direction, ring[:, None], jnp.full((1, 1), VALUE), feature_map)[0]
        slope = lambda t: jax.jvp(along, (t,), (jnp.ones(()),))[1]
        return jax.jvp(slope, (jnp.zeros(()),), (jnp.ones(()),))[1]

    covariance = circulant(markov_autocovariance(LENGTH, CORRELATION))
    expected = VALUE**2 / LENGTH**3 * jnp.sum(direction * (direction @ covariance))
    return standard_errors_off(jax.vmap(second)(rings), expected)


CLAIM = Claim(
    label="C5",
    title="Nonlinearity alone does not help",
    statement=(
        "For z = mean_i phi(H_i) with any token-wise phi and no residual, the label gradient at "
        "row-constant scores is a key bias, for every sample: its doubly centred part is exactly 0. "
        "The blindness is local: to second order scores leave uniform attention through the bend of "
        "phi, in a time of order L^3 log(e/s), where reconstruction takes one of order L^2."
    ),
    details=(
        "For z = mean_i phi(H_i) with any differentiable token-wise phi (an MLP, LayerNorm) and no residual, "
        "all H_i coincide at row-constant S, so the per-sample label gradient is a key bias; its doubly "
        "centred part is exactly 0. The blindness is local: along a doubly centred D the loss has curvature "
        "(1/L^3) sum_i y_i^T V^T Q V y_i + p^T V sum_j c''_j x_j, with y = D X, p and Q the slope and bend "
        "of u^T phi at V xbar, c''_j = (1/L^2) sum_i (D_ij^2 - mean_k D_ik^2). For circulant D, c'' = 0: "
        "only the bend of phi counts. For phi(h) = h^2/2, a small head w and balanced classes, each "
        "cyclically stationary (on a ring), its mean is -(w v^2 / 4 L^3) tr(D (C_1 - C_0) D^T): uniform "
        "attention is a strict saddle wherever w P (C_1 - C_0) P has a positive eigenvalue; scores grow at "
        "rate (w v^2 / 4 L^3) lambda_max, from size s to e in time log(e/s) / rate. Reconstruction moves "
        "them at first order, in a time of order L^2 rather than L^3 log(e/s)."
    ),
    regime=(
        "Exact at row-constant S for every L >= 2, per sample, any head, loss and label; the curvature at "
        "uniform attention, for twice differentiable phi. The escape is leading order in the size of the "
        "scores, for a population gradient with the head held fixed, and needs classes stationary on a ring: "
        "on a line c'' does not average to 0. Symbolic L for scalar tokens; the received attention of "
        "circulant D for L = 2..8."
    ),
    formula=(
        r"\left. \frac{d^{2} \ell}{d t^{2}} \right|_{S = t D} = \frac{1}{L^{3}} \sum_i y_i^{\top} V^{\top} "
        r"Q V y_i + p^{\top} V \sum_j c''_j x_j, \quad y = D X, \quad "
        r"\tau = \frac{4 L^{3}}{w v^{2} \lambda_{\max}} \log \frac{e}{s}"
    ),
    checks=(
        symbolic(
            "certificate: the gradient of any phi is a key bias, symbolic L",
            c05_symbols.gradient_is_a_key_bias,
        ),
        symbolic(
            "certificate: no slope along a doubly centred D, symbolic L",
            c05_symbols.slope_along_a_centred_direction,
        ),
        symbolic(
            "weights along D to second order, symbolic L", c05_symbols.weights_along_a_centred_direction
        ),
        symbolic("curvature of any phi, symbolic L", c05_symbols.curvature_of_any_feature),
        symbolic(
            "certificate: circulant D keeps received attention uniform, L = 2..8",
            c05_symbols.circulant_keeps_attention_uniform,
        ),
        autodiff("no doubly centred part, MLP and LayerNorm", lambda key: centred_gap(attended, key)),
        autodiff("the curvature against jax", curvature_gap),
        autodiff("mean curvature on a ring", lambda key: mean_curvature_gap(on_a_ring, key)),
        autodiff("rate and direction of escape against jax's Hessian", c05_escape.saddle_gap),
        autodiff(
            "gradient descent escapes in the claimed time",
            c05_escape.escape_gap,
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        finite_difference("the curvature against central differences", difference_gap),
        simulation("curvature of sampled AR(1) rings", lambda key: sampled_deviation(squared, key)),
        counterexample("a residual opens the eye", lambda key: centred_gap(pooled_features, key)),
        counterexample(
            "mean curvature on a line", lambda key: mean_curvature_gap(open_markov_covariance, key)
        ),
        counterexample(
            "an odd phi has no mean curvature on tokens that are symmetric about 0",
            lambda key: sampled_deviation(jnp.tanh, key),
            tolerance=STANDARD_ERRORS,
        ),
    ),
)
