"""C24 in symbols: the first slope under masks, the barrier at v = 0, and the flow at v of order sqrt(L)."""

import sympy
from sympy import IndexedBase, KroneckerDelta

from theory.symbolic.index_sums import C, L, S, b, difference, i, j, k, total, v, x
from theory.symbolic.index_sums import resolve as resolved

everything, variance, clock, start, hidden = sympy.symbols("T C0 tau v_0 p", real=True)
K, weights = IndexedBase("K", real=True), IndexedBase("B", real=True)
other = lambda lag: 1 - KroneckerDelta(lag, 0)


def masked_slope():
    """Symbolic L: dl/dv at uniform attention, E h_k h_b = q^2 + q p 1[k = b], against q rate (v - v*)."""
    visible = 1 - hidden
    both = visible**2 + visible * hidden * KroneckerDelta(k, b)
    power = resolved(total(total(other(k) * other(b) * both * K[k, b], k), b)) / L**2
    known = {
        total(K[k, b], k, b): L * everything,
        total(total(K[k, b], k), b): L * everything,
        total(K[0, b], b): everything,
        total(K[k, 0], k): everything,
        total(K[b, b], b): L * variance,
        K[0, 0]: variance,
    }
    agreement = resolved(total(other(b) * C[b], b)).subs({total(C[b], b): everything, C[0]: variance}) / L
    pairs = (L - 2) * everything + variance
    rate = (visible * pairs + hidden * (L - 1) * variance) / L**2
    limit = (everything - variance) / (L * rate)
    slope = v * sympy.expand(power).subs(known) - visible * agreement
    yield sympy.cancel(sympy.expand(slope - visible * rate * (v - limit)))


def barrier_at_zero():
    """The masked error at v = 0 is x_i^2/2 whatever the scores, and its slope in any score a multiple of v.

    From the softmax itself, masked token 0.
    """
    weight = lambda key: sympy.exp(S[i, key]) / total(sympy.exp(S[i, j]), j)
    guess = v * (total(weight(k) * x[k], k) - weight(i) * x[i])
    error = (x[i] - guess) ** 2 / 2
    yield error.subs(v, 0) - x[i] ** 2 / 2
    slope = error.diff(S[i, b])
    yield slope.subs(v, 0).doit()
    yield resolved(slope.diff(v).subs(v, 0)) - resolved((-x[i] * guess / v).diff(S[i, b]))


def excess_is_of_the_bag():
    """Symbolic L: (1/L) sum over pairs of E x_i x_j = E (sum_i x_i)^2 / L - C(0), L C(0) = sum_i K_ii."""
    pairs = total((1 - KroneckerDelta(i, j)) * K[i, j], j, i) / L
    yield difference(pairs, total(K[i, j], j, i) / L - total(K[i, i], i) / L)


def scores_follow_the_clock():
    """S = -log(1 - c tau) solves dS/dtau = c e^S, v^2 = v_0^2 - 2 L sum log(1 - c tau) solves d(v^2)/dtau.

    v dv/dt = v (1/L) sum_r C(r) e^{S_r} and dtau = v dt/L^2.
    """
    lag = C[k]
    scores = -sympy.log(1 - lag * clock)
    yield sympy.simplify(scores.diff(clock) - lag * sympy.exp(scores))
    yield scores.subs(clock, 0)
    squared = start**2 + 2 * L * total(scores, k)
    pull = total(lag * sympy.exp(scores), k) / L
    yield difference(squared.diff(clock), 2 * L**2 * pull)


def weak_balance_needs_little():
    """The largest sum_r log(1 - c_r tau), to second order in tau: m^2 / (2 sum c_r^2), at -m / sum c_r^2."""
    small, squares = sympy.symbols("m Q", real=True)
    surplus = -small * clock - squares * clock**2 / 2  # sum log(1 - c tau), sum c = m, sum c^2 = Q
    best = sympy.solve(surplus.diff(clock), clock)
    yield sympy.Integer(len(best) - 1)
    yield sympy.cancel(surplus.subs(clock, best[0]) - small**2 / (2 * squares))
    yield difference(
        sympy.log(1 - C[k] * clock).series(clock, 0, 3).removeO(), -C[k] * clock - C[k] ** 2 * clock**2 / 2
    )
