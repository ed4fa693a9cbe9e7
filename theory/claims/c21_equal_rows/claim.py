"""C21, equal rows stay equal. Exact for every L, per sample, at any time.

Proof. z = mean_i phi(H_i) and H_i depends on query i's scores alone, so the label loss does not change
when queries are permuted: l(P S) = l(S), whatever the data, the head and phi. Its gradient then satisfies
grad(P S) = P grad(S). Where all rows of S are equal, P S = S for every P, so all rows of the gradient are
equal. An optimiser that treats queries alike (SGD, momentum, Adam, weight decay, Shampoo, Muon: whatever
commutes with permuting rows) keeps a fixed point of all permutations fixed. Rows that differ by a
constant, S = a 1^T + 1 b^T, give the same weights and the same equal gradient rows; a rule linear in S,
or decay decoupled from the normalisation, keeps the difference free of the key. Adam with decay inside
its normalisation does not, as a test shows. Sums of samples and trained heads, values or phi
change none of this. The set is invariant, not attracting: off it rounding may grow (C5).
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c21_equal_rows import symbolic as c21_symbols
from theory.claims.c21_equal_rows.training import (
    DECAY,
    RATE,
    bent_residual,
    labels_through,
    reconstruction,
    single_query,
    tanh_pool,
    trained,
)
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
from theory.claims.checks.draws import WIDTH, LabelledSequence, hard_lookups, labelled_sequence
from theory.label_blindness.query_independence import shared_row_gradient
from theory.label_blindness.subspaces import decompose
from theory.minimal_model.attention import cross_entropy

LENGTH = 8
LOOKUPS = 10_000
STEPS = 30


attended = functools.partial(labels_through, tanh_pool)
residual = functools.partial(labels_through, bent_residual)


class Start(NamedTuple):
    """A labelled sequence, a and b of S = a 1^T + 1 b^T, and samples to train on."""

    sequence: LabelledSequence
    rows: Float[Array, " query"]
    bias: Float[Array, " key"]
    samples: Float[Array, "step key width"]

    @property
    def scores(self) -> Float[Array, "query key"]:
        """a 1^T + 1 b^T."""
        return self.rows[:, None] + self.bias[None, :]

    def loss(self, scores: Float[Array, "query key"]) -> Float[Array, ""]:
        """The label loss of phi's model on the sequence."""
        return labels_through(tanh_pool, self.sequence)(scores, self.sequence.tokens, self.sequence.label)

    def law(self) -> Float[Array, "query key"]:
        """1 w^T for phi = tanh."""
        tokens, value_map, head, label = self.sequence
        written = jnp.tanh(value_map @ (jax.nn.softmax(self.bias) @ tokens))
        slope = jax.grad(lambda z: cross_entropy(head @ z, label))(written)
        row = shared_row_gradient(self.bias, tokens, value_map, (1 - written**2) * slope)
        return jnp.broadcast_to(row[None, :], self.scores.shape)


def start(key: PRNGKeyArray) -> Start:
    """Scores, tokens, maps and head, all drawn from a Gaussian."""
    draw, numbers = jax.random.split(key)
    drawn = jax.random.normal(numbers, (2 + STEPS * WIDTH, LENGTH))
    samples = drawn[2:].reshape(STEPS, LENGTH, WIDTH)
    return Start(labelled_sequence(draw, LENGTH), drawn[0], drawn[1], samples)


def gradient_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's label gradient at equal rows against 1 w^T."""
    begun = start(key)
    return relative_gap(jax.grad(begun.loss)(begun.scores), begun.law())


def rows_gap(loss_of, key: PRNGKeyArray, coupled: float = 0.0) -> Float[Array, ""]:
    """Doubly centred part of the trained scores, over how far they have moved."""
    begun = start(key)
    end = trained(loss_of(begun.sequence), begun.scores, begun.samples, coupled=coupled)
    centred = decompose(end).doubly_centred
    return relative_gap(centred, jnp.zeros_like(centred), scale=end - begun.scores)


def reduced_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """All L^2 trained scores against the trained key bias, and a decayed by (1 - eta lambda)^t."""
    begun = start(key)
    train = lambda model, scores, scale: trained(
        labels_through(model, begun.sequence), scores, begun.samples, scale=scale
    )
    full, reduced = train(tanh_pool, begun.scores, 1.0), train(single_query, begun.bias, 1 / LENGTH)
    return relative_gap((1 - RATE * DECAY) ** STEPS * begun.rows[:, None] + reduced[None, :], full)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """1 w^T against central differences, four of them along doubly centred directions."""
    begun, directions = start(key), jax.random.normal(key, (8, LENGTH, LENGTH))
    centred = jax.vmap(lambda each: decompose(each).doubly_centred)(directions[4:])
    directions = jnp.concatenate([directions[:4], centred])
    return finite_difference_gap(begun.loss, begun.law(), begun.scores, key=key, directions=directions)


def lookup_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Hard lookups with score-function credit, linear phi: every row of the gradient against w."""
    begun, sequence = start(key), start(key).sequence
    slope, looked_up = sequence.head_gradient(begun.scores), hard_lookups(key, begun.scores, LOOKUPS)
    credit = jax.nn.one_hot(looked_up, LENGTH, dtype=slope.dtype) - jax.nn.softmax(begun.bias)[None, None, :]
    per_key = sequence.tokens @ sequence.value_map.T @ slope
    row = shared_row_gradient(begun.bias, sequence.tokens, sequence.value_map, slope)
    law = jnp.broadcast_to(row[None, :], begun.scores.shape)
    return standard_errors_off(per_key[looked_up][..., None] * credit / LENGTH, law)


CLAIM = Claim(
    label="C21",
    title="Equal rows stay equal",
    statement=(
        "In the mean-pooled model z = mean_i phi(H_i), phi any token-wise map or none, the label loss does "
        "not change when queries are permuted. So from scores that are the same for every query, S = a 1^T "
        "+ 1 b^T (uniform attention among them), every label gradient is 1 w^T, w_j = (A_j / L)(t_j - "
        "sum_k A_k t_k) with t_j = q^T V x_j, and training keeps S in that form for ever: for any data, "
        "head and loss, per sample, whatever else is trained, under every optimiser that treats queries "
        "alike (flow, SGD, momentum, Adam, decoupled decay). The L^2 scores follow a key bias of L "
        "numbers, and label supervision of this model alone never creates proximity, at any order and any "
        "time."
    ),
    regime=(
        "Exact for every L >= 2, per sample, at any time; sptlab's own statement. Free scores; no residual "
        "beside phi, nothing that tells queries apart (positions after attention, dropout on A). Where the "
        "a_i differ, decay inside Adam's normalisation breaks it; where they are equal, nothing entrywise "
        "does. Invariant, not attracting: a perturbation may grow (C5). Symbolic L for the gradient; the "
        "update rule entry by entry."
    ),
    formula=(
        r"S = a \mathbf{1}^{\top} + \mathbf{1} b^{\top} \;\Rightarrow\; \frac{\partial \ell}{\partial S} = "
        r"\mathbf{1} w^{\top}, \quad w_j = \frac{A_j}{L} \left( t_j - \sum_{k} A_k t_k \right)"
    ),
    checks=(
        symbolic("certificate: gradient rows are equal, symbolic L", c21_symbols.gradient_rows_are_equal),
        symbolic("certificate: updates keep rows equal", c21_symbols.updates_keep_rows_equal),
        symbolic("certificate: permuting queries, L = 2..4", c21_symbols.permuting_queries_changes_nothing),
        autodiff("label gradient at equal rows against jax.grad", gradient_gap),
        autodiff("rows stay equal under Adam", lambda key: rows_gap(attended, key)),
        autodiff("the scores follow the key bias under Adam", reduced_gap),
        finite_difference("the law, and 0 along doubly centred directions", difference_gap),
        simulation("hard lookups with score-function credit", lookup_deviation),
        counterexample("residual and nonlinearity together", lambda key: rows_gap(residual, key)),
        counterexample("steps of reconstruction", lambda key: rows_gap(reconstruction, key)),
    ),
)
