"""C6, residual and nonlinearity together open the eye. Exact at uniform attention for every L."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c06_nonlinearity_with_residual import symbolic as c06_symbols
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
from theory.claims.checks.draws import LabelledSequence, gaussian_scores, labelled_sequence, ring_sequences
from theory.claims.checks.feature_maps import linear_map, squared, tanh_map
from theory.claims.checks.tolerances import STANDARD_ERRORS
from theory.label_blindness.features import (
    opening,
    pulled_back,
    query_dependent_gradient,
    uniform_score_gradient,
)
from theory.label_blindness.subspaces import decompose, key_bias_share
from theory.minimal_model.attention import cross_entropy, pooled_features
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance

LENGTH = 8
SHORT, SPANNING = 4, 40  # positions and samples for the space that gradients span
NEGLIGIBLE = 1e-12  # share of a Gram matrix's energy that rounding explains
VALUE, CORRELATION = 0.7, 0.6
SEQUENCES = 20_000


def flat_scores(length: int = LENGTH) -> Float[Array, "query key"]:
    """Scores that make attention uniform."""
    return jnp.zeros((length, length))


def residual_loss(scores, sequence: LabelledSequence, feature_map) -> Float[Array, ""]:
    """The label loss of z = mean_i phi(x_i + H_i)."""
    vector = pooled_features(scores, sequence.tokens, sequence.value_map, feature_map)
    return cross_entropy(sequence.head @ vector, sequence.label)


def queries(sequence: LabelledSequence, feature_map) -> Float[Array, "query width"]:
    """q_i = J_phi(x_i + V xbar)^T u at uniform attention."""
    stream = sequence.tokens + (sequence.tokens.mean(axis=0) @ sequence.value_map.T)[None, :]
    read = lambda vector: cross_entropy(sequence.head @ vector, sequence.label)
    return pulled_back(feature_map, stream, jax.grad(read)(feature_map(stream).mean(axis=0)))


def law_gap(scores_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """`jax.grad` of the label loss against the law, its doubly centred part and that part's share."""
    draw, scores_key = jax.random.split(key)
    sequence = labelled_sequence(draw, LENGTH)
    gradient = jax.grad(residual_loss)(scores_of(scores_key), sequence, tanh_map)
    given = sequence.tokens, sequence.value_map, queries(sequence, tanh_map)
    whole = relative_gap(gradient, uniform_score_gradient(*given))
    centred = relative_gap(decompose(gradient).doubly_centred, query_dependent_gradient(*given))
    share = relative_gap(1 - key_bias_share(gradient), opening(*given))
    return jnp.stack([whole, centred, share]).max()


def centred_gap(feature_map, key: PRNGKeyArray) -> Float[Array, ""]:
    """Doubly centred part of jax's gradient, relative to the gradient."""
    sequence = labelled_sequence(key, LENGTH)
    gradient = jax.grad(residual_loss)(flat_scores(), sequence, feature_map)
    return relative_gap(decompose(gradient).doubly_centred, jnp.zeros_like(gradient), scale=gradient)


def rank_gap(key: PRNGKeyArray, value: float = VALUE, first_order: float = 0.3) -> Float[Array, ""]:
    """Ranks of 40 sequences' gradients: general phi and linear phi by jax, second degree of scalars by the law."""
    sequences = jax.vmap(lambda each: labelled_sequence(each, SHORT))(jax.random.split(key, SPANNING))

    def gram(feature_map):
        slope = jax.grad(lambda scores, each: residual_loss(scores, each, feature_map))
        rows = jax.vmap(slope, (None, 0))(flat_scores(SHORT), sequences).reshape(SPANNING, -1)
        return rows.T @ rows

    def scalar_slope(each):
        ring = each.tokens[:, 0]
        slopes = first_order + ring + value * ring.mean()  # phi(h) = p h + h^2/2
        return jnp.outer(slopes, ring - ring.mean()).ravel()

    scalar = jax.vmap(scalar_slope)(sequences)
    energies = jnp.linalg.eigvalsh(jnp.stack([gram(tanh_map), gram(linear_map), scalar.T @ scalar]))
    ranks = jnp.sum(energies > NEGLIGIBLE * energies[:, -1:], axis=1, dtype=energies.dtype)
    return jnp.abs(
        ranks - jnp.asarray([SHORT * (SHORT - 1.0), SHORT - 1.0, (SHORT - 1) * (SHORT + 2) / 2])
    ).max()


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law along doubly centred directions against central differences."""
    draw, direction_key = jax.random.split(key)
    sequence = labelled_sequence(draw, LENGTH)
    centred = jax.vmap(lambda each: decompose(each).doubly_centred)(
        jax.random.normal(direction_key, (8, LENGTH, LENGTH))
    )
    law = query_dependent_gradient(sequence.tokens, sequence.value_map, queries(sequence, tanh_map))
    loss = lambda scores: residual_loss(scores, sequence, tanh_map)
    return finite_difference_gap(loss, law, flat_scores(), key=key, directions=centred)


def sampled_deviation(feature_map, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean of dz/dS by jax over AR(1) rings, doubly centred, against (v/L^2) P C P."""
    rings = ring_sequences(key, LENGTH, jnp.asarray(CORRELATION), SEQUENCES)
    model = lambda scores, ring: pooled_features(scores, ring[:, None], jnp.full((1, 1), VALUE), feature_map)
    slopes = jax.vmap(jax.grad(lambda *each: model(*each)[0]), (None, 0))(flat_scores(), rings)
    centred = jax.vmap(lambda slope: decompose(slope).doubly_centred)(slopes)
    covariance = circulant(markov_autocovariance(LENGTH, CORRELATION))
    return standard_errors_off(centred, VALUE / LENGTH**2 * decompose(covariance).doubly_centred)


CLAIM = Claim(
    label="C6",
    title="Residual and nonlinearity together open the eye",
    statement=(
        "For z = mean_i phi(x_i + H_i) the label gradient at uniform attention is G_ik = (1/L^2) "
        "q_i^T V (x_k - xbar), q_i = J_phi(x_i + V xbar)^T u: what depends on the query is driven by "
        "J_i - mean J. A linear phi is blind again, exactly and at any scores. Over samples the "
        "gradients of a general phi span all L(L-1) directions that are not gauge."
    ),
    details=(
        "For z = mean_i phi(x_i + H_i) with any differentiable token-wise phi, the label gradient at uniform "
        "attention is G_ik = (1/L^2) q_i^T V (x_k - xbar), q_i = J_phi(x_i + V xbar)^T u, u = dl/dz. Its "
        "doubly centred part is (1/L^2) (q_i - qbar)^T V (x_k - xbar): driven by J_i - mean J, of rank at "
        "most the width, and its share of |G|^2 is 1 - qbar^T K qbar / mean_i q_i^T K q_i with K = V Cov(x) "
        "V^T. A linear phi is blind again, exactly and at any S: the residual adds nothing. For phi of "
        "second degree, u^T phi(h) = p^T h + h^T Q h / 2, it is (1/L^2) (x_i - xbar)^T Q V (x_k - xbar), "
        "whatever p: for scalar tokens symmetric, so that labels cannot tell left from right. Over samples "
        "the gradients span all L(L-1) non-gauge directions for a general phi, (L-1)(L+2)/2 for scalar "
        "tokens and phi of second degree (L(L-1)/2 where p = 0 and v = -1), and L-1 for a linear phi."
    ),
    regime=(
        "Exact at uniform attention for every L >= 2, per sample, every head, loss and label; the blindness "
        "of a linear phi at any S. The law does not hold away from uniform attention. Symbolic L for scalar "
        "tokens, any differentiable phi; the span is counted at L = 4, width 5, for one phi."
    ),
    formula=(
        r"\frac{\partial \ell}{\partial S_{ik}} = \frac{1}{L^{2}} q_i^{\top} V (x_k - \bar{x}), \quad "
        r"q_i = J_{\phi}(x_i + V \bar{x})^{\top} u, \quad "
        r"G^{\mathrm{cc}}_{ik} = \frac{1}{L^{2}} (q_i - \bar{q})^{\top} V (x_k - \bar{x})"
    ),
    checks=(
        symbolic("the law for any phi, symbolic L", c06_symbols.gradient_of_any_feature),
        symbolic("its doubly centred part, symbolic L", c06_symbols.centred_part),
        symbolic("second degree: centred, symmetric, symbolic L", c06_symbols.second_degree),
        symbolic(
            "certificate: a linear phi adds nothing at any S, symbolic L", c06_symbols.linear_feature_is_blind
        ),
        autodiff(
            "the law, its doubly centred part and share", lambda key: law_gap(lambda _: flat_scores(), key)
        ),
        autodiff("a linear phi has no doubly centred part", lambda key: centred_gap(linear_map, key)),
        autodiff("gradients span L(L-1) directions, (L-1)(L+2)/2 or L-1", rank_gap, tolerance=0.0),
        finite_difference("the law along doubly centred directions", difference_gap),
        simulation(
            "squares of sampled AR(1) rings see the covariance", lambda key: sampled_deviation(squared, key)
        ),
        counterexample(
            "far from uniform attention", lambda key: law_gap(lambda k: gaussian_scores(k, LENGTH), key)
        ),
        counterexample("a bend opens the eye", lambda key: centred_gap(tanh_map, key)),
        counterexample(
            "(L-1)(L+2)/2 directions at v = -1 and p = 0",
            functools.partial(rank_gap, value=-1.0, first_order=0.0),
            tolerance=0.0,
        ),
        counterexample(
            "an odd phi sees no covariance of tokens that are symmetric about 0",
            lambda key: sampled_deviation(jnp.tanh, key),
            tolerance=STANDARD_ERRORS,
        ),
    ),
)
