"""C17, derived: how much of a band the labels see. Symbolic L and half-width w with 2w < L."""

from collections.abc import Iterator

import sympy
from sympy import IndexedBase, Sum

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import L, difference, i, j, k, resolve, total

w, m = sympy.symbols("h m", integer=True, positive=True)
D, n, d = (IndexedBase(name, real=True) for name in ("D", "n", "delta"))
LARGEST_EXACT = 12


def share(spread: sympy.Expr, everything: sympy.Expr, squares: sympy.Expr) -> sympy.Expr:
    """Visible over non-gauge squared norm: spread / L against everything - squares / L."""
    return spread / L / (everything - squares / L)


def tails(power: int) -> sympy.Expr:
    """Neighbours missing at the two ends, to a power, summed: key j = h - m lacks m of them."""
    return 2 * Sum(m**power, (m, 1, w))


MEAN = total(n[k], k) / L
LACKING = 2 * w + 1 - d[j]
LEFT = L * (2 * w + 1) - tails(1)
SQUARES = L * (2 * w + 1) ** 2 - 2 * (2 * w + 1) * tails(1) + tails(2)
MISSING, MISSING_SQUARES = w * (w + 1), w * (w + 1) * (2 * w + 1) / 3
CLOSED = share(
    MISSING_SQUARES - MISSING**2 / L,
    L * (2 * w + 1) - MISSING,
    L * (2 * w + 1) ** 2 - 2 * (2 * w + 1) * MISSING + MISSING_SQUARES,
)


def without_what_is_missing() -> Iterator[sympy.Expr]:
    """Spread, sum and sum of squares of n_j = 2h + 1 - delta_j."""
    visible_sum, its_squares = resolve(total(LACKING, j)), resolve(total(sympy.expand(LACKING**2), j))
    yield difference(its_squares - visible_sum**2 / L, total(d[j] ** 2, j) - total(d[j], j) ** 2 / L)
    yield difference(visible_sum, L * (2 * w + 1) - total(d[j], j))
    squares = L * (2 * w + 1) ** 2 - 2 * (2 * w + 1) * total(d[j], j) + total(d[j] ** 2, j)
    yield difference(its_squares, squares)


def ends_counted() -> Iterator[sympy.Expr]:
    """L = 2..12 and every h with 2h < L: the delta_j, column by column, against the two ends."""
    for length in range(2, LARGEST_EXACT + 1):
        for width in range((length + 1) // 2):
            lacking = [2 * width + 1 - sum(abs(q - p) <= width for q in range(length)) for p in range(length)]
            for power in (1, 2):
                yield sum(each**power for each in lacking) - tails(power).subs(w, width).doit()


DERIVATION = Derivation(
    label="C17",
    given=(
        (
            sympy.Eq(D[i, j], sympy.Piecewise((1, sympy.Abs(i - j) <= w), (0, True)), evaluate=False),
            "The band of half-width h, with 2h < L.",
        ),
        (
            sympy.Eq(n[j], total(D[i, j], i), evaluate=False),
            "How many queries see key j; by symmetry also how many keys query j sees.",
        ),
        (
            sympy.Eq(d[j], 2 * w + 1 - n[j], evaluate=False),
            "How many of 2h + 1 neighbours key j lacks: 0 off the ends, h - j at j < h, and mirrored.",
        ),
    ),
    target=sympy.Symbol("share"),
    steps=(
        Step(
            share(total((n[j] - MEAN) ** 2, j), total(n[j], j), total(n[j] ** 2, j)),
            "The key bias, L rows of (n_j - mean n)/L, over all but the gauge: sum D less its row means.",
        ),
        Step(
            share(total(n[j] ** 2, j) - total(n[j], j) ** 2 / L, total(n[j], j), total(n[j] ** 2, j)),
            "A sum of squared deviations is the sum of squares less the squared sum over L.",
        ),
        Step(
            share(
                total(d[j] ** 2, j) - total(d[j], j) ** 2 / L,
                L * (2 * w + 1) - total(d[j], j),
                L * (2 * w + 1) ** 2 - 2 * (2 * w + 1) * total(d[j], j) + total(d[j] ** 2, j),
            ),
            "A constant 2h + 1 does not change the deviations: only what is missing counts.",
            differences=without_what_is_missing,
        ),
        Step(
            share(tails(2) - tails(1) ** 2 / L, LEFT, SQUARES),
            "The keys at each end lack 1 to h neighbours, all others none.",
            scope="L = 2..12 and every h with 2h < L, column by column in integers",
            differences=ends_counted,
        ),
        Step(
            CLOSED,
            "The sums of m and of its squares up to h.",
            scope="symbolic L and h",
            differences=lambda: [
                sympy.expand(sympy.summation(m, (m, 1, w)) * 2 - MISSING),
                sympy.expand(sympy.summation(m**2, (m, 1, w)) * 2 - MISSING_SQUARES),
            ],
        ),
    ),
    conclusion=(
        "Only what is missing at the ends is visible; to leading order the share is h(h + 1)/(3 L^2), and it "
        "would be exactly 0 on a ring, where nothing is missing."
    ),
    shows=("The visible share of its squared norm",),
    elsewhere=(
        ("A band D_ij", ("the label's slope against jax.grad",)),
        ("At w = 4", ("certificate: every w, L = 2..14, rationals",)),
        ("For any D_ij = g", ("the share of any kernel from its running sums",)),
        ("Closed into a ring", ("the band closed into a ring",)),
    ),
)
