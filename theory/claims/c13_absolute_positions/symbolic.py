"""C13 in symbols: centred encodings, the third order of the labels, the blocks of reconstruction."""

import itertools

import sympy
from sympy import IndexedBase, KroneckerDelta, exp

from theory.claims.c10_proximity_law.claim import law_symbol
from theory.symbolic.index_sums import C, L, a, b, difference, j, k, resolve, s, total, v

P, T, E = (IndexedBase(name, real=True) for name in "PTE")
m, n = sympy.symbols("m n", integer=True, nonnegative=True)  # columns of P
r = sympy.Symbol("r", integer=True, nonnegative=True)
LARGEST_EXACT = 12


def uniform_gradient():
    """(1/L^2)(s_b - mean s): the label gradient of C2 in S_ab at uniform attention."""
    return (s[b] - total(s[j], j) / L) / L**2


def centred_encodings_hide_the_scores():
    """Symbolic L: P^T G P is (P^T 1)_m times a row, and the number 0 once (P^T 1)_m is."""
    block = total(P[a, m] * total(P[b, n] * uniform_gradient(), b), a)
    row = total(P[b, n] * s[b], b) - total(P[b, n], b) * total(s[j], j) / L
    yield difference(block, total(P[a, m], a) * row / L**2)
    yield resolve(block).subs(total(P[a, m], a), 0)


def full_periods_are_centred():
    """L = 3..12, exact roots of unity: sum_i z^(fi) = 0, and sum_i z^(fi) z^(gi) = 0 unless f + g = 0.

    z is a root of the cyclotomic polynomial: a polynomial in z is 0 exactly when that divides it. The
    real and imaginary parts are the columns of P, so P^T 1 = 0 and P^T P is diagonal.
    """
    z = sympy.Symbol("z")
    for length in range(3, LARGEST_EXACT + 1):
        minimal = sympy.cyclotomic_poly(length, z)
        for frequency in range(1, length):
            waves = sum(z ** (frequency * i % length) for i in range(length))
            yield sympy.rem(waves, minimal, z)


def labels_wake_at_third_order():
    """Symbolic L: along S = e T with sum_b T_ab = 0, dG_ab/de at 0 is (T_ab t_b - mean_k T_ak t_k)/L^2.

    t = s - mean s. With T = P W P^T and P^T 1 = 0, P^T of the second term is 0.
    """
    e = sympy.Symbol("e", real=True)
    size = total(exp(e * T[a, k]), k)
    weighted = total(exp(e * T[a, k]) * s[k], k) / size
    slope = (exp(e * T[a, b]) / size * (s[b] - weighted) / L).diff(e).subs(e, 0)
    slope = resolve(slope.doit(deep=False)).subs(total(T[a, k], k), 0)
    contrast = lambda index: s[index] - total(s[j], j) / L
    claimed = (T[a, b] * contrast(b) - total(T[a, k] * contrast(k), k) / L) / L**2
    yield difference(slope, resolve(claimed).subs(total(T[a, k], k), 0))


def block_from_the_spectrum():
    """Symbolic L: sum_r law(r) E_r with E_0 = 1, sum E = 0 and sum C E = lambda, E_r = cos(w_f r)."""
    power, everything = sympy.symbols("lambda_f T", real=True)
    law = sympy.expand(law_symbol(r, C, everything, L))
    projection = resolve(total(sympy.expand(law * E[r]), r))
    projection = projection.subs({total(C[r] * E[r], r): power, total(E[r], r): 0}).subs(E[0], 1)
    along = v * (1 + v / L) * (power - C[0])
    yield sympy.expand(projection - (along + v**2 * everything / L) / L**2)


def blocks_do_not_mix():
    """L = 3..8: sum_ij z^(-fi) g(j-i) z^(hj) is 0 for f != h, and L ghat(f) for f = h, any g."""
    z = sympy.Symbol("z")
    for length in range(3, 9):
        kernel, minimal = sympy.symbols(f"g0:{length}"), sympy.cyclotomic_poly(length, z)
        for out in range(1, (length + 1) // 2):
            for into in range(1, (length + 1) // 2):
                wave = lambda pair, f=out, h=into: h * sum(pair) - f * pair[0]  # pair = (i, lag)
                pairs = itertools.product(range(length), repeat=2)
                coefficient = sum(kernel[pair[1]] * z ** (wave(pair) % length) for pair in pairs)
                own = sum(kernel[lag] * z ** (into * lag % length) for lag in range(length))
                yield sympy.rem(coefficient - length * KroneckerDelta(out, into) * own, minimal, z)
