"""C6 for symbolic L: one scalar value per token, any differentiable phi."""

from collections.abc import Iterator

import sympy
from sympy import IndexedBase, exp

from theory.symbolic.index_sums import L, S, a, at_gauge, b, difference, i, j, k, resolve, total, v, x

q, shift = IndexedBase("q", real=True), IndexedBase("alpha", real=True)
mean = total(x[j], j) / L


class bend(sympy.Function):
    """phi'', whose own derivative is never needed."""


class slope(sympy.Function):
    """phi', of a function that is not given."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """phi''."""
        return bend(self.args[0])


class phi(sympy.Function):
    """Any differentiable token-wise phi."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """phi'."""
        return slope(self.args[0])


def attended(query: sympy.Symbol) -> sympy.Expr:
    """H_i = v sum_j A_ij x_j at any S."""
    return v * total(exp(S[query, j]) * x[j], j) / total(exp(S[query, k]), k)


def gradient_of_any_feature() -> Iterator[sympy.Expr]:
    """From z = mean_i phi(x_i + H_i): the gradient at any S, then at S_ij = alpha_i."""
    gradient = resolve((total(phi(x[i] + attended(i)), i) / L).diff(S[a, b]))
    weight = exp(S[a, b]) / total(exp(S[a, k]), k)
    driven = slope(x[a] + attended(a)) * weight / L * (v * x[b] - attended(a))
    yield difference(gradient, driven)
    law = slope(x[a] + v * mean) * v * (x[b] - mean) / L**2
    yield difference(at_gauge(gradient, S, shift), law)


def law_at(query: sympy.Expr) -> sympy.Expr:
    """(1/L^2) q v (x_b - xbar) for one query's q."""
    return query * v * (x[b] - mean) / L**2


def centred_part() -> Iterator[sympy.Expr]:
    """The law less its mean over queries is (q_a - qbar) v (x_b - xbar) / L^2, and its rows sum to 0."""
    average = total(q[i], i) / L
    centred = law_at(q[a]) - total(law_at(q[i]), i) / L
    yield difference(centred, law_at(q[a] - average))
    yield difference(total(law_at(q[a]), b), sympy.Integer(0))


def second_degree() -> Iterator[sympy.Expr]:
    """q_i = p + m (x_i + v xbar): the centred part is m v (x_a - xbar)(x_b - xbar) / L^2, symmetric."""
    p, m = sympy.symbols("p m", real=True)
    query = lambda position: p + m * (x[position] + v * mean)
    centred = resolve(law_at(query(a)) - total(law_at(query(i)), i) / L)
    yield difference(centred, m * v * (x[a] - mean) * (x[b] - mean) / L**2)
    yield difference(centred, centred.subs({a: b, b: a}, simultaneous=True))


def linear_feature_is_blind() -> Iterator[sympy.Expr]:
    """phi(h) = p h: at any S the gradient is that without the residual, at equal scores a key bias."""
    p = sympy.Symbol("p", real=True)
    gradient, plain = (
        resolve((total(p * (here + attended(i)), i) / L).diff(S[a, b])) for here in (x[i], sympy.Integer(0))
    )
    yield difference(gradient, plain)
    uniform = at_gauge(gradient, S, shift)
    yield difference(uniform, total(uniform.subs(a, i), i) / L)
