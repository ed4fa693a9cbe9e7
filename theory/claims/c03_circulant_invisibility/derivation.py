"""C3: on a ring every key meets every lag once, so it receives exactly 1/L."""

import sympy
from sympy import Eq, IndexedBase, Mod, Sum, Symbol

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A, L, difference, i, j, of_indexed, spelled_out, total

LARGEST_EXACT = 6

xi, c = IndexedBase("xi", positive=True), IndexedBase("c", real=True)
r = Symbol("r", integer=True)
Z = Symbol("Z", positive=True)

definition = total(A[i, j], i) / L
on_the_ring = total(xi[Mod(j - i, L)], i) / (L * Z)
split = (Sum(xi[j - i], (i, 0, j)) + Sum(xi[j - i + L], (i, j + 1, L - 1))) / (L * Z)
by_lag = total(xi[r], r) / (L * Z)


def the_weights_are_circulant():
    """A_ij = xi(j - i mod L) / Z, put in."""
    yield difference(of_indexed(definition, A, lambda query, key: xi[Mod(key - query, L)] / Z), on_the_ring)


def the_ring_is_cut():
    """L = 2..6, every key: both forms written out term by term."""
    for length in range(2, LARGEST_EXACT + 1):
        for key in range(length):
            whole, parts = (spelled_out(each.subs(j, key), length) for each in (on_the_ring, split))
            yield whole - parts


def pieces_join():
    """Both sums over queries as sums over the lag: 0..j and j+1..L-1 join to 0..L-1."""
    before, around = (piece for piece in sympy.Add.make_args(sympy.expand(L * Z * split)))
    joined = sum(each.change_index(i, lag_of(each), r) for each in (before, around))
    yield sympy.simplify(joined - L * Z * by_lag)


def lag_of(piece: Sum) -> sympy.Expr:
    """The lag as a function of the query, in a sum over t(lag)."""
    return piece.function.indices[0]


def the_normaliser_is_the_sum_over_lags():
    """Z = sum_r xi_r."""
    yield by_lag.subs(Z, total(xi[r], r)) - 1 / L


DERIVATION = Derivation(
    label="C3",
    given=(
        (
            Eq(A[i, j], xi[Mod(j - i, L)] / Z, evaluate=False),
            "Circulant scores S_ij = g(j - i mod L), with xi_r = e^{g(r)}: each row holds the same L "
            "numbers.",
        ),
        (Eq(Z, total(xi[r], r), evaluate=False), "So every row has the same normaliser."),
    ),
    target=c[j],
    steps=(
        Step(definition, "The mean attention that key j receives."),
        Step(on_the_ring, "The weights of a circulant.", differences=the_weights_are_circulant),
        Step(
            split,
            "The ring is cut: queries up to j are at lag j - i, those after it at lag j - i + L.",
            scope="L = 2..6, every key, exact arithmetic",
            differences=the_ring_is_cut,
        ),
        Step(
            by_lag,
            "With r for the lag the two pieces cover 0..j and j+1..L-1: every lag once.",
            differences=pieces_join,
        ),
        Step(
            1 / L, "The sum over lags is the normaliser Z.", differences=the_normaliser_is_the_sum_over_lags
        ),
    ),
    conclusion=(
        "c does not contain the kernel g, and the label loss sees the scores only through c (C1): it is "
        "constant along every circulant direction, at any magnitude."
    ),
    shows=(
        "If S_ij = g((j - i) mod L)",
        "The label loss is then exactly constant",
    ),
)
