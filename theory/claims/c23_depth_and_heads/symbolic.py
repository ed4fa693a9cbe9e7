"""C23 in symbols: what two layers let through, and the ranks of all gradients in exact arithmetic."""

import sympy
from sympy import IndexedBase

from theory.symbolic.index_sums import L, a, b, difference, i, j, k, total

LARGEST_EXACT = 6

lower, upper = IndexedBase("A", real=True), IndexedBase("P", real=True)
s, onward = IndexedBase("s", real=True), IndexedBase("o", real=True)
stream, direct = IndexedBase("e", real=True), IndexedBase("f", real=True)


def slope_of_two_layers():
    """Symbolic L: u^T z through both layers; its slope in A_ab is s_b / L + c(S_2)_a o_b.

    e = u^T x, s = u^T V_1 x, f = u^T V_2 x, o = u^T V_2 V_1 x, key by key; P is the upper layer's A.
    """
    written = lambda position: total(lower[position, k] * s[k], k)
    passed_on = lambda position: direct[position] + total(lower[position, k] * onward[k], k)
    read = total(stream[i] + written(i) + total(upper[i, j] * passed_on(j), j), i) / L
    yield difference(read.diff(lower[a, b]), s[b] / L + total(upper[i, a], i) * onward[b] / L)


def positive_rows(length: int, shift: int) -> sympy.Matrix:
    """Rational weights, each row summing to 1."""
    counts = sympy.Matrix(length, length, lambda p, q: 1 + (p * p + 3 * p * q + 2 * q + shift * p) % 7)
    return sympy.diag(*(sympy.Rational(1, sum(counts.row(p))) for p in range(length))) * counts


def gradient(weights: sympy.Matrix, response: sympy.Matrix) -> list[sympy.Expr]:
    """A_ij (t_ij - sum_k A_ik t_ik), flattened."""
    weighted = weights.multiply_elementwise(response)
    means = weighted * sympy.ones(weights.rows, 1)
    return list(weighted - weights.multiply_elementwise(means * sympy.ones(1, weights.rows)))


def unit_row(length: int, key: int, by_query: list[sympy.Expr]) -> sympy.Matrix:
    """t_ij = by_query_i at one key, 0 at the others."""
    return sympy.Matrix(length, length, lambda p, q: by_query[p] if q == key else 0)


def ranks_of_two_layers():
    """L = 3..6, rational weights: gradients for s and o at each key in turn."""
    for length in range(3, LARGEST_EXACT + 1):
        weights, ones = positive_rows(length, 1), [sympy.Rational(1, length)] * length
        uneven = list(sympy.ones(1, length) * positive_rows(length, 2) / length)
        for received, rank in ((uneven, 2), (ones, 1)):
            rows = [
                gradient(weights, unit_row(length, key, by_query))
                for key in range(length)
                for by_query in (ones, received)
            ]
            yield sympy.Integer(sympy.Matrix(rows).rank() - rank * (length - 1))


def ranks_of_heads():
    """L = 3..6: two heads with (s^1_j, s^2_j) free, and on a line, as for V_2 = 2 V_1."""
    for length in range(3, LARGEST_EXACT + 1):
        heads, flat = [positive_rows(length, shift) for shift in (1, 2)], [sympy.Integer(1)] * length
        for span, rank in ((((1, 0), (0, 1)), 2), (((1, 2),), 1)):
            rows = [
                [
                    scale * entry
                    for scale, weights in zip(scales, heads, strict=True)
                    for entry in gradient(weights, unit_row(length, key, flat))
                ]
                for key in range(length)
                for scales in span
            ]
            yield sympy.Integer(sympy.Matrix(rows).rank() - rank * (length - 1))
