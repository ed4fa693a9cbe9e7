"""C5 derived: the second derivative of the loss along a doubly centred direction, without a residual."""

from collections.abc import Iterator

import sympy
from sympy import Eq, IndexedBase

from theory.claims.c05_symbols import (
    D,
    curvature_of_any_feature,
    slope_along_a_centred_direction,
    t,
    weight_along,
    weights_along_a_centred_direction,
)
from theory.claims.c06_symbols import phi
from theory.claims.index_sums import L, a, b, difference, i, j, k, total, v, x
from theory.derivations.derivation import Derivation, Step

first, second = IndexedBase("A'", real=True), IndexedBase("A''", real=True)
T = IndexedBase("T", real=True)
u, p, Q = sympy.symbols("u p Q", real=True)
written = v * total(weight_along(j) * x[j], j)

definition = u * total(sympy.Derivative(phi(written), (t, 2)), i) / L
chained = total(Q * (v * total(first[i, j] * x[j], j)) ** 2 + p * v * total(second[i, j] * x[j], j), i) / L
turning = (D[i, j] ** 2 - total(D[i, k] ** 2, k) / L) / L
filled = total(Q * (v * total(D[i, j] / L * x[j], j)) ** 2 + p * v * total(turning * x[j], j), i) / L
received = total((D[i, j] ** 2 - total(D[i, k] ** 2, k) / L), i) / L**2
result = v**2 * Q * total(total(D[i, j] * x[j], j) ** 2, i) / L**3 + p * v * total(received * x[j], j)


def chain_rule() -> Iterator[sympy.Expr]:
    """Per query, with p = u phi'(h) and Q = u phi''(h); and dz/dt = 0, so that dl/dz enters once."""
    yield from curvature_of_any_feature()
    yield from slope_along_a_centred_direction()


def by_key() -> Iterator[sympy.Expr]:
    """Order of summation, shown for any T_ij in place of the turning; the bend's part stays as it is."""
    by_query = total(total(T[i, j] * x[j], j), i)
    yield difference(by_query.diff(T[a, b]), total(total(T[i, j], i) * x[j], j).diff(T[a, b]))
    yield difference(total(turning, i) / L, received)
    yield difference(filled.subs(p, 0), result.subs(p, 0))


DERIVATION = Derivation(
    label="C5",
    given=(
        (Eq(sympy.Symbol("S_ij"), t * D[i, j]), "A straight line through uniform attention."),
        (Eq(total(D[i, k], k), 0), "Rows of D sum to 0."),
        (Eq(total(D[k, j], k), 0), "Columns of D sum to 0: D is doubly centred."),
        (
            Eq(sympy.Symbol("z"), total(phi(sympy.Symbol("H_i")), i) / L),
            "No residual: at t = 0 every query has the same H_i = v xbar =: h.",
        ),
        (Eq(sympy.Symbol("p"), sympy.Symbol("u") * sympy.Symbol("phi'(h)")), "The slope; u = dl/dz."),
        (Eq(sympy.Symbol("Q"), sympy.Symbol("u") * sympy.Symbol("phi''(h)")), "The bend."),
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
            differences=weights_along_a_centred_direction,
        ),
        Step(result, "Sum over queries before keys.", differences=by_key),
    ),
    conclusion=(
        "To first order the loss does not feel D; to second order it does through the bend of phi, and, "
        "where D changes the attention that keys receive, through its slope."
    ),
)
