"""C28, derived: the first pull of reconstruction where many positions are masked. Symbolic L."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, Symbol, limit, oo

from theory.claims.c28_many_masks.claim import (
    everything,
    law_for_symbolic_length,
    law_symbol,
    rate,
    response_symbol,
    slope_of_the_loss,
)
from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import C, L, S, b, difference, k, of_indexed, total, v

R, matrix = IndexedBase("R", real=True), IndexedBase("Gamma", real=True)
loss = Symbol("l", real=True)

pull_back = (total(R[k], k) / L - R[b]) / L**2
in_moments = (total(response_symbol(k), k) / L - response_symbol(b)) / L**2
law = law_symbol(b)
mean = (everything - C[0]) / L
leading = v * (1 - rate) * (C[b] - mean) / L**2


def slope_is_put_in() -> Iterator[sympy.Expr]:
    """R from C8's loss under masks, differentiated."""
    yield from slope_of_the_loss()
    yield difference(of_indexed(pull_back, R, lambda lag: response_symbol(lag)), in_moments)


def the_rest_falls_like_one_over_l() -> Iterator[sympy.Expr]:
    """Off lag 0, L^2 times the law and its leading term, at L = infinity; T, v and C do not grow."""
    gap = (law.subs(sympy.KroneckerDelta(b, 0), 0) - leading) * L**2
    yield limit(sympy.expand(gap), L, oo)


ALONG = Chain(
    shows=("Scores still move along",),
    target=-Derivative(loss, S[0, b]),
    steps=(
        Step(law, "The law, at b other than 0."),
        Step(
            leading,
            "What is left out is smaller by 1/L.",
            scope="leading order in 1/L",
            differences=the_rest_falls_like_one_over_l,
        ),
    ),
    conclusion="It is 1 - p_m times the leading law of one mask.",
)

short = law.subs(rate, 0).subs(v, (1 - rate) * v)
added = v**2 * rate * (1 - rate) * C[0] / L * (1 - (L - 1) / L - sympy.KroneckerDelta(b, 0)) / L**2
VARIANCE = Chain(
    shows=("It is not the law of one mask",),
    target=-Derivative(loss, S[0, b]),
    steps=(
        Step(law, "The law."),
        Step(short - added, "The law of one mask at the value (1 - p_m) v, and what it lacks."),
    ),
    conclusion="The masks' variance adds p_m C_0 to what all lags but 0 lose alike.",
)

DERIVATION = Derivation(
    label="C28",
    given=(
        (
            Eq(R[b], response_symbol(b), evaluate=False),
            "L times the slope of C8's loss under masks in the weight of query 0 for key b, at uniform attention and "
            "mask token 0: rows of the covariance sum to T.",
        ),
        (
            Eq(everything, total(matrix[k, b], k), evaluate=False),
            "Cyclic stationarity: all queries are alike, so query 0 stands for each.",
        ),
    ),
    target=-Derivative(loss, S[0, b]),
    steps=(
        Step(pull_back, "Minus the softmax's pull-back at uniform attention."),
        Step(in_moments, "The slope put in.", differences=slope_is_put_in),
        Step(
            law,
            "The sum over lags of C is T.",
            differences=law_for_symbolic_length,
        ),
    ),
    conclusion="At p_m = 0 it is the law of C10.",
    shows=("Where every other position is hidden",),
    further=(ALONG, VARIANCE),
)
