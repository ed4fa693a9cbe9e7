"""C29, derived: what the ends of a line lack, and its share of the gradient. Leading order in 1/L."""

from collections.abc import Iterator

import sympy
from sympy import Sum, Symbol, oo

from theory.claims.c29_open_ends.claim import column_sums, correlation, share_where_the_value_settles, v
from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import L, j, k

m, r = sympy.symbols("m r", integer=True, nonnegative=True)

by_sides = Sum(correlation ** (j - k), (k, 0, j)) + Sum(correlation ** (k - j), (k, j + 1, L - 1))
summed = (1 + correlation - correlation ** (j + 1) - correlation ** (L - j)) / (1 - correlation)
COLUMNS = Chain(
    shows=("On a line, not a ring",),
    target=Symbol("T_j"),
    steps=(
        Step(by_sides, "Column j of the covariance: keys on either side, C_kj = rho^|k - j|."),
        Step(
            summed,
            "Two geometric sums.",
            scope="L = 2..8, every key, exact arithmetic",
            differences=column_sums,
        ),
    ),
    conclusion=(
        "Key j lacks rho^(j + 1)/(1 - rho) at one end and rho^(L - j)/(1 - rho) at the other, against T = (1 + "
        "rho)/(1 - rho) in the middle."
    ),
)

ends = 2 * L * Sum((v * (1 - v) * correlation ** (m + 1) / ((1 - correlation) * L)) ** 2, (m, 0, oo))
lags = 2 * L * v**2 * Sum(correlation ** (2 * r), (r, 1, oo))
closed = ((1 - v) / ((1 - correlation) * L)) ** 2
factored = (
    ((1 - v) / ((1 - correlation) * L)) ** 2
    * Sum(correlation ** (2 * m + 2), (m, 0, oo))
    / Sum(correlation ** (2 * r), (r, 1, oo))
)


both = Sum(correlation ** (2 * m + 2), (m, 0, oo)), Sum(correlation ** (2 * r), (r, 1, oo))


def constants_taken_out() -> Iterator[sympy.Expr]:
    """The summand of the ends, less its factors; and the factors that are left."""
    (inside,) = ends.atoms(Sum)
    scale = (v * (1 - v) / ((1 - correlation) * L)) ** 2
    yield sympy.simplify(inside.function / scale - both[0].function)
    yield sympy.cancel(scale / v**2 - factored * both[1] / both[0])


def the_same_sum() -> Iterator[sympy.Expr]:
    """r = m + 1, and what stands before the two sums."""
    shifted = both[1].change_index(r, r - 1, m)
    yield sympy.expand(shifted.function - both[0].function)
    yield shifted.limits[0][1]
    yield sympy.cancel(factored * both[1] / both[0] - closed)


at_rest = (1 - 2 * correlation / (1 + correlation)) / (1 - correlation)
SETTLED = Chain(
    shows=("That is 1/((1 - rho) L)^2",),
    target=L * sympy.sqrt(Symbol("share")),
    steps=(
        Step(at_rest, "(1 - v)/(1 - rho) at v = 2 rho/(1 + rho) = (T - 1)/T."),
        Step(
            1 / (1 + correlation),
            "T = (1 + rho)/(1 - rho).",
            scope="any rho",
            differences=share_where_the_value_settles,
        ),
    ),
    conclusion="For small v it is 1/(1 - rho).",
)

DERIVATION = Derivation(
    label="C29",
    given=(
        (
            correlation,
            "AR(1) between two ends, C_ij = rho^|i - j|, rho not 0; uniform attention and a value v.",
        ),
        (
            v * (1 - v),
            "Off the diagonal R_ij is -v C_ij plus v^2/L times column sum T_j, to leading order (C8): summed over "
            "queries -v T_j + v^2 T_j, which differs between keys by -v (1 - v) times what key j lacks, of either "
            "sign.",
        ),
    ),
    target=Symbol("share"),
    steps=(
        Step(
            ends / lags,
            "L times the squared column means at both ends, over L times the squares of v C_r at all lags but 0.",
        ),
        Step(
            factored,
            "Constants are taken out of the sums.",
            scope="any v, rho",
            differences=constants_taken_out,
        ),
        Step(closed, "Both sums are one.", scope="any v, rho", differences=the_same_sum),
    ),
    conclusion="It falls like 1/L^2, where a direction drawn at random shows labels 1/L (C1).",
    shows=("On a line, not a ring", "That is 1/((1 - rho) L)^2"),
    further=(COLUMNS, SETTLED),
    elsewhere=(
        (
            "On a line, not a ring",
            (
                "small value: jax's share over the law, extrapolated",
                "settled value: jax's share over the law, extrapolated",
            ),
        ),
        ("On a ring it is exactly 0", ("closed into a ring",)),
    ),
)
