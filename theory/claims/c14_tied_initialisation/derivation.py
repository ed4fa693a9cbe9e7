"""C14, derived: the mean score of tied maps on sinusoidal encodings. Symbolic width and features."""

from collections.abc import Iterator

import sympy
from sympy import IndexedBase, KroneckerDelta, Sum, cos, sin

from theory.claims.c14_tied_initialisation.symbolic import P, features, variance, width
from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import difference, i, j

LARGEST_WIDTH = 8
E, w = (IndexedBase(name, real=True) for name in ("Sigma", "nu"))
c, m = sympy.symbols("c f", integer=True, nonnegative=True)
a, b = sympy.symbols("f g", integer=True, nonnegative=True)
COLUMNS = [(b, 0, width - 1), (a, 0, width - 1), (c, 0, features - 1)]
HALF = (m, 0, width / 2 - 1)

BY_MOMENTS = Sum(P[i, a] * P[j, b] * E[a, b], *COLUMNS) / sympy.sqrt(features)
BY_DELTAS = Sum(P[i, a] * P[j, b] * variance * KroneckerDelta(a, b), *COLUMNS) / sympy.sqrt(features)
SIZE = variance * sympy.sqrt(features)
BY_WAVES = SIZE * Sum(sin(w[m] * i) * sin(w[m] * j) + cos(w[m] * i) * cos(w[m] * j), HALF)


def moments_inserted() -> Iterator[sympy.Expr]:
    """Sigma_ab replaced by sigma^2 delta_ab."""
    is_moment = lambda e: isinstance(e, sympy.Indexed) and e.base == E
    yield difference(
        BY_MOMENTS.replace(is_moment, lambda e: variance * KroneckerDelta(*e.indices)), BY_DELTAS
    )


def waves_paired() -> Iterator[sympy.Expr]:
    """d = 2, 4, 6, 8: the columns of P, sine and cosine by turns, summed one by one."""
    for columns in range(2, LARGEST_WIDTH + 1, 2):
        at = lambda position, column: (cos if column % 2 else sin)(w[column // 2] * position)
        one_by_one = sum(at(i, column) * at(j, column) for column in range(columns))
        yield SIZE * one_by_one - BY_WAVES.subs(width, columns).doit()


def angles_added() -> Iterator[sympy.Expr]:
    """cos(x - y) = cos x cos y + sin x sin y, term by term."""
    waves = sin(w[m] * i) * sin(w[m] * j) + cos(w[m] * i) * cos(w[m] * j)
    yield sympy.expand_trig(cos(w[m] * i - w[m] * j)) - waves


DERIVATION = Derivation(
    label="C14",
    given=(
        (
            sympy.Eq(
                IndexedBase("S")[i, j],
                Sum(P[i, a] * P[j, b] * sympy.Symbol("W_ac") * sympy.Symbol("W_bc"), *COLUMNS)
                / sympy.sqrt(features),
                evaluate=False,
            ),
            "Tied maps: the same W, of d_k columns, for queries and keys.",
        ),
        (
            sympy.Eq(E[a, b], variance * KroneckerDelta(a, b), evaluate=False),
            "E W_ac W_bc, the same in each column c: independent entries of mean 0 and variance sigma^2.",
        ),
        (
            sympy.Eq(P[i, 2 * m], sin(w[m] * i), evaluate=False),
            "Sinusoidal encodings, with cosines in the odd columns.",
        ),
    ),
    target=sympy.Function("E")(IndexedBase("S")[i, j]),
    steps=(
        Step(BY_MOMENTS, "The expectation goes inside the sums: only second moments of W enter."),
        Step(BY_DELTAS, "Entries in different rows are independent of mean 0.", differences=moments_inserted),
        Step(
            SIZE * Sum(P[i, a] * P[j, a], (a, 0, width - 1)),
            "The delta collapses one sum, and d_k equal columns over their root leave it.",
            scope="symbolic d and d_k",
        ),
        Step(
            BY_WAVES,
            "The columns pair up, a sine and a cosine at each frequency.",
            scope="d = 2, 4, 6, 8, column by column",
            differences=waves_paired,
        ),
        Step(
            SIZE * Sum(cos(w[m] * (i - j)), HALF),
            "The cosine of a difference.",
            scope="symbolic d, d_k and positions, term by term",
            differences=angles_added,
        ),
    ),
    conclusion=(
        "The mean score depends on the distance alone and is largest at 0: attention is proximity-biased "
        "before any training; for independent W_Q and W_K the second moment is 0, and so is the mean score."
    ),
    shows=(
        "For independent entries",
        "Sinusoidal encodings have",
    ),
    elsewhere=(
        ("Tied maps W_Q = W_K = W make", ("certificate: no lag above the diagonal, L = 2..6",)),
        ("For Gaussian entries Var S", ("E exp S: five moments; mean and variance",)),
        ("The mass on |i - j| <= 1", ("proximity, counted in the matrix of weights",)),
    ),
)
