"""C26, derived: a head on one position feels one row of the scores. Symbolic L."""

import sympy
from sympy import Derivative, Eq, KroneckerDelta, Symbol

from theory.claims.c26_cls_query.claim import only_the_first_row
from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import A, S, a, as_softmax, b, difference, i, j, total

q, offered, H = (sympy.IndexedBase(name, real=True) for name in ("q", "Vx", "H"))
loss = Symbol("l", real=True)

written = total(A[0, j] * offered[j], j)
chained = q[0] * Derivative(written, S[a, b], evaluate=False)
with_deltas = q[0] * KroneckerDelta(0, a) * A[0, b] * (offered[b] - total(A[0, j] * offered[j], j))
ROW = KroneckerDelta(0, a) * (A[0, b] * (q[0] * offered[b] - total(A[0, j] * q[0] * offered[j], j)))


def softmax_is_differentiated():
    """Sympy's derivative of what query 0 collects, and the whole of it for any phi of scalar tokens."""
    yield difference(q[0] * as_softmax(written).diff(S[a, b]), as_softmax(with_deltas))
    yield from only_the_first_row()


def one_position_is_read():
    """Sympy's derivative of query i's weights in S_ab has the delta of i and a, for every i."""
    slope = as_softmax(A[i, j]).diff(S[a, b])
    spelled = as_softmax(A[i, j] * (KroneckerDelta(j, b) - A[i, b]))
    yield difference(slope, KroneckerDelta(i, a) * spelled)


OTHER_ROWS = Chain(
    shows=("Reconstruction of the other positions",),
    target=Derivative(A[i, j], S[a, b], evaluate=False),
    steps=(
        Step(
            Derivative(as_softmax(A[i, j]), S[a, b]),
            "The error at i reads the weights of query i alone.",
        ),
        Step(
            KroneckerDelta(i, a) * A[i, j] * (KroneckerDelta(j, b) - A[i, b]),
            "Weights of query i depend on scores of query i.",
            differences=one_position_is_read,
        ),
    ),
    conclusion="For i other than 0 the row a = 0 is 0 there, where the label's gradient has its only row.",
)

DERIVATION = Derivation(
    label="C26",
    given=(
        (
            Eq(H[0], written, evaluate=False),
            "What attention writes at the position that is read; Vx_j is one coordinate of what key j offers.",
        ),
        (q[0], "q_0 = J_phi(x_0 + H_0)^T u: the loss's slope in H_0, any phi and loss, with or without x_0."),
    ),
    target=Derivative(loss, S[a, b]),
    steps=(
        Step(chained, "The chain rule: the loss reads the scores through H_0 alone."),
        Step(
            with_deltas,
            "The softmax's derivative: only scores of query 0 enter.",
            differences=softmax_is_differentiated,
        ),
        Step(ROW, "With t_j = q_0 Vx_j, summed over coordinates."),
    ),
    conclusion="The row of every other query is exactly 0, whatever phi makes of H_0.",
    shows=("For z = phi(x_0 + H_0)",),
    further=(OTHER_ROWS,),
    elsewhere=(
        (
            "Over samples the gradients",
            ("certificate: rank of a row, L = 2..6, rationals", "the span is L - 1"),
        ),
        ("Reconstruction of the other positions", ("supports are disjoint",)),
    ),
)
