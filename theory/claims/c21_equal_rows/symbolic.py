"""C21 in symbols: equal gradient rows, the updates that keep them, and the symmetry behind both."""

import itertools

import sympy
from sympy import IndexedBase, exp

from theory.symbolic.index_sums import L, S, a, b, difference, j, k, of_indexed, s, total

LARGEST_EXACT = 4

alpha, beta = IndexedBase("alpha", real=True), IndexedBase("beta", real=True)


def at_equal_rows(expression: sympy.Expr) -> sympy.Expr:
    """The expression at S_ij = alpha_i + beta_j; e^{alpha_i} is a factor of both sums of a softmax."""
    return of_indexed(expression, S, lambda query, key: alpha[query] + beta[key])


def gradient_rows_are_equal():
    """Symbolic L: H_a does not know its query, so t_ab = q(H_a)^T V x_b does not, nor does G_ab."""
    written = total(exp(S[a, j]) * s[j], j) / total(exp(S[a, k]), k)
    yield difference(at_equal_rows(written), total(exp(beta[j]) * s[j], j) / total(exp(beta[k]), k))
    weight = exp(S[a, b]) / total(exp(S[a, k]), k)
    shared = exp(beta[b]) / total(exp(beta[k]), k)
    row = shared / L * (s[b] - total(exp(beta[j]) * s[j], j) / total(exp(beta[k]), k))
    yield difference(at_equal_rows(weight / L * (s[b] - written)), row)


def updates_keep_rows_equal():
    """Two queries whose scores and momenta differ by numbers free of the key; one step later they still do.

    U is any function of the common gradient history: Adam's step, for example.
    """
    bias, gradient, memory, update = sympy.symbols("beta_j g_j m_j U_j")
    rows, momenta = sympy.symbols("alpha_0 alpha_1"), sympy.symbols("n_0 n_1")
    rate, friction, coupled, decoupled = sympy.symbols("eta mu lambda kappa")
    after = lambda row, extra: (
        (1 - rate * decoupled) * (row + bias)
        - rate * (friction * (memory + extra) + gradient + coupled * (row + bias) + update)
    )
    apart = after(rows[0], momenta[0]) - after(rows[1], momenta[1])
    yield from (sympy.diff(apart, each) for each in (bias, gradient, memory, update))


def permuting_queries_changes_nothing():
    """L = 2..4, any phi and any head f: the pooled vector of permuted queries is the same."""
    phi, head = sympy.Function("phi"), sympy.Function("f")
    for length in range(2, LARGEST_EXACT + 1):
        scores = sympy.Matrix(length, length, lambda p, q: sympy.Symbol(f"S{p}{q}"))
        written = [
            phi(
                sum(exp(scores[p, q]) * sympy.Symbol(f"s{q}") for q in range(length))
                / sum(map(exp, scores.row(p)))
            )
            for p in range(length)
        ]
        for order in itertools.permutations(range(length)):
            yield head(sum(written[p] for p in order)) - head(sum(written))
