"""C21: at scores that differ between queries by a constant, the label gradient does not know its query."""

from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Symbol, exp

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A, L, S, a, as_softmax, b, difference, i, j, k, of_indexed, s, total

shift, beta = IndexedBase("alpha_i", real=True), IndexedBase("beta", real=True)
q, loss = IndexedBase("q", real=True), Symbol("l", real=True)
shared = IndexedBase("alpha", real=True)

written = total(A[i, j] * s[j], j)
slopes = total(q[i] * Derivative(written, S[a, b]), i) / L
with_deltas = total(q[i] * KroneckerDelta(i, a) * A[i, b] * (s[b] - written), i) / L
one_row = q[a] * A[a, b] / L * (s[b] - total(A[a, j] * s[j], j))
equal_rows = q[0] * shared[b] / L * (s[b] - total(shared[j] * s[j], j))


def the_softmax_is_differentiated():
    """Sympy's derivative of what query i collects, every weight spelled out."""
    collected = as_softmax(written)
    yield difference(total(q[i] * collected.diff(S[a, b]), i) / L, as_softmax(with_deltas))


def the_query_drops_out():
    """At S_ij = S_i0 + beta_j: e^{S_i0} cancels, and the pull-back q_i is one number."""
    at_equal_rows = of_indexed(as_softmax(one_row), S, lambda query, key: shift[query] + beta[key])
    weight = lambda key: exp(beta[key]) / total(exp(beta[k]), k)
    yield difference(of_indexed(at_equal_rows, q, lambda query: q[0]), of_indexed(equal_rows, shared, weight))


DERIVATION = Derivation(
    label="C21",
    given=(
        (
            q[i],
            "The loss's slope in what query i collects, u^T J_phi(H_i), along one direction of the tokens: "
            "a function of H_i, so one number q_0 for all queries once the H_i coincide.",
        ),
        (
            Eq(shared[j], exp(beta[j]) / total(exp(beta[k]), k), evaluate=False),
            "The common row of A at S_ij = S_i0 + beta_j; there every H_i is sum_j alpha_j V x_j.",
        ),
    ),
    target=Derivative(loss, S[a, b]),
    steps=(
        Step(
            slopes, "The pooled features are a mean over queries, each a function of what its query collects."
        ),
        Step(
            with_deltas,
            "The softmax's derivative: only query a feels S_ab.",
            differences=the_softmax_is_differentiated,
        ),
        Step(one_row, "The sum over queries collapses."),
        Step(
            equal_rows,
            "Rows of S differ by constants: the weights of all queries agree, so do the H_i, and so the q_i.",
            scope="symbolic L, where S_ij = S_i0 + beta_j",
            differences=the_query_drops_out,
        ),
    ),
    conclusion=(
        "The query a is gone: all rows of the gradient are equal. A rule that treats queries alike adds "
        "equal rows to rows that differ by constants, so they do so for ever, and the scores follow a key "
        "bias."
    ),
    shows=("So from scores that are the same",),
    elsewhere=(
        ("In the mean-pooled model", ("certificate: permuting queries, L = 2..4",)),
        ("So from scores that are the same", ("certificate: updates keep rows equal",)),
        ("The L^2 scores follow", ("the scores follow the key bias under Adam",)),
    ),
)
