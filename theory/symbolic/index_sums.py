"""Index calculus for symbolic L: sums over positions, differentiated entry by entry.

Built on `Indexed` symbols, whose derivatives are Kronecker deltas. Never on `MatrixSymbol`: its
derivatives can come back as 0 without a warning.
"""

from collections.abc import Callable, Sequence

import sympy
from sympy import IndexedBase, KroneckerDelta, Sum, Symbol
from sympy.concrete.delta import deltasummation

L = Symbol("L", integer=True, positive=True)
"""The number of positions: a symbol, so that what is proven holds for every L."""

i, j, k, a, b = sympy.symbols("i j k a b", integer=True, nonnegative=True)
"""Positions, all in 0..L-1: a delta against one of them always meets it inside the sum."""

S, A, C, x, s = (IndexedBase(name, real=True) for name in "SACxs")
v = Symbol("v", real=True)


def total(term: sympy.Expr, *indices: Symbol) -> sympy.Expr:
    """Sum of the term over each index = 0..L-1, the first index innermost."""
    for index in indices:
        term = Sum(term, (index, 0, L - 1))
    return term


def resolve(expression: sympy.Basic) -> sympy.Basic:
    """Collapse every Kronecker delta inside a sum, innermost first, and expand."""
    if not isinstance(expression, sympy.Expr):
        return expression  # the variable of a derivative
    if not expression.has(Sum):
        return sympy.expand(expression)
    if isinstance(expression, Sum):
        summand = resolve(expression.function)
        for limits in expression.limits:
            summand = sympy.Add(*(collapse(part, limits) for part in sympy.Add.make_args(summand)))
        return sympy.expand(summand)
    return sympy.expand(expression.func(*(resolve(part) for part in expression.args)))


def collapse(term: sympy.Expr, limits: sympy.Tuple) -> sympy.Expr:
    """One term of a summand: its sum, with constants outside and deltas resolved."""
    index = limits[0]
    constant, varying = term.as_independent(index, as_Add=False)
    if varying.has(KroneckerDelta):
        return resolve(constant * deltasummation(varying, tuple(limits), no_piecewise=True))
    if varying == 1:
        return constant * (limits[2] - limits[1] + 1)
    return constant * Sum(varying, limits)


def at_gauge(expression: sympy.Expr, scores: IndexedBase, shift: IndexedBase) -> sympy.Expr:
    """The expression at S_ij = a_i: scores that are the same for every key."""
    return resolve(of_indexed(expression, scores, lambda query, key: shift[query]))


def canonical(expression: sympy.Basic, depth: int = 0) -> sympy.Basic:
    """Name the dummies of sums by their nesting, and order the indices of the symmetric C.

    sympy tells equal sums with different dummies apart; after this they cancel.
    """
    if isinstance(expression, Sum):
        names = [Symbol(f"d{depth + index}", integer=True) for index in range(len(expression.limits))]
        renamed = dict(zip((limit[0] for limit in reversed(expression.limits)), names, strict=True))
        limits = [(renamed[limit[0]], *limit[1:]) for limit in expression.limits]
        return Sum(canonical(expression.function.subs(renamed), depth + len(names)), *limits)
    if isinstance(expression, sympy.Indexed) and expression.base == C:
        return C[tuple(sorted(expression.indices, key=str))]
    if not expression.args or isinstance(expression, sympy.Indexed | sympy.Tuple):
        return expression
    return expression.func(*(canonical(part, depth) for part in expression.args))


def difference(observed: sympy.Expr, expected: sympy.Expr) -> sympy.Expr:
    """observed - expected, resolved and with dummies that can cancel: 0 when the two agree."""
    return sympy.expand(canonical(resolve(observed)) - canonical(resolve(expected)))


def ring_matrix(entries: Sequence[sympy.Expr | int]) -> sympy.Matrix:
    """The circulant matrix M_pq = entries[(q - p) mod L], for a number L."""
    length = len(entries)
    return sympy.Matrix(length, length, lambda p, q: entries[(q - p) % length])


def as_softmax(expression: sympy.Expr) -> sympy.Expr:
    """Every A_pq spelled out as e^{S_pq} / sum_m e^{S_pm}."""
    key = Symbol("m", integer=True, nonnegative=True)
    weight = lambda p, q: sympy.exp(S[p, q]) / total(sympy.exp(S[p, key]), key)
    return of_indexed(expression, A, weight)


def of_indexed(expression: sympy.Expr, base: IndexedBase, meaning: Callable[..., sympy.Expr]) -> sympy.Expr:
    """Every entry of `base` replaced by what its indices mean."""
    is_entry = lambda e: isinstance(e, sympy.Indexed) and e.base == base
    return expression.replace(is_entry, lambda e: meaning(*e.indices))


def differentiated(expression: sympy.Expr) -> sympy.Expr:
    """Every derivative taken; sums stay as they are written."""
    is_derivative = lambda e: isinstance(e, sympy.Derivative)
    return expression.replace(is_derivative, lambda e: e.expr.diff(*e.variable_count))


def spelled_out(expression: sympy.Expr, length: int) -> sympy.Expr:
    """The expression for a number L: every sum written out, every entry a symbol of its own."""
    return expression.subs(L, length).doit()
