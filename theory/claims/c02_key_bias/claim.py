"""C2, the key-bias law. Exact for every L."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray
from sympy import IndexedBase, exp

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
from theory.claims.checks.draws import LabelledSequence, gaussian_scores, hard_lookups, labelled_sequence
from theory.label_blindness.subspaces import decompose
from theory.minimal_model.attention import attention_weights, cross_entropy, mixed, pooled_features
from theory.symbolic.index_sums import L, S, a, at_gauge, b, difference, i, j, k, resolve, s, total

LENGTH = 10
LOOKUPS = 20_000


def pooled_slope():
    """Symbolic L: d/dS_ab of the pooled score (1/L) sum_ij A_ij s_j, at any S."""
    pooled = total(total(exp(S[i, j]) * s[j], j) / total(exp(S[i, k]), k), i) / L
    return resolve(pooled.diff(S[a, b]))


def gradient_at_equal_scores():
    """Symbolic L: the gradient at any S, then at S_ij = a_i, from the pooled score itself."""
    gradient = pooled_slope()
    weight = lambda key: exp(S[a, key]) / total(exp(S[a, k]), k)
    closed_form = weight(b) / L * (s[b] - total(exp(S[a, j]) * s[j], j) / total(exp(S[a, k]), k))
    yield difference(gradient, closed_form)
    law = (s[b] - total(s[j], j) / L) / L**2
    yield difference(at_gauge(gradient, S, IndexedBase("alpha", real=True)), law)


def doubly_centred_part():
    """Symbolic L: the gradient at S_ij = a_i minus its row means, minus its column means, plus its mean."""
    entry = at_gauge(pooled_slope(), S, IndexedBase("alpha", real=True))
    along_row, along_column = (resolve(total(entry, index)) / L for index in (b, a))
    yield difference(entry + resolve(total(along_row, a)) / L, along_row + along_column)


def row_constant(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """S_ij = a_i: scores that are the same for every key."""
    return jnp.broadcast_to(jax.random.normal(key, (LENGTH, 1)), (LENGTH, LENGTH))


def equal_rows(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """S_ij = a_i + b_j: every query attends alike."""
    rows, columns = jax.random.split(key)
    return row_constant(rows) + row_constant(columns).T


def law(sequence: LabelledSequence, scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
    """(1/L^2) 1 (s - mean s)^T."""
    per_key = sequence.tokens @ sequence.value_map.T @ sequence.head_gradient(scores)
    return jnp.broadcast_to((per_key - per_key.mean())[None, :], scores.shape) / LENGTH**2


def law_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """`jax.grad` of the label loss at row-constant scores against the law."""
    draw, scores_key = jax.random.split(key)
    sequence, scores = labelled_sequence(draw, LENGTH), row_constant(scores_key)
    return relative_gap(jax.grad(sequence.loss)(scores), law(sequence, scores))


def attended(scores, sequence: LabelledSequence) -> Float[Array, " width"]:
    """The minimal model: what attention writes, pooled."""
    return mixed(scores, sequence.tokens, sequence.value_map).mean(axis=0)


def tanh_pool(scores, sequence: LabelledSequence) -> Float[Array, " width"]:
    """A nonlinearity without a residual: still blind at equal rows."""
    return jnp.tanh(mixed(scores, sequence.tokens, sequence.value_map)).mean(axis=0)


def bent_residual(scores, sequence: LabelledSequence) -> Float[Array, " width"]:
    """Residual and nonlinearity together: not blind."""
    return pooled_features(scores, sequence.tokens, sequence.value_map, jnp.tanh)


def centred_gap(model, scores_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Doubly centred part of the label gradient, relative to the gradient."""
    draw, scores_key = jax.random.split(key)
    sequence = labelled_sequence(draw, LENGTH)
    loss = lambda scores: cross_entropy(sequence.head @ model(scores, sequence), sequence.label)
    gradient = jax.grad(loss)(scores_of(scores_key))
    return relative_gap(decompose(gradient).doubly_centred, jnp.zeros_like(gradient), scale=gradient)


def bent_law_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's label gradient at uniform attention after a token-wise tanh, against the law with q in s_j.

    And the doubly centred part where all rows of A agree, S_ij = a_i + b_j.
    """
    sequence, flat = labelled_sequence(key, LENGTH), jnp.zeros((LENGTH, LENGTH))
    loss = lambda scores: cross_entropy(sequence.head @ tanh_pool(scores, sequence), sequence.label)
    vector = sequence.value_map @ sequence.tokens.mean(axis=0)
    read = lambda stream: cross_entropy(sequence.head @ jnp.tanh(stream), sequence.label)
    per_key = sequence.tokens @ sequence.value_map.T @ jax.grad(read)(vector)  # q = J^T u by the chain rule
    claimed = jnp.broadcast_to((per_key - per_key.mean())[None, :], flat.shape) / LENGTH**2
    observed = relative_gap(jax.grad(loss)(flat), claimed)
    return jnp.maximum(observed, centred_gap(tanh_pool, equal_rows, key))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences, half of them along doubly centred directions."""
    draw, scores_key, any_key, centred_key = jax.random.split(key, 4)
    sequence, scores = labelled_sequence(draw, LENGTH), row_constant(scores_key)
    anywhere = jax.random.normal(any_key, (4, LENGTH, LENGTH))
    centred = jax.vmap(lambda direction: decompose(direction).doubly_centred)(
        jax.random.normal(centred_key, (4, LENGTH, LENGTH))
    )
    directions = jnp.concatenate([anywhere, centred])
    return finite_difference_gap(sequence.loss, law(sequence, scores), scores, key=key, directions=directions)


def lookup_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Hard attention and its score-function estimate of the gradient, against the law.

    Query i looks up one key J ~ A_i and is credited s_J (1[j = J] - A_ij) / L: unbiased for G_ij.
    """
    draw, lookup_key = jax.random.split(key)
    sequence, scores = labelled_sequence(draw, LENGTH), jnp.zeros((LENGTH, LENGTH))
    per_key = sequence.tokens @ sequence.value_map.T @ sequence.head_gradient(scores)
    looked_up = hard_lookups(lookup_key, scores, LOOKUPS)
    credit = jax.nn.one_hot(looked_up, LENGTH, dtype=scores.dtype) - attention_weights(scores)[None]
    estimates = per_key[looked_up][..., None] * credit / LENGTH
    return standard_errors_off(estimates, law(sequence, scores))


CLAIM = Claim(
    label="C2",
    title="Key-bias law",
    statement=(
        "Where scores do not depend on the key (S_ij = a_i: uniform attention) the label gradient is (1/L^2) "
        "1 (s - mean s)^T with s_j = (dl/dz)^T V x_j (q^T V x_j, q = J_phi(V xbar)^T dl/dz, after a "
        "token-wise phi): rank one, the same for every query. Its doubly centred part is exactly 0. More "
        "generally, where all rows of A are equal (S_ij = a_i + b_j) it is 1 w^T with w_j = (A_j / L)(s_j - "
        "sum_k A_k s_k): still a key bias, though no longer centred by the plain mean of s."
    ),
    regime=(
        "Exact for every L >= 2, per sample. Holds with a token-wise nonlinearity after attention and with a "
        "residual, but not with both. Symbolic L, from the definition of the pooled score."
    ),
    formula=(
        r"\frac{\partial \ell}{\partial S_{ij}} = \frac{1}{L^{2}} \left( s_j - \bar{s} \right), \quad "
        r"s_j = \left( \frac{\partial \ell}{\partial z} \right)^{\top} V x_j"
    ),
    checks=(
        symbolic("gradient at any S, and at row-constant S, symbolic L", gradient_at_equal_scores),
        symbolic("certificate: no doubly centred part at row-constant S, symbolic L", doubly_centred_part),
        autodiff("the law against jax.grad", law_gap),
        autodiff(
            "no doubly centred part, S_ij = a_i + b_j", lambda key: centred_gap(attended, equal_rows, key)
        ),
        autodiff("the same with a nonlinearity, and its law", bent_law_gap),
        finite_difference("the law, and 0 along doubly centred directions", difference_gap),
        simulation("hard lookups with score-function credit", lookup_deviation),
        counterexample(
            "rows of S that differ",
            lambda key: centred_gap(attended, lambda k: gaussian_scores(k, LENGTH), key),
        ),
        counterexample(
            "residual and nonlinearity together", lambda key: centred_gap(bent_residual, equal_rows, key)
        ),
    ),
)
