"""C24, derived: the value's first step at uniform attention, from pairs of tokens to the bag's sum."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Symbol

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import L, difference, i, k, total

K = IndexedBase("Gamma", real=True)
hidden, loss, value = Symbol("p_m", real=True), Symbol("l", real=True), Symbol("v", real=True)
everything, variance = sympy.symbols("T C0", real=True)
visible = 1 - hidden
other = 1 - KroneckerDelta(i, k)

BY_TOKENS = total(total(visible * other * K[i, k] / L, k), i) / L
BY_SUMS = visible / L * (total(total(K[i, k], k), i) / L - total(K[i, i], i) / L)
BY_BAG = visible / L * (everything - variance)


def deltas_collapse() -> Iterator[sympy.Expr]:
    """All pairs, less those of a token with itself."""
    yield difference(BY_TOKENS, BY_SUMS)


def pairs_are_the_square() -> Iterator[sympy.Expr]:
    """sum_ik K_ik = E (sum_i x_i)^2 = L T, sum_i K_ii = L C(0)."""
    known = {total(total(K[i, k], k), i): L * everything, total(K[i, i], i): L * variance}
    yield sympy.expand(BY_SUMS.subs(known) - BY_BAG)


DERIVATION = Derivation(
    label="C24",
    given=(
        (
            K[i, k],
            "E x_i x_k; the mean of its diagonal is C(0), and its sum over all pairs E (sum_i x_i)^2.",
        ),
        (
            Eq(everything, total(total(K[i, k], k), i) / L, evaluate=False),
            "Permuting positions changes neither T nor C(0), and sequences that sum to 0 have T = 0; m in the "
            "claim is T - C(0).",
        ),
        (
            hidden,
            "Chance of another position to be hidden, mask token 0: a key is read with chance 1 - p_m.",
        ),
    ),
    target=-Derivative(loss, value, evaluate=False),
    steps=(
        Step(
            BY_TOKENS,
            "At v = 0 the prediction is 0 and the error is x_i: its product with the mean of what is read.",
        ),
        Step(BY_SUMS, "All pairs, less those of a token with itself.", differences=deltas_collapse),
        Step(
            BY_BAG,
            "The sum over all pairs is that of the squared sum of a sequence: the value moves with the sign of m.",
            differences=pairs_are_the_square,
        ),
    ),
    conclusion=(
        "At v = 0 the loss is C(0)/2 whatever the scores, and it falls from there: the value never comes "
        "back to 0, and the scores, whose pull is v C(r) at first, go towards correlated tokens if m > 0 "
        "and away from them if m < 0."
    ),
    shows=(
        "Let m =",
        "At uniform attention dl/dv",
    ),
    elsewhere=(
        ("Let m =", ("m is of the bag, symbolic L",)),
        ("At uniform attention dl/dv", ("dl/dv under masks, symbolic L",)),
        (
            "At v = 0 the loss",
            (
                "certificate: no score enters the loss at v = 0",
                "below C(0)/2 the sign is kept",
            ),
        ),
        ("If all C_ij > 0", ("C > 0: the value ends positive",)),
        ("Along the way", ("scores and value follow the clock, symbolic L",)),
        (
            "A value of the other",
            (
                "v0* divides the starts",
                "v0* to second order in m",
            ),
        ),
    ),
)
