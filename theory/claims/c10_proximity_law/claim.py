"""C10, the proximity law. Exact at uniform attention for every L; leading order in 1/L."""

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks import vector_rings
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
    correlation_draw,
    even_autocovariance,
    gaussian_scores,
    gaussian_sequences,
)
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT
from theory.minimal_model.attention import attention_weights
from theory.reconstruction.circulant import circulant, circulant_kernel
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import (
    leading_proximity_law,
    proximity_law,
    reconstruction_loss,
    reconstruction_score_gradient,
)
from theory.symbolic.index_sums import L, b, k, resolve, ring_matrix, total, v

LENGTH = 10
VALUE = 0.7
SEQUENCES = 20_000
LARGEST_EXACT = 8
LENGTHS = (64, 128, 256)  # for the fitted order of the correction


def law_symbol(lag, covariance, everything, length):
    """The claimed negative gradient at one lag; `covariance` is C, `everything` its sum T."""
    other = 1 - sympy.KroneckerDelta(lag, 0)
    mean = (everything - covariance[0]) / length
    along = v * (1 + v / length) * (other * covariance[lag] - mean)
    return (along - v**2 * everything / length * (other - (length - 1) / length)) / length**2


def law_for_symbolic_length():
    """Symbolic L: query 0, where C8 gives R_b = v^2 sum_k B_k K_kb - v c_b off lag 0, at A = 1/L.

    Stationarity enters as sum_k K_kb = sum_b c_b = T and K_0b = c_b.
    """
    matrix, covariance = sympy.IndexedBase("K", real=True), sympy.IndexedBase("c", real=True)
    everything = sympy.Symbol("T", real=True)
    other = lambda lag: 1 - sympy.KroneckerDelta(lag, 0)
    power = resolve(total(other(k) / L * matrix[k, b], k))
    power = power.subs({total(matrix[k, b], k): everything, matrix[0, b]: covariance[b]})
    response = sympy.expand(other(b) * (v**2 * power - v * covariance[b]))
    mean = resolve(total(response, b) / L).subs(total(covariance[b], b), everything)
    gap = (mean - response) / L**2 - law_symbol(b, covariance, everything, L)
    yield from (sympy.expand(gap.subs(b, 0)), sympy.expand(gap.subs(sympy.KroneckerDelta(b, 0), 0)))


def law_for_each_length():
    """L = 2..8: the law from the closed-form gradient, every covariance spelled out in symbols."""
    for length in range(2, LARGEST_EXACT + 1):
        half = sympy.symbols(f"c0:{length // 2 + 1}")
        lags = [half[min(r, length - r)] for r in range(length)]
        matrix = ring_matrix(lags)
        other_weights = (sympy.ones(length) - sympy.eye(length)) / length
        response = [0, *(v**2 * other_weights * matrix - v * matrix)[0, 1:]]
        for lag in range(length):
            negative = (sum(response) / length - response[lag]) / length**2
            yield sympy.expand(negative - law_symbol(lag, lags, sum(lags), sympy.Integer(length)))


def flat_scores(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Scores that make attention uniform."""
    return jnp.zeros((LENGTH, LENGTH))


def steep_scores(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Far from uniform attention."""
    return gaussian_scores(key, LENGTH, 2.0)


def masked_out(scores, covariance) -> Float[Array, ""]:
    """The masked loss of C8."""
    return reconstruction_loss(scores, VALUE, covariance)


def leaking(scores, covariance) -> Float[Array, ""]:
    """The loss with the diagonal kept: the token sees itself."""
    weights = attention_weights(scores)
    predicted = jnp.sum(weights * (weights @ covariance), axis=1)
    agreement = jnp.sum(weights * covariance, axis=1)
    return 0.5 * (jnp.diag(covariance) - 2 * VALUE * agreement + VALUE**2 * predicted).mean()


def law_gap(loss, scores_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Minus jax's gradient against the law, for a random stationary process."""
    scores_key, process = jax.random.split(key)
    autocovariance = even_autocovariance(process, LENGTH)
    gradient = jax.grad(loss)(scores_of(scores_key), circulant(autocovariance))
    return relative_gap(-gradient, circulant(proximity_law(VALUE, autocovariance)))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences of the loss."""
    process, direction_key = jax.random.split(key)
    autocovariance = even_autocovariance(process, LENGTH)
    loss = lambda scores: masked_out(scores, circulant(autocovariance))
    law = -circulant(proximity_law(VALUE, autocovariance))
    return finite_difference_gap(loss, law, flat_scores(key), key=direction_key)


def sampled_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Per-sequence gradients of AR(1) sequences, averaged along diagonals, against the law."""
    process, noise = jax.random.split(key)
    autocovariance = markov_autocovariance(LENGTH, correlation_draw(process))
    sequences = gaussian_sequences(noise, circulant(autocovariance), SEQUENCES)

    def pull(sequence):
        moments = jnp.outer(sequence, sequence)
        return -circulant_kernel(reconstruction_score_gradient(flat_scores(key), VALUE, moments))

    return standard_errors_off(jax.vmap(pull)(sequences), proximity_law(VALUE, autocovariance))


def correction_order_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """|fitted exponent in L of the correction to the leading law, against -1|, for AR(1)."""
    correlation, sizes = correlation_draw(key), []
    for length in LENGTHS:
        autocovariance = markov_autocovariance(length, correlation)
        leading = leading_proximity_law(VALUE, autocovariance)
        sizes.append(relative_gap(proximity_law(VALUE, autocovariance), leading))
    lengths = jnp.log(jnp.asarray(LENGTHS, sizes[0].dtype))
    lengths -= lengths.mean()
    exponent = lengths @ jnp.log(jnp.stack(sizes)) / (lengths @ lengths)
    return jnp.abs(exponent + 1)


def sign_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """AR(1): how far lag 1 is from the largest pull for v > 0 and the smallest for v < 0.

    Among lags 1..L/2: L - r is lag r once more, and equal to it but for rounding.
    """
    autocovariance = markov_autocovariance(LENGTH, correlation_draw(key))
    toward, away = (proximity_law(v, autocovariance)[1 : LENGTH // 2 + 1] for v in (VALUE, -VALUE))
    return toward.max() - toward[0] + away[0] - away.min()


CLAIM = Claim(
    label="C10",
    title="Proximity law",
    statement=(
        "At uniform attention reconstruction moves the scores along the data's autocovariance: to "
        "leading order in 1/L the negative gradient at lag r is v (C0(r) - mean C0)/L^2, C0 being C "
        "without lag 0. Positive, decreasing C with v > 0 gives proximity, v < 0 its opposite. The "
        "masked token itself repels attention until v = (T - 1)/T."
    ),
    details=(
        "At uniform attention the negative reconstruction gradient along lag r is, with C0(r) = C(r) off lag "
        "0 and 0 on it, and T = sum_r C(r): (1/L^2) [v (1 + v/L)(C0(r) - mean C0) - (v^2 T/L)(1[r != 0] - "
        "(L-1)/L)]. To leading order in 1/L it is v (C0(r) - mean C0)/L^2: scores move along the data's "
        "autocovariance. Positive, decreasing C with v > 0 gives proximity, v < 0 its opposite. Relative to "
        "the largest entry the correction is of order v/L. At lag 0 alone it is as large as the leading "
        "term, v (1 - T)/L + v^2 T/L at C(0) = 1: the masked token repels attention until v = (T - 1)/T."
    ),
    regime=(
        "Exact at uniform attention for every L >= 2 under cyclic stationarity; the leading form when the "
        "correlations are summable and v is of order 1. Not away from uniform attention, and not when the "
        "token sees itself. Symbolic L; again for L = 2..8 with every covariance spelled out."
    ),
    formula=(
        r"-\frac{\partial \ell}{\partial S_{i, i + r}} = \frac{1}{L^{2}} \left[ "
        r"v \left( 1 + \frac{v}{L} \right) "
        r"\left( C_{0}(r) - \overline{C_{0}} \right) - \frac{v^{2} T}{L} \left( 1_{r \neq 0} "
        r"- \frac{L - 1}{L} \right) \right]"
    ),
    checks=(
        symbolic("the law, symbolic L", law_for_symbolic_length),
        symbolic("the law, L = 2..8 with every covariance spelled out", law_for_each_length),
        autodiff("the law against jax.grad", lambda key: law_gap(masked_out, flat_scores, key)),
        autodiff("v > 0 pulls lag 1 most, v < 0 least", sign_gap, tolerance=0.0),
        autodiff(
            "the correction falls like 1/L",
            correction_order_gap,
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        autodiff("vector tokens: values, then scores along the vector law", vector_rings.law_gap),
        autodiff("vector tokens on a line, lags as often as they occur", vector_rings.line_gap),
        finite_difference("the law against central differences", difference_gap),
        simulation("gradients of sampled AR(1) sequences", sampled_deviation),
        counterexample("far from uniform attention", lambda key: law_gap(masked_out, steep_scores, key)),
        counterexample("the token sees itself", lambda key: law_gap(leaking, flat_scores, key)),
    ),
)
