"""C20 step by step: from the loss to the curvature that opens the plateau, for squares of the stream."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, Function, IndexedBase, Symbol

from theory.claims.c20_escape_from_plateau import blocks, times
from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import L, S, a, b, difference, i, j, k, resolve, total, v, x
from theory.symbolic.printers import EXPECTATION

w, beta, y, p, X = sympy.symbols("w b_0 y p X", real=True)
T = sympy.symbols("T^0 T^1", real=True)
NEGATIVE, POSITIVE = IndexedBase("C^0", real=True), IndexedBase("C^1", real=True)
M = IndexedBase("M", real=True)
z = Function("z")(S[a, b])
loss = sympy.log(1 + sympy.exp(w * z + beta)) - y * (w * z + beta)

weight = sympy.exp(S[i, j]) / total(sympy.exp(S[i, k]), k)
feature = total((x[i] + v * total(weight * x[j], j)) ** 2, i) / L
mean = total(x[j], j) / L


def class_response(c: IndexedBase) -> sympy.Expr:
    """E dz/dS_ab in a class of covariance c, before stationarity."""
    rows = c[a, b] - total(c[a, k], k) / L + v * total(c[b, k], k) / L
    return 2 * v / L**2 * (rows - v * total(total(c[k, j], k), j) / L**2)


definition = EXPECTATION(Derivative(loss, w, S[a, b]))
at_zero = EXPECTATION((p - y) * Derivative(z, S[a, b]))
spelled = EXPECTATION((p - y) * 2 * v / L**2 * (x[a] + v * mean) * (x[b] - mean))
averaged = -p * (1 - p) * (class_response(POSITIVE) - class_response(NEGATIVE))
ring = lambda c, everything: 2 * v / L**2 * (c[a, b] - everything / L)
on_a_ring = -p * (1 - p) * (ring(POSITIVE, T[1]) - ring(NEGATIVE, T[0]))
contrast = -2 * v * p * (1 - p) / L**2 * (POSITIVE[a, b] - NEGATIVE[a, b])


def bare(expression: sympy.Expr) -> sympy.Expr:
    """What is averaged."""
    return expression.replace(EXPECTATION, lambda inside: inside)


def at_zero_head() -> Iterator[sympy.Expr]:
    """Both derivatives taken by sympy, then w = 0 and p = 1/(1 + exp(-b_0))."""
    slope = bare(definition).doit().subs(w, 0)
    yield sympy.simplify(slope - bare(at_zero).subs(p, 1 / (1 + sympy.exp(-beta))))


def feature_differentiated() -> Iterator[sympy.Expr]:
    """Sympy's derivative of the feature, every weight spelled out, at S = 0."""
    is_score = lambda e: isinstance(e, sympy.Indexed) and e.base == S
    slope = resolve(feature.diff(S[a, b])).replace(is_score, lambda e: sympy.Integer(0))
    yield difference((p - y) * slope, bare(spelled))


def class_means() -> Iterator[sympy.Expr]:
    """Zero-mean tokens: products of two become covariances, with X = sum_j x_j; y is 1 with chance p."""
    form = sympy.Poly(sympy.expand(bare(spelled).subs(total(x[j], j), X)), x[a], x[b], X)
    expectation = sympy.Integer(0)
    for chance, label, c in ((p, 1, POSITIVE), (1 - p, 0, NEGATIVE)):
        whole = total(total(c[k, j], k), j)
        moments = {(1, 1, 0): c[a, b], (1, 0, 1): total(c[a, k], k), (0, 1, 1): total(c[b, k], k)}
        moments[(0, 0, 2)] = whole
        expectation += chance * sum(share.subs(y, label) * moments[powers] for powers, share in form.terms())
    yield sympy.expand(expectation - averaged)


def rows_sum_alike() -> Iterator[sympy.Expr]:
    """sum_k C_ak = sum_k C_bk = T, and so sum_jk C_jk = L T, in each class."""
    expectation = averaged
    for c, everything in ((NEGATIVE, T[0]), (POSITIVE, T[1])):
        expectation = expectation.subs(total(total(c[k, j], k), j), L * everything)
        expectation = expectation.subs({total(c[a, k], k): everything, total(c[b, k], k): everything})
    yield sympy.expand(expectation - on_a_ring)


def equal_sums() -> Iterator[sympy.Expr]:
    """T^0 = T^1."""
    yield sympy.expand((on_a_ring - contrast).subs(T[0], T[1]))


DERIVATION = Derivation(
    label="C20",
    given=(
        (
            loss,
            "Cross-entropy of one sequence with label y, for a head w, an intercept b_0 and a feature z.",
        ),
        (
            Eq(p, 1 / (1 + sympy.exp(-beta)), evaluate=False),
            "On the plateau w = 0 and p is the share of y = 1.",
        ),
        (Eq(Symbol("z"), feature, evaluate=False), "The feature: squares of the residual stream, pooled."),
        (
            Eq(M[a, b], p * (1 - p) * (blocks.second - blocks.first), evaluate=False),
            "The class contrast of one feature's response to a score, z'_y being its mean in class y.",
        ),
        (
            Eq(blocks.contrast**2, total(total(M[a, b] ** 2, b), a), evaluate=False),
            "The size of M for one feature.",
        ),
        (
            Eq(blocks.curvature, p * (1 - p) * EXPECTATION(z**2), evaluate=False),
            "The head's curvature for one centred feature; a ridge of the head adds to it.",
        ),
        (POSITIVE[a, b], "The covariance of zero-mean tokens in the class y = 1, stationary on a ring."),
        (NEGATIVE[a, b], "The same in the class y = 0."),
    ),
    target=EXPECTATION(Derivative(Function("l")(w, S[a, b]), w, S[a, b])),
    steps=(
        Step(definition, "The Hessian between head and score, over sequences and labels, at w = 0, S = 0."),
        Step(
            at_zero,
            "At w = 0 only the term with the feature's own slope is left.",
            scope="any feature, symbols",
            differences=at_zero_head,
        ),
        Step(
            spelled,
            "Differentiate the squares and the softmax, at uniform attention.",
            differences=feature_differentiated,
        ),
        Step(
            averaged,
            "Average over tokens within each class, then over the label: p - y is p - 1 or p.",
            differences=class_means,
        ),
        Step(
            on_a_ring,
            "On a ring all rows of a stationary covariance have one sum, T^0 or T^1.",
            differences=rows_sum_alike,
        ),
        Step(
            contrast,
            "Take equal sums, T^0 = T^1, as equal mean features and equal C(0) imply unless v is 0 or -2.",
            differences=equal_sums,
        ),
    ),
    shows=("For z = mean (x_i + H_i)^2",),
    further=(
        *blocks.HESSIAN,
        blocks.CROSS,
        blocks.WAYS_DOWN,
        blocks.RATE,
        blocks.RIDGE,
        times.CLOCK,
        times.RINGS,
        times.FLAT,
        times.SLOW,
        times.NOISE,
        times.SIGNS,
    ),
    elsewhere=(
        ("It has rank M negative directions", ("certificate: as many ways down as the rank of M",)),
        ("A score of size e needs", ("rate, its limits and the path", "descent on both true losses")),
        ("Through queries and keys", ("queries and keys where features vary: error of second order",)),
        ("A sign-normalised step", ("signs of a batch's label gradient",)),
    ),
    conclusion=(
        "This block, minus M, is the only curvature that links head and scores: the scores among themselves "
        "have none, so the plateau is a strict saddle exactly when the covariances of the classes differ."
    ),
)
