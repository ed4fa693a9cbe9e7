"""C5 derived: the second derivative of the loss along a doubly centred direction, without a residual."""

from collections.abc import Iterator

import sympy
from sympy import Eq, IndexedBase

from theory.claims.c05_nonlinearity_without_residual.symbolic import (
    D,
    slope_along_a_centred_direction,
    t,
    weight_along,
    without_row_sums,
)
from theory.claims.c06_nonlinearity_with_residual.symbolic import bend, phi, slope
from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import L, S, b, difference, differentiated, i, j, k, of_indexed, total, v, x

first, second = IndexedBase("A'", real=True), IndexedBase("A''", real=True)
u = sympy.Symbol("u", real=True)
H = IndexedBase("H", real=True)
p, Q = sympy.symbols("psi_1 psi_2", real=True)
written = v * total(weight_along(j) * x[j], j)

definition = u * total(sympy.Derivative(phi(written), (t, 2)), i) / L
chained = total(Q * (v * total(first[i, j] * x[j], j)) ** 2 + p * v * total(second[i, j] * x[j], j), i) / L
turning = (D[i, j] ** 2 - total(D[i, k] ** 2, k) / L) / L
filled = total(Q * (v * total(D[i, j] / L * x[j], j)) ** 2 + p * v * total(turning * x[j], j), i) / L
received = total((D[i, j] ** 2 - total(D[i, k] ** 2, k) / L), i) / L**2
result = v**2 * Q * total(total(D[i, j] * x[j], j) ** 2, i) / L**3 + p * v * total(received * x[j], j)


def chain_rule() -> Iterator[sympy.Expr]:
    """At any t: psi_1 = u phi'(H_i), psi_2 = u phi''(H_i), A' and A'' the derivatives of weights; and dz/dt = 0."""
    meant = chained.xreplace({Q: u * bend(written), p: u * slope(written)})
    for base, order in ((first, 1), (second, 2)):
        meant = of_indexed(meant, base, lambda _, key, order=order: weight_along(key).diff(t, order))
    yield difference(differentiated(definition), meant)
    yield from slope_along_a_centred_direction()


def centred_rows() -> Iterator[sympy.Expr]:
    """The weights' derivatives at t = 0 put into the chain rule, where rows of D sum to 0."""
    at_zero = lambda order: lambda _, key: without_row_sums(weight_along(key).diff(t, order).subs(t, 0))
    yield difference(of_indexed(of_indexed(chained, first, at_zero(1)), second, at_zero(2)), filled)


def by_key() -> Iterator[sympy.Expr]:
    """The bend's part as it stands; the slope's, which is linear in p and in x, by its coefficients."""
    yield difference(filled.subs(p, 0), result.subs(p, 0))
    coefficient = lambda expression: expression.diff(p).diff(x[b])
    yield difference(coefficient(filled), coefficient(result))


DERIVATION = Derivation(
    label="C5",
    given=(
        (Eq(S[i, j], t * D[i, j]), "A straight line through uniform attention."),
        (Eq(total(D[i, k], k), 0), "Rows of D sum to 0."),
        (Eq(total(D[k, j], k), 0), "Columns of D sum to 0: D is doubly centred."),
        (
            Eq(sympy.Symbol("z"), total(phi(H[i]), i) / L),
            "No residual: at t = 0 every query has the same H_i = v xbar =: h.",
        ),
        (Eq(p, u * sympy.Symbol("phi_1")), "The slope of psi(h) = u phi(h); u = dl/dz."),
        (Eq(Q, u * sympy.Symbol("phi_2")), "The bend."),
    ),
    target=sympy.Derivative(sympy.Symbol("l"), (t, 2)),
    steps=(
        Step(
            definition,
            "At t = 0; the term with d^2 l / dz^2 is absent because dz/dt = 0 by the column sums.",
        ),
        Step(
            chained,
            "The chain rule in every query, with A' and A'' the first two derivatives of the weights.",
            differences=chain_rule,
        ),
        Step(
            filled,
            "The softmax along D: A' = D / L and A'' = (D_ij^2 - mean_k D_ik^2) / L: its rows are centred.",
            differences=centred_rows,
        ),
        Step(result, "Sum over queries before keys.", differences=by_key),
    ),
    conclusion=(
        "To first order the loss does not feel D; to second order it does through the bend of phi, and, "
        "where D changes the attention that keys receive, through its slope."
    ),
    shows=("The blindness is local: along",),
    elsewhere=(
        ("For z = mean_i phi(H_i)", ("certificate: the gradient of any phi is a key bias, symbolic L",)),
        ("For circulant D", ("certificate: circulant D keeps received attention uniform, L = 2..8",)),
        (
            "For phi(h) = h^2/2, a small head",
            (
                "rate and direction of escape against jax's Hessian",
                "gradient descent escapes in the claimed time",
            ),
        ),
        ("Reconstruction moves them at first order", ("gradient descent escapes in the claimed time",)),
    ),
)
