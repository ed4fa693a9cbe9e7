"""C24, derived: the value's first step at uniform attention, from pairs of tokens to the bag's sum."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Symbol

from theory.claims.index_sums import L, difference, i, k, total
from theory.derivations.derivation import Derivation, Step

K = IndexedBase("K", real=True)
hidden, loss, value, excess = (
    Symbol("p", real=True),
    Symbol("ell"),
    Symbol("v", real=True),
    Symbol("m", real=True),
)
squared_sum, variance = sympy.symbols("Q C0", real=True)
seen = 1 - hidden
other = 1 - KroneckerDelta(i, k)

BY_TOKENS = total(total(seen * other * K[i, k] / L, k), i) / L
BY_SUMS = seen / L * (total(total(K[i, k], k), i) / L - total(K[i, i], i) / L)
BY_BAG = seen / L * (squared_sum / L - variance)


def deltas_collapse() -> Iterator[sympy.Expr]:
    """All pairs, less those of a token with itself."""
    yield difference(BY_TOKENS, BY_SUMS)


def pairs_are_the_square() -> Iterator[sympy.Expr]:
    """sum_ik K_ik = E (sum_i x_i)^2 = Q, sum_i K_ii = L C(0)."""
    known = {total(total(K[i, k], k), i): squared_sum, total(K[i, i], i): L * variance}
    yield sympy.expand(BY_SUMS.subs(known) - BY_BAG)


DERIVATION = Derivation(
    label="C24",
    given=(
        (
            K[i, k],
            "E x_i x_k; the mean of its diagonal is C(0), and its sum over all pairs is Q = E (sum_i x_i)^2.",
        ),
        (
            Eq(excess, squared_sum / L - variance, evaluate=False),
            "m: permuting positions changes neither Q nor C(0), and sequences that sum to 0 have Q = 0.",
        ),
        (
            hidden,
            "Chance of another position to be hidden, mask token 0: a key is read with chance 1 - p.",
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
            "The sum over all pairs is that of the squared sum of a sequence.",
            differences=pairs_are_the_square,
        ),
        Step(
            seen * excess / L,
            "The value moves with the sign of m.",
            differences=lambda: [sympy.expand(BY_BAG - seen * (squared_sum / L - variance) / L)],
        ),
    ),
    conclusion=(
        "At v = 0 the loss is C(0)/2 whatever the scores, and it falls from there: the value never comes "
        "back to 0, and the scores, whose pull is v C(r) at first, go towards correlated tokens if m > 0 "
        "and away from them if m < 0."
    ),
)
