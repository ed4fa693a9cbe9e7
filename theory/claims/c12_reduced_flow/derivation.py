"""C12: on a ring the masked loss of L^2 scores is a function of one kernel."""

from sympy import Eq, IndexedBase, KroneckerDelta, Mod, Symbol, expand

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import L, i, j, k, spelled_out, total, v

LARGEST_EXACT = 5

w, b, C = (IndexedBase(name, real=True) for name in ("alpha", "B", "C"))
r, q = Symbol("r", integer=True), Symbol("q", integer=True)
loss = Symbol("l", real=True)
lag = lambda query, key: Mod(key - query, L)

by_entries = (
    total(
        C[0] / 2
        - v * total(b[lag(i, k)] * C[lag(i, k)], k)
        + v**2 * total(total(b[lag(i, k)] * C[lag(k, j)] * b[lag(i, j)], j), k) / 2,
        i,
    )
    / L
)
agreement, power = total(b[r] * C[r], r), total(total(b[r] * C[lag(r, q)] * b[q], q), r)
by_lags = total(C[0] / 2 - v * agreement + v**2 * power / 2, i) / L
reduced = (C[0] - 2 * v * agreement + v**2 * power) / 2


def lags_from_each_query():
    """L = 2..5, every lag of B and C a symbol."""
    for length in range(2, LARGEST_EXACT + 1):
        yield expand(spelled_out(by_entries, length) - spelled_out(by_lags, length))


DERIVATION = Derivation(
    label="C12",
    given=(
        (
            Eq(b[r], w[r] * (1 - KroneckerDelta(r, 0)), evaluate=False),
            "Circulant scores of kernel g have weights A_ij = alpha(j - i mod L), alpha = softmax(g); B "
            "is alpha without lag 0.",
        ),
        (C[lag(i, j)], "Cyclically stationary tokens: E x_i x_j = C(j - i mod L)."),
    ),
    target=loss,
    steps=(
        Step(by_entries, "The masked loss of C8 with circulant weights and covariance."),
        Step(
            by_lags,
            "Seen from query i, keys k = i + r and j = i + q run over all lags, and their own lag is q - "
            "r: no term depends on i.",
            scope="L = 2..5, every lag a symbol",
            differences=lags_from_each_query,
        ),
        Step(reduced, "The mean over L equal queries."),
    ),
    conclusion=(
        "At circulant scores the full gradient is circulant (C9), so the flow never leaves them, and along "
        "them the loss is this function of g: the kernel follows its own gradient, L times as fast as each "
        "score."
    ),
    shows=("Under cyclic stationarity circulant scores",),
    elsewhere=(
        (
            "Under cyclic stationarity circulant scores",
            ("certificate: full and reduced response agree, L = 3..6",),
        ),
        (
            "Since dl/dg_r",
            (
                "kernel gradient against jax's, reduced and full",
                "100 steps of both flows",
            ),
        ),
        (
            "For a cyclic Markov process",
            (
                "the Markov precision, L = 3..8",
                "the minimum and its family, L = 3..8",
            ),
        ),
    ),
)
