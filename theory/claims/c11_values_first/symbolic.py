"""C11 in symbols: the value's flow at uniform attention, the paths of both, and their time scales."""

import sympy
from sympy import IndexedBase, KroneckerDelta

from theory.claims.c10_proximity_law.claim import law_symbol
from theory.symbolic.index_sums import C, L, a, b, k, resolve, total, v

everything, variance, near = sympy.symbols("T C0 c_r", real=True)
t, start, limit_value = sympy.symbols("t v_0 v_star", real=True)
rate = sympy.Symbol("kappa", positive=True)
RATE = ((L - 2) * everything + variance) / L**2
SETTLED = L * (everything - variance) / ((L - 2) * everything + variance)


def value_slope():
    """Symbolic L: v b^T C b - b.c at b = 1/L off lag 0 is kappa (v - v*), with row sums T of C."""
    matrix, other = IndexedBase("K", real=True), lambda lag: 1 - KroneckerDelta(lag, 0)
    power = resolve(total(total(other(k) * other(b) * matrix[k, b], k), b)) / L**2
    everywhere = {
        total(matrix[k, b], k, b): L * everything,
        total(total(matrix[k, b], k), b): L * everything,
        total(matrix[0, b], b): everything,
        total(matrix[k, 0], k): everything,
        matrix[0, 0]: variance,
    }
    agreement = resolve(total(other(b) * C[b], b)) / L
    agreement = agreement.subs({total(C[b], b): everything, C[0]: variance})
    slope = v * sympy.expand(power).subs(everywhere) - agreement
    yield sympy.cancel(sympy.expand(slope - RATE * (v - SETTLED)))


def balanced_data_stay():
    """Where sum_{r != 0} C(r) = 0, v = 0 and uniform attention: both gradients are the number 0."""
    yield (RATE * (v - SETTLED)).subs(everything, variance).subs(v, 0)
    law = law_symbol(a, C, everything, L)
    yield sympy.expand(law.subs(v, 0))


def paths_solve_the_flow():
    """dv/dt = -kappa (v - v*), and d/dt of both integrals is v and v^2; all right at t = 0."""
    away, decay = start - limit_value, sympy.exp(-rate * t)
    path = limit_value + away * decay
    once, twice = (1 - decay) / rate, (1 - decay**2) / (2 * rate)
    first = limit_value * t + away * once
    second = limit_value**2 * t + 2 * limit_value * away * once + away**2 * twice
    yield sympy.expand(path.diff(t) + rate * (path - limit_value))
    yield path.subs(t, 0) - start
    for integral, power in ((first, 1), (second, 2)):
        yield sympy.expand(integral.diff(t) - path**power)
        yield integral.subs(t, 0)
    from_zero = first.subs(start, 0)
    yield sympy.expand(from_zero.diff(t, 2).subs(t, 0) - rate * limit_value)


def ratio_grows_with_length():
    """Symbolic L: kappa over the law at v*, over L, tends to T^2/((T - C0) c_r) off lag 0."""
    law = law_symbol(b, C, everything, L).subs(KroneckerDelta(b, 0), 0)
    law = law.subs({C[b]: near, C[0]: variance}).subs(v, SETTLED)
    ratio = sympy.cancel(RATE / law / L)
    yield sympy.cancel(sympy.limit(ratio, L, sympy.oo) - everything**2 / ((everything - variance) * near))
