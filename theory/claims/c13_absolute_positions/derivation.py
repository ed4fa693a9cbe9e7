"""C13, derived: absolute encodings as scores, and why centred ones hide them from the labels. Symbolic L."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, Sum, Symbol, cos, exp

from theory.claims.c13_absolute_positions import frequencies, maps, third_order
from theory.claims.c13_absolute_positions.maps import P, e, f, features, g
from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import C, L, S, a, at_gauge, b, difference, i, j, k, resolve, s, total

W = IndexedBase("W", real=True)
SHIFT = IndexedBase("alpha", real=True)
POOLED = total(total(exp(S[i, j]) * s[j], j) / total(exp(S[i, k]), k), i) / L
WEIGHT = exp(S[a, b]) / total(exp(S[a, k]), k)
AT_ANY_SCORES = WEIGHT / L * (s[b] - total(exp(S[a, j]) * s[j], j) / total(exp(S[a, k]), k))
AT_UNIFORM = (s[b] - total(s[j], j) / L) / L**2


def position_block(by_score: sympy.Expr) -> sympy.Expr:
    """(P^T G P)_fg for the gradient G_ab in a score."""
    return total(P[a, f] * total(P[b, g] * by_score, b), a)


FACTORED = total(P[a, f], a) * (total(P[b, g] * s[b], b) - total(P[b, g], b) * total(s[j], j) / L) / L**2


def softmax_is_differentiated() -> Iterator[sympy.Expr]:
    """Sympy's derivative of the pooled score."""
    yield difference(POOLED.diff(S[a, b]), AT_ANY_SCORES)


def scores_do_not_depend_on_the_key() -> Iterator[sympy.Expr]:
    """S_ij = S_i0."""
    yield difference(at_gauge(resolve(AT_ANY_SCORES), S, SHIFT), AT_UNIFORM)


DERIVATION = Derivation(
    label="C13",
    given=(
        (
            Eq(Symbol("l", real=True), POOLED, evaluate=False),
            "The label loss, linear in the pooled vector with slope u = dl/dz: s_j = u^T V x_j. G is the gradient "
            "of any loss in the scores.",
        ),
        (
            Eq(S[a, b], maps.columns(P[a, f] * W[f, g] * P[b, g], g, f), evaluate=False),
            "Scores from absolute encodings P, which makes dS_ab/dW_fg = P_af P_bg.",
        ),
        (
            Eq(
                W[f, g],
                Sum(maps.query_map[f, e] * maps.key_map[g, e], (e, 0, features - 1)) / sympy.sqrt(features),
                evaluate=False,
            ),
            "W = W_Q W_K^T/sqrt(d_k).",
        ),
        (
            Eq(S[a, b], S[a, 0], evaluate=False),
            "Uniform attention: scores do not depend on the key; used where it says so.",
        ),
        (
            Eq(total(P[a, f], a), 0, evaluate=False),
            "Centred encodings: every column of P sums to 0; used where it says so. Sinusoids over full periods "
            "are centred.",
        ),
        (
            Eq(
                frequencies.power[f],
                total(C[frequencies.r] * cos(frequencies.angle[f] * frequencies.r), frequencies.r),
                evaluate=False,
            ),
            "The power of cyclically stationary data at a frequency, 2 pi f/L = nu_f; T is that at 0.",
        ),
    ),
    target=Derivative(Symbol("l", real=True), W[f, g], evaluate=False),
    steps=(
        Step(
            position_block(Derivative(POOLED, S[a, b], evaluate=False)),
            "The chain rule through S_ab, whose slope in W_fg is P_af P_bg.",
        ),
        Step(
            position_block(AT_ANY_SCORES),
            "The softmax derivative: row a alone depends on S_ab, and its weights sum to 1.",
            differences=softmax_is_differentiated,
        ),
        Step(
            position_block(AT_UNIFORM),
            "At scores that do not depend on the key all weights are 1/L.",
            differences=scores_do_not_depend_on_the_key,
        ),
        Step(
            FACTORED,
            "The gradient is the same for every query a, so that the double sum factors: P^T 1 times a row.",
        ),
        Step(
            sympy.Integer(0),
            "The first factor is (P^T 1)_f, which is 0 for centred encodings.",
            differences=lambda: [resolve(FACTORED).subs(total(P[a, f], a), 0)],
        ),
    ),
    conclusion=(
        "At uniform attention the label gradient in W_Q W_K^T is P^T 1 times a row: one direction of the "
        "queries, and exactly 0 for every sample once the encodings are centred."
    ),
    shows=("At uniform attention the label gradient",),
    further=(
        *maps.BOTH_MAPS,
        *maps.AT_UNIFORM,
        third_order.ALONG,
        third_order.THIRD,
        frequencies.BLOCKS,
        frequencies.SPECTRUM,
        frequencies.GROWTH,
    ),
    elsewhere=(
        (
            "At uniform attention the label gradient",
            ("certificate: full periods sum to 0, roots of unity, L = 3..12",),
        ),
        (
            "From maps of size e",
            ("labels: exponent 3, and 2 of its error", "reconstruction: exponent 1, and 2 of its error"),
        ),
        ("For cyclically stationary data", ("blocks at circulant scores",)),
    ),
)
