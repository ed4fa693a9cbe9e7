"""C11, derived: the value's flow at uniform attention. Symbolic L."""

from collections.abc import Iterator

import sympy
from sympy import IndexedBase, KroneckerDelta

from theory.claims.c11_values_first.symbolic import RATE, SETTLED, everything, variance
from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import C, L, a, b, difference, k, total, v

B, K = (IndexedBase(name, real=True) for name in ("B", "Gamma"))
other = lambda lag: 1 - KroneckerDelta(lag, 0)
everywhere = total(K[k, a], k, a)

BY_WEIGHTS = v * total(B[k] * B[a] * K[k, a], k, a) - total(B[k] * C[k], k)
UNIFORM = v * total(other(k) * other(a) * K[k, a] / L**2, k, a) - total(other(k) * C[k] / L, k)
BY_SUMS = (v / L**2) * (everywhere - total(K[0, k], k) - total(K[k, 0], k) + K[0, 0]) - (
    total(C[k], k) - C[0]
) / L
STATIONARY = v * ((L - 2) * everything + variance) / L**2 - (everything - variance) / L


def weights_inserted() -> Iterator[sympy.Expr]:
    """Each B_k replaced by (1 - delta_k0)/L."""
    is_weight = lambda e: isinstance(e, sympy.Indexed) and e.base == B
    inserted = BY_WEIGHTS.replace(is_weight, lambda e: other(e.indices[0]) / L)
    yield difference(inserted, UNIFORM)


def stationarity_inserted() -> Iterator[sympy.Expr]:
    """Every row and column of Gamma, and C, sums to T; Gamma_00 = C_0 = C(0)."""
    known = {
        everywhere: L * everything,
        total(K[0, k], k): everything,
        total(K[k, 0], k): everything,
        total(C[k], k): everything,
        K[0, 0]: variance,
        C[0]: variance,
    }
    yield sympy.expand(BY_SUMS.subs(known) - STATIONARY)


DERIVATION = Derivation(
    label="C11",
    given=(
        (
            sympy.Eq(
                sympy.Symbol("l", real=True),
                (variance - 2 * v * total(B[k] * C[k], k) + v**2 * total(B[k] * B[a] * K[k, a], k, a)) / 2,
                evaluate=False,
            ),
            "The reduced loss of C12: B_k the attention at lag k, C_k the covariance with it, Gamma their own.",
        ),
        (
            sympy.Eq(B[k], other(k) / L, evaluate=False),
            "Uniform attention, and nothing to read at lag 0: the masked token.",
        ),
        (
            sympy.Eq(total(K[k, b], k), everything, evaluate=False),
            "Cyclic stationarity: every row of the covariance sums to T, and its diagonal is C(0).",
        ),
    ),
    target=sympy.Derivative(sympy.Symbol("l", real=True), v, evaluate=False),
    steps=(
        Step(BY_WEIGHTS, "The loss is quadratic in the value."),
        Step(UNIFORM, "Uniform attention, inserted.", differences=weights_inserted),
        Step(BY_SUMS, "Each delta takes away a row, a column, or puts back what was taken twice."),
        Step(
            STATIONARY,
            "All rows and columns sum to T.",
            differences=stationarity_inserted,
        ),
        Step(
            RATE * (v - SETTLED),
            "The slope is linear in v: kappa times the distance from v*.",
            differences=lambda: [sympy.cancel(RATE * (v - SETTLED) - STATIONARY)],
        ),
    ),
    conclusion=(
        "The value relaxes like exp(-kappa t) with kappa of order T/L, in the direction of the sum of C(r) "
        "off lag 0; the scores, whose gradient is of order v/L^2, follow a factor of L later."
    ),
    shows=("At uniform attention dl/dv",),
    elsewhere=(
        ("At uniform attention dl/dv", ("the paths solve the flow",)),
        ("So S_{i,i+r}", ("the paths solve the flow",)),
        (
            "While the scores are small",
            ("the score path against the joint flow: error of order t^2 from v = 0, else t",),
        ),
        ("The value settles in a time", ("the ratio of times over L, symbolic L",)),
        ("With one parameter per lag", ("one parameter per lag",)),
    ),
)
