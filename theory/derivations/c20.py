"""C20 step by step: from the loss to the curvature that opens the plateau, for squares of the stream."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, Function, IndexedBase, Symbol

from theory.claims.index_sums import L, S, a, b, difference, i, j, k, resolve, total, v, x
from theory.derivations.derivation import Derivation, Step
from theory.derivations.printers import EXPECTATION

w, beta, y, p, X = sympy.symbols("w beta y p X", real=True)
T = sympy.symbols("T_0 T_1", real=True)
NEGATIVE, POSITIVE = IndexedBase("N", real=True), IndexedBase("P", real=True)
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
    """Both derivatives taken by sympy, then w = 0 and p = 1/(1 + exp(-beta))."""
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
    found = sympy.Integer(0)
    for chance, label, c in ((p, 1, POSITIVE), (1 - p, 0, NEGATIVE)):
        whole = total(total(c[k, j], k), j)
        moments = {(1, 1, 0): c[a, b], (1, 0, 1): total(c[a, k], k), (0, 1, 1): total(c[b, k], k)}
        moments[(0, 0, 2)] = whole
        found += chance * sum(share.subs(y, label) * moments[powers] for powers, share in form.terms())
    yield sympy.expand(found - averaged)


def rows_sum_alike() -> Iterator[sympy.Expr]:
    """sum_k C_ak = sum_k C_bk = T, and so sum_jk C_jk = L T, in each class."""
    found = averaged
    for c, everything in ((NEGATIVE, T[0]), (POSITIVE, T[1])):
        found = found.subs(total(total(c[k, j], k), j), L * everything)
        found = found.subs({total(c[a, k], k): everything, total(c[b, k], k): everything})
    yield sympy.expand(found - on_a_ring)


def equal_sums() -> Iterator[sympy.Expr]:
    """T_0 = T_1."""
    yield sympy.expand((on_a_ring - contrast).subs(T[0], T[1]))


DERIVATION = Derivation(
    label="C20",
    given=(
        (
            loss,
            "Cross-entropy of one sequence with label y, for a head w, an intercept beta and a feature z.",
        ),
        (
            Eq(p, 1 / (1 + sympy.exp(-beta)), evaluate=False),
            "On the plateau w = 0 and p is the share of y = 1.",
        ),
        (Eq(Symbol("z"), feature, evaluate=False), "The feature: squares of the residual stream, pooled."),
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
            "On a ring all rows of a stationary covariance have one sum, T_0 or T_1.",
            differences=rows_sum_alike,
        ),
        Step(
            contrast,
            "Equal mean features need equal sums, T_0 = T_1, so that only the class contrast remains.",
            differences=equal_sums,
        ),
    ),
    conclusion=(
        "This block, minus M, is the only curvature that links head and scores: the scores among themselves "
        "have none, so the plateau is a strict saddle exactly when the covariances of the classes differ."
    ),
)
