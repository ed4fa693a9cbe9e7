"""C27, derived: both maps' steps as a step of the scores, and its mean. Symbolic L, d and d_k."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, Sum, Symbol, sqrt

from theory.claims.c13_absolute_positions.maps import (
    P,
    columns,
    e,
    f,
    features,
    g,
    key,
    key_map,
    query,
    query_map,
    to_keys,
    to_queries,
)
from theory.claims.c27_first_step.claim import bias, share_of_a_key_bias, sums
from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import L, S, a, b, difference, i, j, of_indexed, resolve, total
from theory.symbolic.printers import EXPECTATION

G, K, by_query_map, by_key_map = (IndexedBase(name, real=True) for name in ("G", "K", "G_Q", "G_K"))
rate, variance = Symbol("eta", positive=True), Symbol("sigma_W^2", integer=True, positive=True)
each_column = lambda term: Sum(term, (e, 0, features - 1))
overlap = lambda one, two: columns(P[one, f] * P[two, f], f)

of_maps = -each_column(
    columns(P[a, f] * by_query_map[f, e], f) * key(b) + query(a) * columns(P[b, f] * by_key_map[f, e], f)
) / sqrt(features)
of_scores = (
    -each_column(
        total(total(K[a, i] * G[i, j] * key(j), j), i) * key(b)
        + query(a) * total(total(query(i) * G[i, j] * K[j, b], j), i)
    )
    / features
)
averaged = -2 * variance * total(total(K[a, i] * G[i, j] * K[j, b], j), i)


def gradients_inserted() -> Iterator[sympy.Expr]:
    """Both maps' gradients (C13) put in, K spelled out: the coefficient of every G_ij."""
    m, n = sympy.symbols("p q", integer=True, nonnegative=True)
    put_in = of_indexed(of_maps, by_query_map, lambda row, column: to_queries.subs(f, row))
    put_in = of_indexed(put_in, by_key_map, lambda row, column: to_keys.subs(f, row))
    spelled = of_indexed(of_scores, K, overlap)
    slope = lambda expression: resolve(resolve(sympy.expand(inner(expression))).diff(G[m, n]))
    yield difference(slope(put_in), slope(spelled))


def inner(expression: sympy.Expr) -> sympy.Expr:
    """What is summed over the columns of the maps, with its factors."""
    (summed,) = expression.atoms(Sum) & {each for each in expression.atoms(Sum) if each.limits[0][0] == e}
    return expression.xreplace({summed: summed.function})


def entries_are_independent() -> Iterator[sympy.Expr]:
    """E of a quadratic form in one column: half its second derivatives times sigma^2; d_k columns are alike."""
    for base, made in ((key_map, key), (query_map, query)):
        form = resolve(made(i) * made(j))
        curved = resolve(form.diff(base[g, e]).diff(base[g, e]))
        yield difference(variance / 2 * columns(curved, g), variance * columns(P[i, f] * P[j, f], f))
    yield sympy.summation(1, (e, 0, features - 1)) / features - 1


asked = total(total(K[a, i] * bias[j] * K[j, b], j), i)
outer = total(K[a, i], i) * total(bias[j] * K[j, b], j)
KEY_BIAS = Chain(
    shows=("What labels ask for at uniform attention",),
    target=IndexedBase("D", real=True)[a, b],
    steps=(
        Step(asked, "K G K for a gradient that is the same for every query, G_ij = w'_j."),
        Step(outer, "The double sum is a product: K 1 times a row."),
    ),
    conclusion="Every row of K that sums to the same gives a key bias; where encodings are centred K 1 is 0.",
)

spread = bias[b] - total(bias[j], j) / L
whole = total(total((sums[a] * spread) ** 2, b), a)
visible = total(total((total(sums[i], i) / L * spread) ** 2, b), a)

SHARE = Chain(
    shows=("What labels ask for at uniform attention",),
    target=Symbol("share"),
    steps=(
        Step(
            visible / whole,
            "The key bias, the mean over queries, over all of it; rows less their means, w' here for K w.",
        ),
        Step(
            L * (total(sums[i], i) / L) ** 2 / total(sums[a] ** 2, a),
            "What labels ask for cancels.",
            differences=share_of_a_key_bias,
        ),
    ),
    conclusion="This is L mean(K 1)^2/|K 1|^2.",
)

DERIVATION = Derivation(
    label="C27",
    given=(
        (
            Eq(S[a, b], each_column(query(a) * key(b)) / sqrt(features), evaluate=False),
            "Scores from absolute encodings; W_Q and W_K move by minus eta times their gradients G_Q and G_K.",
        ),
        (Eq(by_query_map[f, e], to_queries, evaluate=False), "The gradient in W_Q (C13)."),
        (Eq(by_key_map[f, e], to_keys, evaluate=False), "The gradient in W_K (C13)."),
        (Eq(K[a, b], overlap(a, b), evaluate=False), "How encodings overlap."),
        (
            Eq(EXPECTATION(key_map[f, e] ** 2), variance, evaluate=False),
            "Entries of both maps are independent, of mean 0 and one variance; G does not depend on them.",
        ),
        (Eq(sums[a], total(K[a, i], i), evaluate=False), "A row of K summed: (K 1)_a."),
    ),
    target=EXPECTATION(Derivative(S[a, b], rate)),
    steps=(
        Step(EXPECTATION(of_maps), "Scores are linear in either map: the product rule, at eta = 0."),
        Step(
            EXPECTATION(of_scores),
            "Each gradient put in; two encodings meet in K.",
            scope="symbolic L, d and d_k",
            differences=gradients_inserted,
        ),
        Step(
            averaged,
            "Products of two entries average to sigma_W^2 where the entries agree: keys meet in K, and so do queries.",
            scope="symbolic d and d_k",
            differences=entries_are_independent,
        ),
    ),
    conclusion="This is -2 sigma^2 K G K, entry by entry: half from either map.",
    shows=("Let K = P P^T",),
    further=(KEY_BIAS, SHARE),
    elsewhere=(("It is 1 where K 1 is constant", ("the share from K itself, Vaswani's encodings",)),),
)
