"""C26, a head on one position. Exact for every L, at any scores."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c06_nonlinearity_with_residual.symbolic import phi, slope
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
from theory.claims.checks.draws import gaussian_scores, gaussian_sequences, hard_lookups
from theory.claims.checks.feature_maps import tanh_map
from theory.label_blindness.cls_query import cls_features, cls_score_gradient
from theory.minimal_model.attention import attention_weights, mixed, pooled_features
from theory.reconstruction.masked_loss import off_diagonal
from theory.symbolic.index_sums import A as weight
from theory.symbolic.index_sums import S, a, as_softmax, b, difference, j, k, total, v, x

LENGTH, WIDTH, SEQUENCES, LOOKUPS = 6, 3, 30, 40_000
LARGEST_EXACT = 6


def only_the_first_row() -> Iterator[sympy.Expr]:
    """Certificate, symbolic L: d/dS_ab of phi(x_0 + v sum_j A_0j x_j), any phi, is 0 unless a = 0."""
    written = as_softmax(x[0] + v * total(weight[0, j] * x[j], j))
    spelled = as_softmax(weight[0, b] * v * (x[b] - total(weight[0, k] * x[k], k)))
    yield difference(written.diff(S[a, b]), sympy.KroneckerDelta(0, a) * spelled)
    yield sympy.expand(phi(written).diff(S[a, b]) - slope(written) * written.diff(S[a, b]))


def rank_of_one_row() -> Iterator[sympy.Expr]:
    """Certificate, L = 2..6, rationals: t -> A_0 t less its mean has rank L - 1, whatever t the data offer."""
    for length in range(2, LARGEST_EXACT + 1):
        row = sympy.Matrix([sympy.Rational(1, position + 2) for position in range(length)])
        row = row / sum(row)
        yield sympy.Integer((sympy.diag(*row) - row * row.T).rank() - (length - 1))


def draws(key: PRNGKeyArray):
    """Scores, sequences with one token in common at position 0, a value map and a head."""
    rows = jax.random.normal(key, (SEQUENCES * LENGTH + 2 * WIDTH, WIDTH))
    sequences = rows[: SEQUENCES * LENGTH].reshape(SEQUENCES, LENGTH, WIDTH)
    sequences = sequences.at[:, 0].set(rows[0])
    value_map, head = rows[-2 * WIDTH : -WIDTH], rows[-1]
    return gaussian_scores(jax.random.fold_in(key, 1), LENGTH), sequences, value_map, head


def one_position(scores, tokens, value_map) -> Float[Array, " width"]:
    """The claim's features."""
    return cls_features(scores, tokens, value_map, tanh_map)


def every_position(scores, tokens, value_map) -> Float[Array, " width"]:
    """A mean pool instead."""
    return pooled_features(scores, tokens, value_map, tanh_map)


def two_layers(scores, tokens, value_map) -> Float[Array, " width"]:
    """A second layer above, at uniform attention: the head reads what the first wrote elsewhere."""
    stream = tanh_map(tokens + mixed(scores, tokens, value_map))
    return tanh_map(stream + mixed(jnp.zeros_like(scores), stream, value_map))[0]


def label_gradients(features, key: PRNGKeyArray) -> Float[Array, "sample query key"]:
    """jax's gradient of u . z in the scores, for each sequence."""
    scores, sequences, value_map, head = draws(key)
    slope = jax.grad(lambda scores, tokens: head @ features(scores, tokens, value_map))
    return jax.vmap(slope, (None, 0))(scores, sequences)


def law_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against jax, for each sequence."""
    scores, sequences, value_map, head = draws(key)

    def law(tokens):
        stream = tokens + mixed(scores, tokens, value_map)
        pulled = jax.vjp(lambda row: tanh_map(row[None])[0], stream[0])[1](head)[0]
        return cls_score_gradient(scores, tokens, value_map, pulled)

    return relative_gap(label_gradients(one_position, key), jax.vmap(law)(sequences))


def other_rows_gap(features, key: PRNGKeyArray) -> Float[Array, ""]:
    """What the label says to every query but the first."""
    gradients = label_gradients(features, key)
    return relative_gap(gradients[:, 1:], jnp.zeros_like(gradients[:, 1:]), scale=gradients)


def span_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """How many directions the gradients of all sequences span, less L - 1."""
    values = jnp.linalg.svd(label_gradients(one_position, key).reshape(SEQUENCES, -1), compute_uv=False)
    return jnp.abs(jnp.sum(values > 1e-9 * values[0]) - (LENGTH - 1)).astype(values.dtype)


def masked_losses(scores, tokens, value_map) -> Float[Array, " query"]:
    """Half the squared error of each position, its own token hidden."""
    guesses = off_diagonal(attention_weights(scores)) @ tokens @ value_map.T
    return 0.5 * jnp.sum((tokens - guesses) ** 2, axis=1)


def overlap_gap(features, key: PRNGKeyArray) -> Float[Array, ""]:
    """Largest product of an entry of a label gradient with that of reconstruction at the other positions."""
    scores, sequences, value_map, _ = draws(key)
    masked = lambda scores, tokens: masked_losses(scores, tokens, value_map)[1:].sum()
    rebuilt = jax.vmap(jax.grad(masked), (None, 0))(scores, sequences)
    labels = label_gradients(features, key)
    return jnp.abs(labels * rebuilt).max() / (jnp.abs(labels).max() * jnp.abs(rebuilt).max())


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences, for the first sequence."""
    scores, sequences, value_map, head = draws(key)
    loss = lambda scores: head @ one_position(scores, sequences[0], value_map)
    return finite_difference_gap(loss, label_gradients(one_position, key)[0], scores, key=key)


def lookup_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Hard attention at the first query, no phi: score-function credit of every query against the law."""
    scores_key, draw, lookup_key = jax.random.split(key, 3)
    scores = gaussian_scores(scores_key, LENGTH)
    offered = gaussian_sequences(draw, jnp.eye(LENGTH), 1)[0]
    keys = hard_lookups(lookup_key, scores, LOOKUPS)
    surprise = jax.nn.one_hot(keys, LENGTH) - attention_weights(scores)[None]
    credit = offered[keys[:, 0]][:, None, None] * surprise
    law = cls_score_gradient(scores, offered[:, None], jnp.eye(1), jnp.ones(1))
    return standard_errors_off(credit, law)


CLAIM = Claim(
    label="C26",
    title="A head on one position",
    statement=(
        "For z = phi(x_0 + H_0), a head that reads one position such as a learned CLS token, with any phi, residual, "
        "loss and scores: dl/dS_0j = A_0j (t_j - sum_k A_0k t_k), t_j = q_0^T V x_j, and exactly 0 in the row of "
        "every other query. Over samples the gradients span L - 1 directions, so that a residual and an MLP do not "
        "open the eye as they do behind a mean pool (C6). Reconstruction of the other positions reads the other rows "
        "alone: the two kinds of supervision have disjoint supports, for any data, without the stationarity of C9."
    ),
    regime=(
        "Exact for every L >= 2, per sample, at any finite scores; sptlab's own statement. One layer: a second one "
        "reads what the first wrote at other positions. Reconstruction must not be asked for position 0. Symbolic L "
        "for the row; its rank in exact arithmetic for L = 2..6."
    ),
    formula=(
        r"\frac{\partial \ell}{\partial S_{ij}} = 1_{i = 0} \, A_{0j} \left( t_j - \sum_k A_{0k} t_k \right), \quad "
        r"t_j = q_0^{\top} V x_j"
    ),
    checks=(
        symbolic("certificate: no other row, any phi, symbolic L", only_the_first_row),
        symbolic("certificate: rank of a row, L = 2..6, rationals", rank_of_one_row),
        autodiff("the law against jax.grad", law_gap),
        autodiff("no other row", lambda key: other_rows_gap(one_position, key)),
        autodiff("the span is L - 1", span_gap, tolerance=0.0),
        autodiff("supports are disjoint", lambda key: overlap_gap(one_position, key)),
        finite_difference("the law against central differences", difference_gap),
        simulation("hard lookups with score-function credit", lookup_deviation),
        counterexample("a mean pool", lambda key: other_rows_gap(every_position, key)),
        counterexample("a second layer", lambda key: overlap_gap(two_layers, key)),
    ),
)
