"""C9: on a ring every query sees the same covariances in the same order, so its gradient row is the same."""

from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Mod, Symbol, expand

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A, L, S, i, k, of_indexed, spelled_out, total, v

LARGEST_EXACT = 4

w, R, C = (IndexedBase(name, real=True) for name in ("alpha", "R", "C"))
q, r, t = (Symbol(name, integer=True, nonnegative=True) for name in "qrt")
loss = Symbol("l", real=True)
key = Mod(i + r, L)
lag = lambda query, position: Mod(position - query, L)
off = lambda first, second: 1 - KroneckerDelta(first, second)


def response(query, position):
    """v^2 (B C)_ij - v C_ij off the diagonal, circulant weights and covariance put in."""
    weighted = total(off(t, query) * w[lag(query, t)] * C[lag(t, position)], t)
    return off(query, position) * (v**2 * weighted - v * C[lag(query, position)])


def response_at(distance):
    """The same as seen from the query: key t is at lag q, and C depends on lags alone."""
    weighted = total(off(q, 0) * w[q] * C[Mod(distance - q, L)], q)
    return off(distance, 0) * (v**2 * weighted - v * C[distance])


by_entries = A[i, key] / L * (R[i, key] - total(A[i, k] * R[i, k], k))
on_the_ring = w[r] / L * (response(i, key) - total(w[lag(i, k)] * response(i, k), k))
by_lags = w[r] / L * (response_at(r) - total(w[k] * response_at(k), k))


def entries_are_those_of_a_ring():
    """A_ij = alpha(j - i mod L) and R spelled out, for every query and lag."""
    circulant = of_indexed(by_entries, A, lambda query, position: w[lag(query, position)])
    yield from for_every_query_and_lag(of_indexed(circulant, R, response), on_the_ring)


def the_query_drops_out():
    """The sums over keys, taken lag by lag."""
    yield from for_every_query_and_lag(on_the_ring, by_lags)


def for_every_query_and_lag(first, second):
    """Both forms with a symbol for each lag of alpha and C, written out."""
    for length in range(2, LARGEST_EXACT + 1):
        for pair in range(length**2):
            at = dict(zip((i, r), divmod(pair, length), strict=True))
            yield expand(spelled_out(first.subs(at), length) - spelled_out(second.subs(at), length))


DERIVATION = Derivation(
    label="C9",
    given=(
        (
            Eq(A[i, k], w[lag(i, k)], evaluate=False),
            "Circulant scores have circulant weights, alpha = softmax(g).",
        ),
        (
            Eq(R[i, k], response(i, k), evaluate=False),
            "L times the masked loss's slope in A_ik (C8): v^2 (B C)_ik - v C_ik off the diagonal, with E "
            "x_i x_j = C(j - i mod L).",
        ),
    ),
    target=Derivative(loss, S[i, key]),
    steps=(
        Step(by_entries, "The reconstruction gradient at lag r from query i: the softmax's pull-back of R."),
        Step(
            on_the_ring,
            "Weights and covariances of a ring are put in.",
            scope="L = 2..4, every query and lag",
            differences=entries_are_those_of_a_ring,
        ),
        Step(
            by_lags,
            "Seen from query i the key at lag q is i + q, and the sums run over every lag once: i drops out.",
            scope="L = 2..4, every query and lag",
            differences=the_query_drops_out,
        ),
    ),
    conclusion=(
        "The gradient is the same for every query: a circulant. The label loss is constant along "
        "circulants (C3), so its gradient, of any sample, is orthogonal to this one."
    ),
    shows=("For cyclically stationary data",),
    elsewhere=(("It lies wholly inside", ("certificate: orthogonal to the label's, L = 2..5",)),),
)
