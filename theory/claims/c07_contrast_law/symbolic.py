"""C7 in symbols: one statistic for both losses, its signal and noise, and classes that agree in pairs."""

import itertools
from collections.abc import Iterator

import sympy
from sympy import IndexedBase

from theory.symbolic.index_sums import L, S, difference, j, k, resolve, total, v
from theory.symbolic.index_sums import i as query_index

a, b, c, d = sympy.symbols("a b c d", integer=True, nonnegative=True)
x = IndexedBase("x", real=True)
m = sympy.Symbol("xbar", real=True)

RING = (0, 0, 1, 0, 1, 1)
"""A ring that differs from its mirror image, though all its pairs agree."""


def label_response(query: sympy.Symbol, key: sympy.Symbol) -> sympy.Expr:
    """L^2/v dz/dS_ab at uniform attention for phi(h) = h^2/2 [C6]."""
    return (x[query] + v * m) * (x[key] - m)


def reconstruction_response(query: sympy.Symbol, key: sympy.Symbol) -> sympy.Expr:
    """L^2/v times the pull on S_ab off the diagonal: residual of the masked query times the key [C8]."""
    return (x[query] - v * (L * m - x[query]) / L) * x[key]


def weight(query: sympy.Symbol, key: sympy.Symbol) -> sympy.Expr:
    """A_ij = e^{S_ij} / sum_k e^{S_ik}."""
    return sympy.exp(S[query, key]) / total(sympy.exp(S[query, k]), k)


def at_uniform(expression: sympy.Expr) -> sympy.Expr:
    """The expression at S = 0, of different positions a and b."""
    is_score = lambda e: isinstance(e, sympy.Indexed) and e.base == S
    return resolve(expression.replace(is_score, lambda e: sympy.Integer(0))).subs(
        sympy.KroneckerDelta(a, b), 0
    )


def responses_by_differentiation() -> Iterator[sympy.Expr]:
    """Both responses from the losses themselves; the masked one less its value at another key d."""
    i, total_tokens = query_index, total(x[j], j)
    attended = v * total(weight(i, j) * x[j], j)
    pooled = total((x[i] + attended) ** 2 / 2, i) / L
    slope = at_uniform(resolve(pooled.diff(S[a, b]))) * L**2 / v
    yield difference(slope, label_response(a, b).subs(m, total_tokens / L))
    error = (x[i] - attended + v * weight(i, i) * x[i]) ** 2 / 2
    pull = -at_uniform(resolve((total(error, i) / L).diff(S[a, b]))) * L**2 / v
    claimed = reconstruction_response(a, b).subs(m, total_tokens / L)
    gap = pull - claimed
    yield difference(gap, gap.subs(b, d))


def one_statistic() -> Iterator[sympy.Expr]:
    """Both differ from a multiple of x_a x_b by f(a) + g(b), which doubly centred directions ignore."""
    for response, factor in ((label_response, 1), (reconstruction_response, 1 + v / L)):
        rest = lambda p, q, r=response, f=factor: r(p, q) - f * x[p] * x[q]
        yield sympy.expand(rest(a, b) - rest(a, d) - rest(c, b) + rest(c, d))


def signal_to_noise() -> Iterator[sympy.Expr]:
    """Squared mean over variance of (tau - s) q and of q, from the classes' means and variances."""
    tau, kappa, omega, delta, mean = sympy.symbols("tau kappa omega delta m", real=True)
    signs = (1, -1)
    means = [mean * (1 + s * kappa) for s in signs]
    squares = [mean**2 * (omega + s * delta) + each**2 for s, each in zip(signs, means, strict=True)]
    average = lambda values: sum(values) / 2
    noise = (1 - tau * kappa) ** 2 + (1 + tau**2) * omega - 2 * tau * delta
    label = average([(tau - s) * each for s, each in zip(signs, means, strict=True)])
    power = average([(tau - s) ** 2 * each for s, each in zip(signs, squares, strict=True)])
    yield sympy.expand(label**2 - (kappa - tau) ** 2 * mean**2)
    yield sympy.expand(power - label**2 - noise * mean**2)
    yield sympy.expand(average(squares) - average(means) ** 2 - (kappa**2 + omega) * mean**2)


def gaussian_variance() -> Iterator[sympy.Expr]:
    """L = 2, 3: Var x^T D x = 2 tr(D C D C), fourth moments from the generating function."""
    slots = sympy.symbols("t0:4", real=True)
    pair = lambda p, q: sympy.Symbol(f"C{min(p, q)}{max(p, q)}", real=True)
    exponent = sum(pair(p, q) * slots[p] * slots[q] for p in range(4) for q in range(4)) / 2
    series = sum(exponent**power / sympy.factorial(power) for power in (1, 2))
    fourth = sympy.Poly(sympy.expand(series), *slots).coeff_monomial(sympy.prod(slots))
    wick = lambda p, q, r, s: pair(p, q) * pair(r, s) + pair(p, r) * pair(q, s) + pair(p, s) * pair(q, r)
    yield sympy.expand(fourth - wick(0, 1, 2, 3))
    for length in (2, 3):
        slots = range(length)
        direction = sympy.Matrix(length, length, lambda p, q: sympy.Symbol(f"D{min(p, q)}{max(p, q)}"))
        spread = direction * sympy.Matrix(length, length, pair)
        square = sum(
            direction[p, q] * direction[r, s] * wick(p, q, r, s)
            for p, q, r, s in itertools.product(slots, repeat=4)
        )
        yield sympy.expand(square - spread.trace() ** 2 - 2 * (spread * spread).trace())


def mirror_images_share_all_pairs() -> Iterator[sympy.Expr]:
    """Certificate: a ring against its mirror image, in all rotations, any phi: label gradient 0.

    phi' at the two token values is free, as is v: sum over rotations of phi'(x_i + v xbar) (x_k - xbar).
    """
    slopes = sympy.symbols("p0 p1", real=True)
    half = sympy.Rational(sum(RING), len(RING))
    for lag in range(len(RING)):
        pull = lambda ring, r=lag: sum(
            slopes[ring[i]] * (ring[(i + r) % len(ring)] - half) for i in range(len(ring))
        )
        yield sympy.expand(pull(RING) - pull(RING[::-1]))


def second_degree_cannot_tell_mirror_images() -> Iterator[sympy.Expr]:
    """L = 3..6, any tokens: with phi'(h) = p + q h the mean pull of all rotations is even in the lag."""
    first_order, second_order = sympy.symbols("p q", real=True)
    for length in range(3, 7):
        ring = sympy.symbols(f"x0:{length}", real=True)
        mean = sum(ring) / length
        slopes = [first_order + second_order * (token + v * mean) for token in ring]
        pull = lambda lag, n=length, x=ring, s=slopes, m=mean: sum(
            s[i] * (x[(i + lag) % n] - m) for i in range(n)
        )
        yield from (sympy.expand(pull(lag) - pull(-lag)) for lag in range(1, length))
