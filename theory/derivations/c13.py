"""C13, derived: why centred encodings hide the scores from the labels. Symbolic L."""

import sympy
from sympy import exp

from theory.claims.c13_symbols import P, m, n
from theory.claims.index_sums import L, S, a, at_gauge, b, difference, i, j, k, resolve, s, total
from theory.derivations.derivation import Derivation, Step

d = sympy.Symbol("d", integer=True, positive=True)
W = sympy.IndexedBase("W", real=True)
SCORE = sympy.Sum(P[a, m] * W[m, n] * P[b, n], (m, 0, d - 1), (n, 0, d - 1))
SHIFT = sympy.IndexedBase("alpha", real=True)
POOLED = total(total(exp(S[i, j]) * s[j], j) / total(exp(S[i, k]), k), i) / L
WEIGHT = exp(S[a, b]) / total(exp(S[a, k]), k)
AT_ANY_SCORES = WEIGHT / L * (s[b] - total(exp(S[a, j]) * s[j], j) / total(exp(S[a, k]), k))
AT_UNIFORM = (s[b] - total(s[j], j) / L) / L**2


def seen(by_score: sympy.Expr) -> sympy.Expr:
    """(P^T G P)_mn for the gradient G_ab in a score."""
    return total(P[a, m] * total(P[b, n] * by_score, b), a)


FACTORED = total(P[a, m], a) * (total(P[b, n] * s[b], b) - total(P[b, n], b) * total(s[j], j) / L) / L**2

DERIVATION = Derivation(
    label="C13",
    given=(
        (
            sympy.Eq(sympy.Symbol("ell"), POOLED, evaluate=False),
            "The loss, linear in the pooled vector with slope u = dl/dz: s_j = u^T V x_j.",
        ),
        (
            sympy.Eq(
                S[a, b], sympy.Sum(P[a, m] * W[m, n] * P[b, n], (m, 0, d - 1), (n, 0, d - 1)), evaluate=False
            ),
            "Scores from absolute encodings P, with W = W_Q W_K^T / sqrt(k); dS_ab/dW_mn = P_am P_bn.",
        ),
        (
            sympy.Eq(total(P[a, m], a), 0, evaluate=False),
            "Centred encodings: every column of P sums to 0; used in the last step only.",
        ),
    ),
    target=sympy.Derivative(sympy.Symbol("ell"), W[m, n], evaluate=False),
    steps=(
        Step(
            seen(sympy.Derivative(POOLED, S[a, b], evaluate=False)),
            "The chain rule through S_ab, whose slope in W_mn is P_am P_bn.",
        ),
        Step(
            seen(AT_ANY_SCORES),
            "The softmax derivative: row a alone depends on S_ab, and its weights sum to 1.",
            differences=lambda: [difference(POOLED.diff(S[a, b]), AT_ANY_SCORES)],
        ),
        Step(
            seen(AT_UNIFORM),
            "At scores that do not depend on the key all weights are 1/L.",
            differences=lambda: [difference(at_gauge(resolve(AT_ANY_SCORES), S, SHIFT), AT_UNIFORM)],
        ),
        Step(
            FACTORED,
            "The gradient is the same for every query a, so that the double sum factors: P^T 1 times a row.",
        ),
        Step(
            sympy.Integer(0),
            "The first factor is (P^T 1)_m, which is 0 for centred encodings.",
            differences=lambda: [resolve(FACTORED).subs(total(P[a, m], a), 0)],
        ),
    ),
    conclusion=(
        "At uniform attention the label gradient in W_Q W_K^T is P^T 1 times a row: one direction of the "
        "queries, and exactly 0 for every sample once the encodings are centred."
    ),
)
