"""C2: from the pooled score through the derivative of the softmax to the key-bias law."""

from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Symbol, exp

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A, L, S, a, as_softmax, at_gauge, b, difference, i, j, s, total

alpha = IndexedBase("alpha", real=True)
loss = Symbol("l", real=True)

pooled = total(total(A[i, j] * s[j], j), i) / L
with_deltas = total(A[i, b] * KroneckerDelta(i, a) * (s[b] - total(A[i, j] * s[j], j)), i) / L
at_any_scores = A[a, b] / L * (s[b] - total(A[a, j] * s[j], j))
law = (s[b] - total(s[j], j) / L) / L**2


def the_softmax_is_differentiated():
    """Sympy's derivative of the pooled score, every weight spelled out."""
    yield difference(as_softmax(pooled).diff(S[a, b]), as_softmax(with_deltas))


def the_row_is_constant():
    """At S_ij = alpha_i the exponentials cancel."""
    yield difference(at_gauge(as_softmax(at_any_scores), S, alpha), law)


DERIVATION = Derivation(
    label="C2",
    given=(
        (
            Eq(A[i, j], exp(S[i, j]) / total(exp(S[i, a]), a), evaluate=False),
            "The weights are a row softmax.",
        ),
        (s[j], "s_j = u^T V x_j with u = dl/dz: to first order the loss changes as the pooled score."),
    ),
    target=Derivative(loss, S[a, b]),
    steps=(
        Step(Derivative(pooled, S[a, b]), "The chain rule: dl = u^T dz, and u^T z is the pooled score."),
        Step(
            with_deltas,
            "The softmax's derivative: dA_ij/dS_ab = 1[i = a] A_ij (1[j = b] - A_ib), summed over j.",
            differences=the_softmax_is_differentiated,
        ),
        Step(at_any_scores, "Only query a feels its own scores: the sum over queries collapses."),
        Step(
            law,
            "Where scores do not depend on the key, S_ij = S_i0, every weight is 1/L.",
            scope="symbolic L, where S_ij = S_i0",
            differences=the_row_is_constant,
        ),
    ),
    conclusion=(
        "The result does not contain the query a: the gradient is 1 w^T, a key bias that sums to 0 over "
        "keys. Its doubly centred part is exactly 0, so a label cannot prefer near keys to far ones."
    ),
    shows=(
        "Where scores do not depend on the key",
        "Its doubly centred part",
    ),
    elsewhere=(
        ("Where scores do not depend on the key", ("the same with a nonlinearity, and its law",)),
        (
            "More generally, where all rows",
            (
                "no doubly centred part, S_ij = a_i + b_j",
                "gradient at any S, and at row-constant S, symbolic L",
            ),
        ),
    ),
)
