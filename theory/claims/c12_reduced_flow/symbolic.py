"""C12 in symbols: the reduced response, and the minimum on a Markov ring."""

import sympy

from theory.symbolic.index_sums import ring_matrix

LARGEST_EXACT = 8
rho = sympy.Symbol("rho", positive=True)


def full_response_is_the_reduced_one():
    """L = 3..6: v^2 B C - v C, row by row, is the circulant of v^2 C b - v c, for symbols a, c, v.

    With the softmax pull-back (the same row by row) this is dl/dg_r = L dl/dS_{i,i+r}.
    """
    value = sympy.Symbol("v")
    for length in range(3, 7):
        half, weights = sympy.symbols(f"c0:{length // 2 + 1}"), sympy.symbols(f"b1:{length}")
        lags, kernel = [half[min(r, length - r)] for r in range(length)], [0, *weights]
        covariance = ring_matrix(lags)
        full = value**2 * ring_matrix(kernel) * covariance - value * covariance
        reduced = value**2 * covariance * sympy.Matrix(kernel) - value * sympy.Matrix(lags)
        yield from (sympy.expand(entry) for entry in full - ring_matrix(list(reduced)))


def neighbours_on_a_ring(length: int) -> list:
    """C(r) of the cyclic AR(1) process in the symbol rho."""
    return [(rho**r + rho ** (length - r)) / (1 + rho**length) for r in range(length)]


def conditional_variance(length: int) -> sympy.Expr:
    """Variance of a token given all others: the multiple of I below over the precision's diagonal."""
    return (1 - rho**2) * (1 - rho**length) / ((1 + rho**2) * (1 + rho**length))


def markov_precision():
    """L = 3..8: C times the precision (1 + rho^2) I - rho (shift + shift^T) is a multiple of I."""
    for length in range(3, LARGEST_EXACT + 1):
        precision = [1 + rho**2, -rho, *[0] * (length - 3), -rho]
        product = ring_matrix(precision) * sympy.Matrix(neighbours_on_a_ring(length))
        size = conditional_variance(length) * (1 + rho**2)
        yield from (
            sympy.cancel(entry - size * sympy.KroneckerDelta(r, 0)) for r, entry in enumerate(product)
        )


def nearest_neighbour_minimum():
    """L = 3..8: with lag-0 weight w and value v*/(1 - w) the loss is half the conditional variance."""
    lag_zero = sympy.Symbol("w")
    for length in range(3, LARGEST_EXACT + 1):
        lags = neighbours_on_a_ring(length)
        other_weights = sympy.zeros(length, 1)
        other_weights[1] = other_weights[-1] = (1 - lag_zero) / 2
        value = 2 * rho / (1 + rho**2) / (1 - lag_zero)
        agreement = (other_weights.T * sympy.Matrix(lags))[0]
        power = (other_weights.T * ring_matrix(lags) * other_weights)[0]
        loss = (lags[0] - 2 * value * agreement + value**2 * power) / 2
        yield sympy.cancel(loss - conditional_variance(length) / 2)
