"""C6 derived: from the pooled features to the law at uniform attention, and its doubly centred part."""

from collections.abc import Iterator

import sympy
from sympy import Eq, IndexedBase, KroneckerDelta

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import (
    A,
    L,
    S,
    a,
    b,
    difference,
    differentiated,
    i,
    j,
    k,
    of_indexed,
    total,
    x,
)

G, q, t = (IndexedBase(name, real=True) for name in ("G", "q", "t"))
"""The gradient; the head gradient pulled back through phi, q_i = J_phi(x_i + H_i)^T u; its response."""

R, H = IndexedBase("R", real=True), IndexedBase("H", real=True)
y = IndexedBase("Vx", real=True)

softmax_slope = lambda query, key: (
    A[query, key] * KroneckerDelta(query, a) * (KroneckerDelta(key, b) - A[query, b])
)
softmax = lambda query, key: sympy.exp(S[query, key]) / total(sympy.exp(S[query, k]), k)
definition = total(total(R[i, j] * sympy.Derivative(softmax(i, j), S[a, b]), j), i) / L
through = total(total(R[i, j] * softmax_slope(i, j), j), i) / L
collapsed = A[a, b] / L * (R[a, b] - total(A[a, j] * R[a, j], j))
uniform = (R[a, b] - total(R[a, j], j) / L) / L**2
split = q[a] * (y[b] - total(y[j], j) / L) / L**2
average = total(q[i], i) / L
value = y[b] - total(y[j], j) / L
parts = average * value / L**2 + (q[a] - average) * value / L**2


def softmax_by_entry() -> Iterator[sympy.Expr]:
    """The derivatives taken, against the step with every A spelled out as a softmax, at any S."""
    yield difference(differentiated(definition), of_indexed(through, A, softmax))


def equal_weights() -> Iterator[sympy.Expr]:
    """The collapsed gradient with every A_ij replaced by 1/L."""
    yield difference(of_indexed(collapsed, A, lambda query, key: 1 / L), uniform)


def factored() -> Iterator[sympy.Expr]:
    """The uniform gradient with R_ij = q_i y_j."""
    yield difference(of_indexed(uniform, R, lambda query, key: q[query] * y[key]), split)
    yield difference(total(split, b), sympy.Integer(0))


DERIVATION = Derivation(
    label="C6",
    given=(
        (
            Eq(
                sympy.Symbol("z"),
                total(sympy.Function("phi")(x[i] + H[i]), i) / L,
            ),
            "A residual, token-wise features phi, and the mean over positions.",
        ),
        (
            Eq(H[i], total(A[i, j] * y[j], j)),
            "What attention writes; Vx_j is what key j offers, written for one coordinate.",
        ),
        (
            Eq(R[i, j], q[i] * y[j]),
            "By the chain rule dl/dA_ij = R_ij / L, where q_i = J_phi(x_i + H_i)^T u and u = dl/dz.",
        ),
    ),
    target=sympy.Derivative(sympy.Symbol("l"), S[a, b], evaluate=False),
    steps=(
        Step(definition, "The chain rule: the loss reads S through the weights only."),
        Step(through, "The slope of the softmax is A_ij d_ia (d_jb - A_ib).", differences=softmax_by_entry),
        Step(collapsed, "Only query a depends on S_ab: the deltas collapse both sums."),
        Step(
            uniform,
            "At uniform attention every A_ij is 1/L.",
            differences=equal_weights,
        ),
        Step(
            split,
            "The response is q_a times the value Vx_b: a factor of the query, one of the key; rows sum to 0.",
            differences=factored,
        ),
        Step(
            parts,
            "Split q_a into its mean over queries, a key bias, and the rest, which is doubly centred.",
        ),
    ),
    conclusion=(
        "The gradient is (1/L^2) q_i^T V (x_k - xbar); what labels see of query-dependent directions is "
        "driven by q_i - qbar, and is 0 where phi is linear or there is no residual."
    ),
    shows=(
        "For z = mean_i phi(x_i + H_i)",
        "Its doubly centred part",
    ),
    elsewhere=(
        ("Its doubly centred part", ("the law, its doubly centred part and share",)),
        ("A linear phi is blind again", ("certificate: a linear phi adds nothing at any S, symbolic L",)),
        ("For phi of second degree", ("second degree: centred, symmetric, symbolic L",)),
        ("Over samples the gradients span", ("gradients span L(L-1) directions, (L-1)(L+2)/2 or L-1",)),
    ),
)
