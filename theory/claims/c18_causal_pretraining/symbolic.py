"""C18 in symbols: one causal query with any number of keys, every lag for small L, and two certificates."""

import sympy
from sympy import IndexedBase, Symbol

from theory.symbolic.index_sums import L, b, difference, j, k, resolve, total, v, x

LARGEST_EXACT = 6
LONGEST_CERTIFICATE = 9
skip = Symbol("w", real=True)


def one_query():
    """Symbolic number of keys (L here): -dl/dg_b at g = 0 is (v/L) residual (x_b - mean x)."""
    scores, (target, own) = IndexedBase("g", real=True), sympy.symbols("t q", real=True)
    weight = sympy.exp(scores[j]) / total(sympy.exp(scores[k]), k)
    residual = target - skip * own - v * total(weight * x[j], j)
    slope = resolve((residual**2 / 2).diff(scores[b]))
    is_score = lambda e: isinstance(e, sympy.Indexed) and e.base == scores
    flat = slope.replace(is_score, lambda e: sympy.Integer(0))
    mean = total(x[j], j) / L
    yield difference(-flat, v / L * (target - skip * own - v * mean) * (x[b] - mean))


def line_covariance(length: int) -> tuple[sympy.Matrix, list[Symbol]]:
    """A stationary covariance on a line, and its lags, every one a symbol."""
    lags = list(sympy.symbols(f"c0:{length}"))
    return sympy.Matrix(length, length, lambda p, q: lags[abs(p - q)]), lags


def residual_for_each_length():
    """L = 2..6: e_i^T C against C(r) - w C(r-1) - (v/m) sum_s C(s - r), every covariance spelled out."""
    for length in range(2, LARGEST_EXACT + 1):
        covariance, lags = line_covariance(length)
        for keys in range(1, length):
            error = sympy.zeros(1, length)
            error[keys], error[keys - 1] = 1, -skip
            for key in range(keys):
                error[key] -= v / keys
            for lag in range(1, keys + 1):
                among = sum(lags[abs(other - lag)] for other in range(1, keys + 1))
                claimed = lags[lag] - skip * lags[lag - 1] - v * among / keys
                yield sympy.expand((error * covariance)[keys - lag] - claimed)


def markov_residual_ignores_the_past():
    """Certificate: for C(r) = rho^r the residual of w = rho, v = 0 is uncorrelated with every lag r >= 1.

    So dl/dw = dl/dv = dl/dS = 0 whatever the attention, and the loss is the innovation's, (1 - rho^2)/2.
    """
    correlation, lag = Symbol("rho", positive=True), Symbol("r", integer=True, positive=True)
    covariance = lambda r: correlation**r
    yield sympy.simplify(covariance(lag) - correlation * covariance(lag - 1))
    error = covariance(0) - 2 * correlation * covariance(1) + correlation**2 * covariance(0)
    yield sympy.expand(error - (1 - correlation**2))


def overlap_matrix(length: int) -> sympy.Matrix:
    """The overlap at small v as a map of C(1..L-1): n_j ~ sum_{m > j} (C(m-j) - mean_{s <= m} C(s)) / m^2."""
    matrix = sympy.zeros(length - 1, length - 1)
    for key in range(length - 1):
        for keys in range(key + 1, length):
            matrix[key, keys - key - 1] += sympy.Rational(1, keys**2)
            for lag in range(keys):
                matrix[key, lag] -= sympy.Rational(1, keys**3)
    return matrix


def only_equal_covariances_are_orthogonal():
    """Certificate, L = 3..9: the overlap has rank L - 2, its kernel the constants, in rationals."""
    for length in range(3, LONGEST_CERTIFICATE + 1):
        matrix = overlap_matrix(length)
        yield sympy.Integer(matrix.rank() - (length - 2))
        yield from matrix * sympy.ones(length - 1, 1)


def labels_see_one_number_per_key():
    """Certificate, L = 2..9: s -> (1/(L m)) (s_j - mean_{k < m} s_k), the label gradient, has rank L - 1."""
    for length in range(2, LONGEST_CERTIFICATE + 1):
        rows = []
        for keys in range(1, length + 1):
            centring = sympy.eye(keys) - sympy.ones(keys) / keys
            rows.append(centring.row_join(sympy.zeros(keys, length - keys)) / (length * keys))
        yield sympy.Integer(sympy.Matrix.vstack(*rows).rank() - (length - 1))
