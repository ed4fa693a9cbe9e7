"""C20 step by step: from the loss to the curvature that opens the plateau, for squares of the stream."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, Function, IndexedBase, Symbol

from theory.claims.index_sums import C, L, S, a, b, difference, i, j, k, resolve, total, v, x
from theory.derivations.derivation import Derivation, Step

w, beta, y, p = sympy.symbols("w beta y p", real=True)
T = sympy.symbols("T0 T1", real=True)
C0, C1 = IndexedBase("C0", real=True), IndexedBase("C1", real=True)
z = Function("z")(S[a, b])
loss = sympy.log(1 + sympy.exp(w * z + beta)) - y * (w * z + beta)

weight = sympy.exp(S[i, j]) / total(sympy.exp(S[i, k]), k)
feature = total((x[i] + v * total(weight * x[j], j)) ** 2, i) / L
mean = total(x[j], j) / L
response = 2 * v / L**2 * (x[a] + v * mean) * (x[b] - mean)


def class_response(c: IndexedBase) -> sympy.Expr:
    """E dz/dS_ab in a class of covariance c, before stationarity."""
    rows = c[a, b] - total(c[a, k], k) / L + v * total(c[b, k], k) / L
    return 2 * v / L**2 * (rows - v * total(total(c[k, j], k), j) / L**2)


def stationary(c: IndexedBase, everything: Symbol) -> sympy.Expr:
    """The same when every row of c sums to `everything`."""
    return 2 * v / L**2 * (c[a, b] - everything / L)


def at_zero_head() -> Iterator[sympy.Expr]:
    """Both derivatives taken by sympy, then w = 0 and p = 1/(1 + exp(-beta))."""
    slope = loss.diff(w).diff(S[a, b]).subs(w, 0)
    yield sympy.simplify(slope - (1 / (1 + sympy.exp(-beta)) - y) * z.diff(S[a, b]))


def feature_differentiated() -> Iterator[sympy.Expr]:
    """Sympy's derivative of the feature, every weight spelled out, at S = 0."""
    is_score = lambda e: isinstance(e, sympy.Indexed) and e.base == S
    yield difference(resolve(feature.diff(S[a, b])).replace(is_score, lambda e: sympy.Integer(0)), response)


def expectation() -> Iterator[sympy.Expr]:
    """Zero-mean tokens: products of two become covariances, X = sum_j x_j; and y - p averages over y."""
    X = Symbol("X", real=True)
    form = sympy.Poly(sympy.expand(response.subs(total(x[j], j), X)), x[a], x[b], X)
    whole = total(total(C[k, j], k), j)
    moments = {
        (1, 1, 0): C[a, b],
        (1, 0, 1): total(C[a, k], k),
        (0, 1, 1): total(C[b, k], k),
        (0, 0, 2): whole,
    }
    yield sympy.expand(sum(share * moments[powers] for powers, share in form.terms()) - class_response(C))
    other, one = sympy.symbols("r0 r1")
    yield (1 - p) * p * other + p * (p - 1) * one + p * (1 - p) * (one - other)


def rows_sum_alike() -> Iterator[sympy.Expr]:
    """sum_k C_ak = sum_k C_bk = T, and so sum_jk C_jk = L T."""
    everything = Symbol("T", real=True)
    spelled = class_response(C).subs(total(total(C[k, j], k), j), L * everything)
    spelled = spelled.subs({total(C[a, k], k): everything, total(C[b, k], k): everything})
    yield sympy.expand(spelled - stationary(C, everything))


def equal_sums() -> Iterator[sympy.Expr]:
    """T_0 = T_1 leaves only the class contrast of C_ab."""
    contrast = stationary(C1, T[1]) - stationary(C0, T[0])
    yield sympy.expand(contrast.subs(T[0], T[1]) - 2 * v / L**2 * (C1[a, b] - C0[a, b]))


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
        (C1[a, b], "The covariance of the tokens of class 1; that of class 0 is C0; both are stationary."),
    ),
    target=Derivative(Function("E")(Symbol("l")), w, S[a, b]),
    steps=(
        Step(
            Function("E")(Derivative(loss, w, S[a, b])),
            "The Hessian between head and score, averaged over sequences and labels, at w = 0 and S = 0.",
        ),
        Step(
            Function("E")((p - y) * Derivative(z, S[a, b])),
            "At w = 0 only the term with the feature's own slope is left.",
            scope="any feature, symbols",
            differences=at_zero_head,
        ),
        Step(
            Function("E")((p - y) * response),
            "Differentiate the squares and the softmax, at uniform attention.",
            differences=feature_differentiated,
        ),
        Step(
            -p * (1 - p) * (class_response(C1) - class_response(C0)),
            "Average over tokens within each class, then over the label: p - y is p - 1 or p.",
            differences=expectation,
        ),
        Step(
            -p * (1 - p) * (stationary(C1, T[1]) - stationary(C0, T[0])),
            "On a ring all rows of a stationary covariance have one sum, T.",
            differences=rows_sum_alike,
        ),
        Step(
            -2 * v * p * (1 - p) / L**2 * (C1[a, b] - C0[a, b]),
            "Equal mean features need equal sums T0 = T1, so that only the class contrast remains.",
            differences=equal_sums,
        ),
    ),
    conclusion=(
        "This block, minus M, is the only curvature that links head and scores: the scores among themselves "
        "have none, so the plateau is a strict saddle exactly when the covariances of the classes differ."
    ),
)
