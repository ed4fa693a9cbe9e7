"""C10: from the masked loss's slope at uniform attention to the proximity law, by stationarity."""

from collections.abc import Iterator

from sympy import Derivative, Eq, Expr, IndexedBase, KroneckerDelta, Symbol, expand, limit, oo, simplify

from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import L, S, b, difference, k, of_indexed, resolve, total, v

R, K, C = (IndexedBase(name, real=True) for name in ("R", "Gamma", "C"))
T, loss = Symbol("T", real=True), Symbol("l", real=True)
other = lambda lag: 1 - KroneckerDelta(lag, 0)

pull_back = (total(R[k], k) / L - R[b]) / L**2
response = lambda key: other(key) * (v**2 * total(other(k) / L * K[k, key], k) - v * K[0, key])
stationary = lambda key: other(key) * (v**2 * (T - C[key]) / L - v * C[key])
in_moments = (total(other(b) * (v**2 * (T - C[b]) / L - v * C[b]), b) / L - stationary(b)) / L**2
mean = (T - C[0]) / L
law = (v * (1 + v / L) * (other(b) * C[b] - mean) - v**2 * T / L * (other(b) - (L - 1) / L)) / L**2


def the_response_is_stationary():
    """R at query 0, with sum_k Gamma_kb = T and Gamma_0b = C(b): both forms, at lag 0 and off it."""
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


at_zero = L**2 * law.subs(b, 0)
repelled = v * (C[0] - T) / L + v**2 * T / L - v**2 * (2 * T - C[0]) / L**2
leading = (v * (C[0] - T) + v**2 * T) / L


def lag_zero_is_put_in() -> Iterator[Expr]:
    """b = 0, where both deltas are 1."""
    yield expand(at_zero - repelled)


def the_rest_is_small() -> Iterator[Expr]:
    """What is left out, times L, vanishes at L = infinity; and v = (T - C_0)/T is the root."""
    yield limit(L * (repelled - leading), L, oo)
    yield simplify(leading.subs(v, (T - C[0]) / T))


REPULSION = Chain(
    shows=("At lag 0 alone",),
    target=-(L**2) * Derivative(loss, S[0, 0]),
    steps=(
        Step(at_zero, "The law at lag 0."),
        Step(
            repelled,
            "The first term is the leading law there, the second what the masked token adds.",
            differences=lag_zero_is_put_in,
        ),
        Step(
            leading,
            "Both are of order 1/L, the rest of order 1/L^2.",
            scope="leading order in 1/L",
            differences=the_rest_is_small,
        ),
    ),
    conclusion="It is negative until v = (T - C_0)/T, that is (T - 1)/T at C_0 = 1.",
)

DERIVATION = Derivation(
    label="C10",
    given=(
        (
            Eq(R[b], response(b), evaluate=False),
            "The loss's slope in the weight of query 0 for key b, times L (C8), at uniform attention; Gamma_kb "
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
    shows=("At uniform attention the negative",),
    further=(REPULSION,),
    elsewhere=(
        ("To leading order in 1/L", ("the correction falls like 1/L",)),
        ("Positive, decreasing C", ("v > 0 pulls lag 1 most, v < 0 least",)),
        ("Relative to the largest entry", ("the correction falls like 1/L",)),
    ),
)
