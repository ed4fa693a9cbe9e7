"""C24 in symbols: the first slope under masks, the barrier at v = 0, and the flow at v of order sqrt(L)."""

import sympy
from sympy import IndexedBase, KroneckerDelta

from theory.claims.index_sums import C, L, b, difference, i, j, k, total, v
from theory.claims.index_sums import resolve as resolved

everything, variance, clock, start, hidden = sympy.symbols("T C0 tau v_0 p", real=True)
K, weights = IndexedBase("K", real=True), IndexedBase("B", real=True)
other = lambda lag: 1 - KroneckerDelta(lag, 0)


def masked_slope():
    """Symbolic L: dl/dv at uniform attention, E h_k h_b = q^2 + q p 1[k = b], against q rate (v - v*)."""
    seen = 1 - hidden
    both = seen**2 + seen * hidden * KroneckerDelta(k, b)
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
    rate = (seen * pairs + hidden * (L - 1) * variance) / L**2
    settled = (everything - variance) / (L * rate)
    found = v * sympy.expand(power).subs(known) - seen * agreement
    yield sympy.cancel(sympy.expand(found - seen * rate * (v - settled)))


def barrier_at_zero():
    """The reduced loss at v = 0 is C(0)/2 whatever the attention: no score enters."""
    agreement, power = total(weights[k] * C[k], k), total(weights[k] * weights[b] * K[k, b], k, b)
    loss = (variance - 2 * v * agreement + v**2 * power) / 2
    yield loss.subs(v, 0) - variance / 2
    yield from (sympy.diff(loss.subs(v, 0), weights[place]) for place in (k, b))


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
