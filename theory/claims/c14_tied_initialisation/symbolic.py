"""C14 in symbols: tied scores are a Gram matrix; their mean, and the exponential of a Gaussian product."""

import sympy
from sympy import IndexedBase, KroneckerDelta, Rational, Sum

from theory.symbolic.index_sums import a, b, i, j, k, resolve

LARGEST_EXACT = 6
SERIES = 5
P = IndexedBase("P", real=True)
width, features, variance = sympy.symbols("d d_k sigma_W^2", positive=True, integer=True)
own, shared = sympy.symbols("kappa0 kappa", positive=True)


def diagonal_is_the_largest():
    """L = 2..6, any q_i: sum_i q_i.q_i - q_i.q_{p(i)} is half a sum of squares, for cyclic shifts p."""
    for length in range(2, LARGEST_EXACT + 1):
        queries = [sympy.symbols(f"q{index}_0:2") for index in range(length)]
        dot = lambda left, right: sum(x * y for x, y in zip(left, right, strict=True))
        for shift in range(1, length):
            pairs = [(queries[index], queries[(index + shift) % length]) for index in range(length)]
            fall = sum(dot(here, here) - dot(here, there) for here, there in pairs)
            squares = sum((x - y) ** 2 for pair in pairs for x, y in zip(*pair, strict=True))
            yield sympy.expand(fall - squares / 2)


def mean_score():
    """Symbolic d and k: sum_c sum_ab P_ia P_jb E W_ac W_bc, tied; E = sigma^2 delta_ab per column c."""
    second = variance * KroneckerDelta(a, b)
    expectation = Sum(
        Sum(Sum(P[i, a] * P[j, b] * second, (b, 0, width - 1)), (a, 0, width - 1)), (k, 0, features - 1)
    )
    yield sympy.expand(resolve(expectation) - features * variance * Sum(P[i, a] * P[j, a], (a, 0, width - 1)))


def sinusoids_have_a_kernel():
    """sin(w i) sin(w j) + cos(w i) cos(w j) = cos(w (i - j))."""
    w = sympy.Symbol("omega", real=True)
    waves = sympy.sin(w * i) * sympy.sin(w * j) + sympy.cos(w * i) * sympy.cos(w * j)
    yield sympy.expand(sympy.expand_trig(sympy.cos(w * i - w * j)) - waves)


def product_moment(order: int) -> sympy.Expr:
    """E (x y)^n, x and y Gaussian of variance kappa0 and covariance kappa: y = (kappa/kappa0) x + noise."""
    left = own - shared**2 / own
    moment = lambda power: sympy.factorial2(power - 1) if power % 2 == 0 else sympy.Integer(0)
    terms = (
        sympy.binomial(order, up)
        * (shared / own) ** (order - up)
        * left ** Rational(up, 2)
        * moment(up)
        * own ** Rational(2 * order - up, 2)
        * moment(2 * order - up)
        for up in range(0, order + 1, 2)
    )
    return sum(terms, sympy.Integer(0))


def exponential_of_a_product():
    """E e^(t x y) = [(1 - t kappa)^2 - t^2 kappa0^2]^(-1/2): the moments up to the fifth, exactly.

    And the first two derivatives of its k-th power at t = sigma^2/sqrt(k): mean and variance of a score.
    """
    t = sympy.Symbol("t", real=True)
    closed = ((1 - t * shared) ** 2 - t**2 * own**2) ** Rational(-1, 2)
    for order in range(1, SERIES + 1):
        yield sympy.expand(closed.diff(t, order).subs(t, 0) - sympy.expand(product_moment(order)))
    logarithm = features * sympy.log(closed).subs(t, t / sympy.sqrt(features))
    yield sympy.expand(logarithm.diff(t).subs(t, 0) - sympy.sqrt(features) * shared)
    yield sympy.expand(logarithm.diff(t, 2).subs(t, 0) - own**2 - shared**2)
