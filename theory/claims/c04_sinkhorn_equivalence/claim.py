"""C4, Sinkhorn equivalence. Exact for every L."""

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray
from sympy import exp, log

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
from theory.claims.checks.draws import gaussian_scores, hard_lookups, labelled_sequence
from theory.label_blindness.sinkhorn import imbalance, sinkhorn_hessian, sinkhorn_key_bias, sinkhorn_potential
from theory.minimal_model.attention import attention_weights, received
from theory.symbolic.index_sums import S, a, b, difference, i, j, k, resolve, total, x

LENGTH = 10
LOOKUPS = 20_000
LARGEST_EXACT = 6


def potential_has_the_claimed_derivatives():
    """Symbolic L, x for the bias: dF/dx = L c - 1 and d2F/dx2 = sum_i (diag A_i - A_i A_i^T)."""
    potential = total(log(total(exp(S[i, j] + x[j]), j)), i) - total(x[j], j)
    weight = lambda key: exp(S[i, key] + x[key]) / total(exp(S[i, k] + x[k]), k)
    slope = potential.diff(x[a])
    curvature = sympy.KroneckerDelta(a, b) * total(weight(a), i) - total(weight(a) * weight(b), i)
    yield difference(slope, total(weight(a), i) - 1)
    yield difference(resolve(slope).diff(x[b]), curvature)


def curvature_is_positive_on_sum_zero_biases():
    """L = 2..6: y^T (diag A - A A^T) y = 1/2 sum_jk A_j A_k (y_j - y_k)^2 when A sums to 1."""
    for length in range(2, LARGEST_EXACT + 1):
        free, bias = sympy.symbols(f"A1:{length}"), sympy.symbols(f"y0:{length}")
        weights = (1 - sum(free), *free)
        mean = sum(w * y for w, y in zip(weights, bias, strict=True))
        form = sum(w * y**2 for w, y in zip(weights, bias, strict=True)) - mean**2
        pairs = [(p, q) for p in range(length) for q in range(p)]
        yield sympy.expand(form - sum(weights[p] * weights[q] * (bias[p] - bias[q]) ** 2 for p, q in pairs))


def own_bias(scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
    """1 b^T of the claim."""
    return jnp.broadcast_to(sinkhorn_key_bias(scores)[None, :], scores.shape)


def borrowed_bias(scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
    """The key bias of another matrix: the transpose."""
    return own_bias(scores.T)


def query_bias(scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
    """The same numbers given to queries: a gauge, which no softmax feels."""
    return own_bias(scores).T


def loss_gap(bias_of, size: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """Label loss at the balanced scores against the loss at uniform attention."""
    draw, scores_key = jax.random.split(key)
    sequence, scores = labelled_sequence(draw, LENGTH), gaussian_scores(scores_key, LENGTH, size)
    flat = sequence.loss(jnp.zeros_like(scores))
    return relative_gap(sequence.loss(scores + bias_of(scores)), flat)


def received_gap(size: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """L c at the balanced scores, against 1."""
    scores = gaussian_scores(key, LENGTH, size)
    return relative_gap(LENGTH * received(attention_weights(scores + own_bias(scores))), jnp.ones(LENGTH))


def uniqueness_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """b(S + 1 d^T) = b(S) - d: a shifted start ends at the same balanced scores."""
    scores_key, shift_key = jax.random.split(key)
    scores, shift = gaussian_scores(scores_key, LENGTH, 3.0), jax.random.normal(shift_key, (LENGTH,))
    shifted = sinkhorn_key_bias(scores + shift[None, :]) + shift - shift.mean()
    return relative_gap(shifted, sinkhorn_key_bias(scores))


def derivatives_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Closed-form gradient and Hessian of the potential against jax's."""
    scores_key, bias_key = jax.random.split(key)
    scores, bias = gaussian_scores(scores_key, LENGTH), jax.random.normal(bias_key, (LENGTH,))
    potential = lambda b: sinkhorn_potential(scores, b)
    slope = relative_gap(jax.grad(potential)(bias), imbalance(scores, bias))
    hessian = sinkhorn_hessian(attention_weights(scores + bias[None, :]))
    return jnp.maximum(slope, relative_gap(jax.hessian(potential)(bias), hessian))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The implicit derivative of b in S, read by a random weighting, against central differences."""
    scores_key, reader_key, direction_key = jax.random.split(key, 3)
    reader = jax.random.normal(reader_key, (LENGTH,))
    read = lambda scores: reader @ sinkhorn_key_bias(scores)
    scores = gaussian_scores(scores_key, LENGTH)
    return finite_difference_gap(read, jax.grad(read)(scores), scores, key=direction_key)


def lookup_deviation(bias_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Hard attention at the balanced scores: how often each key is looked up, against 1/L."""
    scores_key, lookup_key = jax.random.split(key)
    scores = gaussian_scores(scores_key, LENGTH, 2.0)
    lookups = hard_lookups(lookup_key, scores + bias_of(scores), LOOKUPS)
    hits = jax.nn.one_hot(lookups, LENGTH, dtype=scores.dtype)
    return standard_errors_off(hits.mean(axis=1), jnp.full(LENGTH, 1 / LENGTH))


CLAIM = Claim(
    label="C4",
    title="Sinkhorn equivalence",
    statement=(
        "For every finite score matrix S there is a key bias b, unique up to a constant, at which every key "
        "receives the same: c(S + 1 b^T) = 1/L. It is the minimiser of a potential F with gradient L c - 1 "
        "and Hessian sum_i (diag A_i - A_i A_i^T), positive definite on sum-zero vectors; F grows without "
        "bound along each of them. So every attention pattern, local or not, is to a label the same as "
        "uniform attention, up to a key bias."
    ),
    regime=(
        "Exact for every L >= 2, per sample, at finite scores (a hard mask may leave no balanced pattern). "
        "The bias belongs to its own matrix. Symbolic L for gradient and Hessian of F; positivity in exact "
        "arithmetic for L = 2..6, and for every L because the form is a sum of variances."
    ),
    formula=(
        r"F(b) = \sum_i \log \sum_j e^{S_{ij} + b_j} - \sum_j b_j, \quad "
        r"\nabla F = L\, c(S + \mathbf{1} b^{\top}) - \mathbf{1}"
    ),
    checks=(
        symbolic("gradient and Hessian of the potential, symbolic L", potential_has_the_claimed_derivatives),
        symbolic("the Hessian is a variance, L = 2..6", curvature_is_positive_on_sum_zero_biases),
        autodiff("gradient and Hessian against jax", derivatives_gap),
        autodiff("received attention is uniform, scores of size 2", lambda key: received_gap(2.0, key)),
        autodiff("received attention is uniform, scores of size 30", lambda key: received_gap(30.0, key)),
        autodiff("label loss equals that of uniform attention", lambda key: loss_gap(own_bias, 5.0, key)),
        autodiff("the bias is unique", uniqueness_gap),
        finite_difference("implicit derivative of the bias", difference_gap),
        simulation("hard lookups find every key equally often", lambda key: lookup_deviation(own_bias, key)),
        counterexample("a bias borrowed from another matrix", lambda key: loss_gap(borrowed_bias, 5.0, key)),
        counterexample("a bias over queries", lambda key: loss_gap(query_bias, 5.0, key)),
    ),
)
