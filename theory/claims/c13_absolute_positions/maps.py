"""C13, derived: what any loss says to either map, and what labels say at uniform attention. Symbolic L."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, IndexedBase, Sum, Symbol, sqrt

from theory.claims.c13_absolute_positions.symbolic import P
from theory.symbolic.derivation import Chain, Step
from theory.symbolic.index_sums import L, a, b, difference, i, j, k, of_indexed, resolve, s, total

d = Symbol("d", integer=True, positive=True)
features = Symbol("d_k", integer=True, positive=True)
f, g, e, m, n = sympy.symbols("f g c_k m n", integer=True, nonnegative=True)
G, query_map, key_map = (IndexedBase(name, real=True) for name in ("G", "W_Q", "W_K"))
loss = Symbol("l", real=True)


def columns(term: sympy.Expr, *of: Symbol) -> sympy.Expr:
    """Sum over all d columns of the encodings."""
    return Sum(term, *((column, 0, d - 1) for column in of))


def key(position: sympy.Expr) -> sympy.Expr:
    """(P W_K) at a position, column e."""
    return columns(P[position, n] * key_map[n, e], n)


def query(position: sympy.Expr) -> sympy.Expr:
    """(P W_Q) at a position, column e."""
    return columns(P[position, m] * query_map[m, e], m)


def contrast(position: sympy.Expr) -> sympy.Expr:
    """s_j - mean s."""
    return s[position] - total(s[k], k) / L


column = Symbol("c", integer=True, nonnegative=True)
of_column = lambda base: {base[m, e]: base[m, column], base[n, e]: base[n, column]}
SCORE = Sum(
    columns(P[i, m] * query_map[m, column], m) * columns(P[j, n] * key_map[n, column], n),
    (column, 0, features - 1),
) / sqrt(features)
by_query = total(total(G[i, j] * Derivative(SCORE, query_map[f, e], evaluate=False), j), i)
by_key = total(total(G[i, j] * Derivative(SCORE, key_map[f, e], evaluate=False), j), i)
to_queries = total(P[i, f] * total(G[i, j] * key(j), j), i) / sqrt(features)
to_keys = total(P[j, f] * total(G[i, j] * query(i), i), j) / sqrt(features)


def a_score_is_linear_in_each_map() -> Iterator[sympy.Expr]:
    """Sympy's derivative of one score in one entry of either map, and the coefficient of each G_ab."""
    of_one = P[i, f] * key(j) / sqrt(features), P[j, f] * query(i) / sqrt(features)
    for base, slope, claimed in zip((query_map, key_map), of_one, (to_queries, to_keys), strict=True):
        yield difference(SCORE.diff(base[f, e]), slope)
        yield difference(total(total(G[i, j] * slope, j), i).diff(G[a, b]), claimed.diff(G[a, b]))


BOTH_MAPS = (
    Chain(
        shows=("With S = P W_Q",),
        target=Derivative(loss, query_map[f, e]),
        steps=(
            Step(by_query, "The chain rule through every score."),
            Step(
                to_queries,
                "A score is linear in W_Q: what is left is P^T G times the keys.",
                scope="symbolic L, d and d_k",
                differences=a_score_is_linear_in_each_map,
            ),
        ),
        conclusion="This is P^T G P W_K/sqrt(d_k), entry by entry.",
    ),
    Chain(
        shows=("With S = P W_Q",),
        target=Derivative(loss, key_map[f, e]),
        steps=(
            Step(by_key, "The same for the keys."),
            Step(
                to_keys,
                "A score is linear in W_K as well: P^T G^T times the queries.",
                scope="symbolic L, d and d_k",
                differences=a_score_is_linear_in_each_map,
            ),
        ),
        conclusion="This is P^T G^T P W_Q/sqrt(d_k), entry by entry.",
    ),
)

uniform_queries = total(P[i, f], i) * total(contrast(j) * key(j), j) / (L**2 * sqrt(features))
by_mean_key = total(P[i, f], i) * total(s[j] * (key(j) - total(key(k), k) / L), j) / (L**2 * sqrt(features))
uniform_keys = total(query(i), i) * total(contrast(j) * P[j, f], j) / (L**2 * sqrt(features))


def key_bias_inserted() -> Iterator[sympy.Expr]:
    """G_ij = (s_j - mean s)/L^2 put into both; the coefficient of every entry of the other map."""
    put_in = lambda expression: of_indexed(expression, G, lambda query, key: contrast(key) / L**2)
    slope = lambda expression, entry: resolve(sympy.expand(expression)).diff(entry)
    for before, after, entry in (
        (to_queries, uniform_queries, key_map[g, e]),
        (to_keys, uniform_keys, query_map[g, e]),
    ):
        yield difference(slope(put_in(before), entry), slope(after, entry))


def contrasts_sum_to_zero() -> Iterator[sympy.Expr]:
    """The coefficient of every s_b times every entry of W_K, on both sides."""
    slope = lambda expression: resolve(resolve(sympy.expand(expression)).diff(key_map[g, e])).diff(s[b])
    yield difference(slope(uniform_queries), slope(by_mean_key))


AT_UNIFORM = (
    Chain(
        shows=("At uniform attention the label gradient",),
        target=Derivative(loss, query_map[f, e]),
        steps=(
            Step(to_queries, "The gradient in W_Q from that in the scores."),
            Step(
                uniform_queries,
                "At uniform attention G_ij does not depend on the query (C2): P^T 1 times a row.",
                differences=key_bias_inserted,
            ),
            Step(
                by_mean_key,
                "Contrasts sum to 0 over keys, so that each s_j meets its key less the mean key.",
                differences=contrasts_sum_to_zero,
            ),
        ),
        conclusion=(
            "Rank one, and 0 for centred encodings. Where P^T 1 is not 0 it vanishes for every s, that is for "
            "every sample, only if each key is the mean key."
        ),
    ),
    Chain(
        shows=("At uniform attention the label gradient",),
        target=Derivative(loss, key_map[f, e]),
        steps=(
            Step(to_keys, "The gradient in W_K from that in the scores."),
            Step(
                uniform_keys,
                "At uniform attention: the sum of all queries times a row.",
                differences=key_bias_inserted,
            ),
        ),
        conclusion="It vanishes where the mean query does.",
    ),
)
