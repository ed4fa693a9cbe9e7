"""C13, derived: what labels say to small maps of centred encodings, to third order. Symbolic L."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, IndexedBase, Sum, Symbol, exp, sqrt

from theory.claims.c13_absolute_positions.maps import (
    P,
    columns,
    contrast,
    e,
    f,
    features,
    g,
    key,
    key_map,
    query_map,
)
from theory.claims.c13_absolute_positions.maps import loss as loss_symbol
from theory.symbolic.derivation import Chain, Step
from theory.symbolic.index_sums import L, a, b, difference, i, j, k, of_indexed, resolve, s, total

W, G, along = (IndexedBase(name, real=True) for name in ("W", "G", "S'"))
t = Symbol("t", real=True)
p, q = sympy.symbols("p q", integer=True, nonnegative=True)

weight = lambda column: exp(t * along[a, column]) / total(exp(t * along[a, k]), k)
AT_T = weight(b) / L * (s[b] - total(weight(j) * s[j], j))
first_order = lambda query, column: (
    (along[query, column] * contrast(column) - total(along[query, a] * contrast(a), a) / L) / L**2
)
SLOPE = (along[a, b] * contrast(b) - total(along[a, j] * contrast(j), j) / L) / L**2


def centred(expression: sympy.Expr) -> sympy.Expr:
    """Rows of S' sum to 0, and so do the columns of P."""

    def vanishes(part: sympy.Basic) -> bool:
        alone = isinstance(part, Sum) and len(part.limits) == 1 and isinstance(part.function, sympy.Indexed)
        if not alone:
            return False
        axis = {along: 1, P: 0}.get(part.function.base)
        return axis is not None and part.function.indices[axis] == part.limits[0][0]

    return expression.replace(vanishes, lambda part: sympy.Integer(0))


def softmax_along_the_path() -> Iterator[sympy.Expr]:
    """Sympy's derivative at t = 0, rows of S' summing to 0."""
    at_zero = resolve(AT_T.diff(t).subs(t, 0).doit(deep=False))
    yield difference(centred(at_zero), centred(resolve(SLOPE)))


ALONG = Chain(
    shows=("From maps of size e",),
    target=Derivative(G[a, b], t),
    steps=(
        Step(Derivative(AT_T, t), "The label gradient (C2) at scores t S', at t = 0."),
        Step(
            SLOPE,
            "The softmax to first order, where rows of S' sum to 0.",
            differences=softmax_along_the_path,
        ),
    ),
    conclusion=(
        "At t = 0 itself the gradient is the same for every query, and P^T takes it away: this is the first "
        "that is left."
    ),
)

inserted = total(P[i, f] * total(first_order(i, j) * key(j), j), i) / sqrt(features)
remaining = total(P[i, f] * total(along[i, j] * contrast(j) * key(j), j), i) / (L**2 * sqrt(features))
factored = columns(total(P[i, f] * P[i, p], i) * W[p, q] * total(P[j, q] * contrast(j) * key(j), j), q, p) / (
    L**2 * sqrt(features)
)


def keys_sum_to_zero() -> Iterator[sympy.Expr]:
    """The coefficient of every entry of W_K, columns of P summing to 0."""
    slope = lambda expression: resolve(resolve(sympy.expand(expression)).diff(key_map[g, e]))
    yield difference(centred(slope(inserted)), centred(slope(remaining)))


def scores_from_maps() -> Iterator[sympy.Expr]:
    """S' = P W P^T put in; the coefficient of every entry of W times every entry of W_K."""
    slope = lambda expression: resolve(
        resolve(resolve(sympy.expand(expression)).diff(W[a, b])).diff(key_map[g, e])
    )
    made = of_indexed(
        remaining, along, lambda query, column: columns(P[query, p] * W[p, q] * P[column, q], q, p)
    )
    yield difference(slope(made), slope(factored))


THIRD = Chain(
    shows=("From maps of size e",),
    target=Derivative(loss_symbol, query_map[f, e]),
    steps=(
        Step(inserted, "P^T G P W_K/sqrt(d_k), with that slope for G."),
        Step(
            remaining,
            "The second term does not depend on the key, and keys of centred encodings sum to 0.",
            differences=keys_sum_to_zero,
        ),
        Step(
            factored,
            "Scores of centred encodings are P W P^T: P^T P on the side of the queries.",
            differences=scores_from_maps,
        ),
    ),
    conclusion=(
        "With W = W_Q W_K^T/sqrt(d_k) this is (P^T P) W_Q W_K^T P^T diag(s - mean s) P W_K/(d_k L^2): three maps, "
        "each of size e. Reconstruction's P^T G P does not vanish at uniform attention (C10), and meets one map."
    ),
)
