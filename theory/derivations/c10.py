"""C10: from the masked loss's slope at uniform attention to the proximity law, by stationarity."""

from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Symbol, expand

from theory.claims.index_sums import L, S, b, difference, k, of_indexed, resolve, total, v
from theory.derivations.derivation import Derivation, Step

R, K, C = (IndexedBase(name, real=True) for name in ("R", "K", "C"))
T, loss = Symbol("T", real=True), Symbol("l", real=True)
other = lambda lag: 1 - KroneckerDelta(lag, 0)

pull_back = (total(R[k], k) / L - R[b]) / L**2
response = lambda key: other(key) * (v**2 * total(other(k) / L * K[k, key], k) - v * K[0, key])
stationary = lambda key: other(key) * (v**2 * (T - C[key]) / L - v * C[key])
in_moments = (total(other(b) * (v**2 * (T - C[b]) / L - v * C[b]), b) / L - stationary(b)) / L**2
mean = (T - C[0]) / L
law = (v * (1 + v / L) * (other(b) * C[b] - mean) - v**2 * T / L * (other(b) - (L - 1) / L)) / L**2


def the_response_is_stationary():
    """R at query 0, with sum_k K_kb = T and K_0b = C(b): both forms, at lag 0 and off it."""
    spelled = resolve(response(b)).subs({total(K[k, b], k): T, K[0, b]: C[b]})
    yield from at_lag_zero_and_off_it(spelled - stationary(b))
    yield difference(of_indexed(pull_back, R, stationary), in_moments)


def the_sum_over_lags_is_known():
    """sum_b C(b) = T."""
    yield from at_lag_zero_and_off_it(resolve(in_moments).subs(total(C[b], b), T) - law)


def at_lag_zero_and_off_it(gap):
    """A delta against lag 0 is 1 or 0."""
    yield expand(resolve(gap).subs(b, 0))
    yield expand(resolve(gap).subs(KroneckerDelta(b, 0), 0))


DERIVATION = Derivation(
    label="C10",
    given=(
        (
            Eq(R[b], response(b), evaluate=False),
            "The loss's slope in the weight of query 0 for key b, times L (C8), at uniform attention; K_kb "
            "= E x_k x_b.",
        ),
        (
            Eq(K[0, b], C[b], evaluate=False),
            "Cyclic stationarity: all queries are alike, so query 0 stands for each.",
        ),
        (
            Eq(T, total(K[k, b], k), evaluate=False),
            "The sum of the autocovariance over all lags, lag 0 included.",
        ),
    ),
    target=-Derivative(loss, S[0, b]),
    steps=(
        Step(
            pull_back, "Minus the softmax's pull-back (A_0b/L)(R_b - sum_k A_0k R_k), with every weight 1/L."
        ),
        Step(
            in_moments,
            "By stationarity R_b = v^2 (T - C(b))/L - v C(b) off lag 0, and 0 on it.",
            differences=the_response_is_stationary,
        ),
        Step(
            law,
            "The sum over lags of C is T; what multiplies v (1 + v/L) is C off lag 0 against its mean.",
            differences=the_sum_over_lags_is_known,
        ),
    ),
    conclusion=(
        "To leading order in 1/L scores move along v (C0(r) - mean C0)/L^2, the data's own autocovariance "
        "with lag 0 left out: toward near keys when neighbours are alike and v > 0."
    ),
)
