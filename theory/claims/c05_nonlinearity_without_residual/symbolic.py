"""C5 for symbolic L: one scalar value per token, any twice differentiable phi."""

from collections.abc import Iterator

import sympy
from sympy import IndexedBase, Sum, exp

from theory.claims.c06_nonlinearity_with_residual.symbolic import attended, bend, mean, phi, shift, slope
from theory.symbolic.index_sums import L, S, a, at_gauge, b, difference, i, j, k, resolve, total, v, x

D = IndexedBase("D", real=True)
t = sympy.Symbol("t", real=True)


def gradient_is_a_key_bias() -> Iterator[sympy.Expr]:
    """z = mean_i phi(H_i) at S_ij = alpha_i: phi'(h) v (x_b - xbar) / L^2, the same for every query."""
    gradient = resolve((total(phi(attended(i)), i) / L).diff(S[a, b]))
    uniform = at_gauge(gradient, S, shift)
    yield difference(uniform, slope(v * mean) * v * (x[b] - mean) / L**2)
    yield difference(uniform, total(uniform.subs(a, i), i) / L)


def weight_along(key: sympy.Symbol) -> sympy.Expr:
    """A_{i, key} at S = t D."""
    return exp(t * D[i, key]) / total(exp(t * D[i, k]), k)


def without_row_sums(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every row sum of D set to 0."""
    is_row = lambda e: isinstance(e, Sum) and e.function == D[i, e.limits[0][0]]
    return sympy.expand(resolve(expression).replace(is_row, lambda e: sympy.Integer(0)))


def weights_along_a_centred_direction() -> Iterator[sympy.Expr]:
    """At t = 0: A' = D / L and A'' = (D_ij^2 - mean_k D_ik^2) / L, where rows of D sum to 0."""
    first, second = (without_row_sums(weight_along(j).diff(t, order).subs(t, 0)) for order in (1, 2))
    yield difference(first, D[i, j] / L)
    yield difference(second, (D[i, j] ** 2 - total(D[i, k] ** 2, k) / L) / L)


def curvature_of_any_feature() -> Iterator[sympy.Expr]:
    """One query's second derivative: phi'' (H_i')^2 + phi' H_i'', H_i' = (v/L) sum_j D_ij x_j."""
    written = phi(v * total(weight_along(j) * x[j], j))
    curvature = without_row_sums(written.diff(t, 2).subs(t, 0))
    moved = v * total(D[i, j] * x[j], j) / L
    turned = v * total((D[i, j] ** 2 - total(D[i, k] ** 2, k) / L) * x[j], j) / L
    yield difference(curvature, bend(v * mean) * moved**2 + slope(v * mean) * turned)


def slope_along_a_centred_direction() -> Iterator[sympy.Expr]:
    """Certificate: dz/dt = phi'(h) sum_i H_i' / L, whose coefficient of every x_b is a column sum of D."""
    written = without_row_sums(phi(v * total(weight_along(j) * x[j], j)).diff(t).subs(t, 0))
    coefficient = resolve(total(written.diff(x[b]).subs(bend(v * mean), 0), i))
    is_column = lambda e: isinstance(e, Sum) and e.function == D[e.limits[0][0], b]
    yield sympy.expand(coefficient.replace(is_column, lambda e: sympy.Integer(0)))


def circulant_keeps_attention_uniform() -> Iterator[sympy.Expr]:
    """Certificate: for circulant D the received attention has no second derivative either, L = 2..8."""
    for length in range(2, 9):
        kernel = sympy.symbols(f"d0:{length}", real=True)
        squares = [[kernel[(q - p) % length] ** 2 for q in range(length)] for p in range(length)]
        for key in range(length):
            column = sum(row[key] for row in squares)
            yield sympy.expand(column - sum(sum(row) for row in squares) / length)
