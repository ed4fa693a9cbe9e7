"""C25, derived: both blocks for any number of classes, and the rate where the head follows. Symbolic."""

import sympy
from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Symbol

from theory.claims.c25_many_classes.symbolic import (
    LOSS,
    at_zero_head,
    contrasts_sum_to_zero,
    feature,
    head_that_follows,
    hessian_at_a_zero_head,
    intercept,
    m,
    n,
    over,
    pi,
    w,
    y,
    z,
)
from theory.claims.c25_many_classes.symbolic import score as any_score
from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import difference
from theory.symbolic.printers import EXPECTATION

M = IndexedBase("M", real=True)
variance = EXPECTATION(feature**2)

across = EXPECTATION(Derivative(LOSS, w[m], any_score))
at_zero = EXPECTATION((pi[m] - y[m]) * Derivative(feature, any_score))
by_class = over(pi[n] * (pi[m] - KroneckerDelta(m, n)) * z[n], n)
contrast = -pi[m] * (z[m] - over(pi[n] * z[n], n))


def at_a_zero_head():
    """Both blocks, taken by sympy at w = 0."""
    yield from hessian_at_a_zero_head()
    slope = LOSS.diff(w[m]).diff(any_score)
    inside = (pi[m] - y[m]) * feature.diff(any_score)
    yield difference(at_zero_head(slope), inside)


def labels_are_drawn():
    """y_c is 1 in class c alone, which has the share pi_c: the coefficient of each class's response."""
    is_label = lambda e: isinstance(e, sympy.Indexed) and e.base == y
    of_class = lambda e: KroneckerDelta(e.indices[0], n)
    inside = (pi[m] - y[m]).replace(is_label, of_class)
    yield difference(over(pi[n] * inside * z[n], n), by_class)


HEAD = Chain(
    shows=("At the adiabatic point",),
    target=Derivative(Symbol("l", real=True), w[m], w[n]),
    steps=(
        Step(EXPECTATION(Derivative(LOSS, w[m], w[n])), "The block of two heads on one feature, at w = 0."),
        Step(
            (pi[m] * KroneckerDelta(m, n) - pi[m] * pi[n]) * variance,
            "The softmax's curvature at predictions pi, which no label changes.",
            scope="any number of classes, any feature",
            differences=hessian_at_a_zero_head,
        ),
    ),
    conclusion="With all features and an intercept, z becomes (z, 1); the ridge adds to it. Scores have no curvature.",
)

RATE = Chain(
    shows=("For one centred feature",),
    target=M[m],
    steps=(
        Step(
            over(
                (pi[m] * KroneckerDelta(m, n) - pi[m] * pi[n])
                * (
                    z[n]
                    - over(
                        pi[Symbol("o", integer=True)] * z[Symbol("o", integer=True)],
                        Symbol("o", integer=True),
                    )
                ),
                n,
            ),
            "K w, less its factors Var z and S, for heads w_c = (r_c - rbar) S/Var z.",
        ),
        Step(
            pi[m] * (z[m] - over(pi[n] * z[n], n)),
            "Predictions sum to 1, and so the mean contrast to 0.",
            scope="any number of classes",
            differences=head_that_follows,
        ),
    ),
    conclusion=(
        "So K w = M S for w_c = (r_c - rbar) S/Var z, and the scores follow dS/dt = M^T w = sum_c pi_c (r_c - rbar) "
        "(r_c - rbar)^T S/Var z: the rate is the largest eigenvalue."
    ),
)

SUM = Chain(
    shows=("The M_c sum to 0",),
    target=over(M[m], m),
    steps=(
        Step(over(pi[m] * (z[m] - over(pi[n] * z[n], n)), m), "All contrasts of one feature."),
        Step(
            sympy.Integer(0),
            "rbar is the mean of the r_c, and predictions sum to 1.",
            scope="any number of classes",
            differences=contrasts_sum_to_zero,
        ),
    ),
    conclusion="One class is redundant for each feature: M has rank (classes - 1) x features at most.",
)

DERIVATION = Derivation(
    label="C25",
    given=(
        (
            LOSS,
            "Cross-entropy of one sequence in one feature z: heads w_c and intercepts of N_c classes, y_c = 1 in the "
            "sequence's own class and 0 in the others.",
        ),
        (
            Eq(sympy.exp(intercept[m]), pi[m], evaluate=False),
            "On the plateau w = 0 and the intercepts are fitted: predictions are the classes' shares.",
        ),
        (Eq(over(pi[m], m), 1, evaluate=False), "Shares sum to 1."),
        (
            Eq(M[m], pi[m] * (z[m] - over(pi[n] * z[n], n)), evaluate=False),
            "A class's contrast, r_c in the claim being the mean response z'_c in class c.",
        ),
    ),
    target=Derivative(Symbol("l", real=True), w[m], any_score),
    steps=(
        Step(across, "The block of a head and any score, at w = 0."),
        Step(
            at_zero,
            "At w = 0 only the slope of the feature is left.",
            scope="any number of classes, any feature",
            differences=at_a_zero_head,
        ),
        Step(
            by_class,
            "The mean over sequences, class by class.",
            scope="any number of classes",
            differences=labels_are_drawn,
        ),
        Step(contrast, "The delta collapses: the class against the mean of all."),
    ),
    conclusion="This is -M_c. Two classes give p (1 - p) times their difference, as in C20.",
    shows=("At the adiabatic point",),
    further=(HEAD, SUM, RATE),
    elsewhere=(
        ("The M_c sum to 0", ("(classes - 1) x features ways down",)),
        ("For one centred feature", ("the Fisher ratio: error of second order",)),
    ),
)
