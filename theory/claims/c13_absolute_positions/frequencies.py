"""C13, derived: reconstruction's blocks, their size, and how maps grow. Exact at uniform attention."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, IndexedBase, KroneckerDelta, Mod, Symbol, cos, exp, sqrt

from theory.claims.c10_proximity_law.claim import law_symbol
from theory.claims.c13_absolute_positions.maps import e, f, features, g, key_map, query_map
from theory.symbolic.derivation import Chain, Step
from theory.symbolic.index_sums import C, L, i, j, resolve, spelled_out, total, v

LARGEST_EXACT = 6
G, angle, power = (IndexedBase(name, real=True) for name in ("G", "nu", "lambda"))
z = Symbol("z_L")
everything, pull, t = sympy.symbols("T m_f t", real=True)
r = Symbol("r", integer=True, nonnegative=True)

by_positions = total(total(z ** Mod(g * j - f * i, L) * G[Mod(j - i, L)], j), i)
by_lags = total(z ** Mod((g - f) * i, L), i) * total(z ** Mod(g * r, L) * G[r], r)
one_frequency = L * KroneckerDelta(f, g) * total(z ** Mod(f * r, L) * G[r], r)


def at_roots_of_unity(before: sympy.Expr, after: sympy.Expr) -> Iterator[sympy.Expr]:
    """L = 3..6, every pair of frequencies: the difference divided by the cyclotomic polynomial of L."""
    for length in range(3, LARGEST_EXACT + 1):
        minimal = sympy.cyclotomic_poly(length, z)
        for pair in range(length**2):
            at = dict(zip((f, g), divmod(pair, length), strict=True))
            gap = spelled_out(before.subs(at), length) - spelled_out(after.subs(at), length)
            entries = {G[lag]: Symbol(f"G{lag}") for lag in range(length)}
            yield sympy.rem(sympy.expand(gap.xreplace(entries)), minimal, z)


BLOCKS = Chain(
    shows=("For cyclically stationary data",),
    target=Symbol("G_fg"),
    steps=(
        Step(by_positions, "Two waves read a circulant gradient, z_L being a root of unity: (P^T G P)_fg."),
        Step(
            by_lags,
            "Seen from query i the key at lag r is i + r: a sum over queries and one over lags.",
            scope="L = 3..6, roots of unity in exact arithmetic",
            differences=lambda: at_roots_of_unity(by_positions, by_lags),
        ),
        Step(
            one_frequency,
            "A wave over full periods sums to 0, unless its frequency is 0.",
            scope="L = 3..6, roots of unity in exact arithmetic",
            differences=lambda: at_roots_of_unity(by_lags, one_frequency),
        ),
    ),
    conclusion=(
        "Frequencies do not mix. On a cosine and a sine the block is a scaled rotation, since its entry is one "
        "complex number; it is a multiple of the identity where G is even in the lag, as at uniform attention."
    ),
)

wave = cos(angle[f] * r)
by_law = L / 2 * total(law_symbol(r, C, everything, L) * wave, r)
SIZE = (v * (1 + v / L) * (power[f] - C[0]) + v**2 * everything / L) / (2 * L)


def spectrum_inserted() -> Iterator[sympy.Expr]:
    """The sums over lags: 0 for the wave, lambda_f for C times the wave."""
    spread = resolve(sympy.expand(by_law))
    known = {total(C[r] * wave, r): power[f], total(wave, r): 0}
    yield sympy.expand(spread.subs(known) - SIZE)


SPECTRUM = Chain(
    shows=("For cyclically stationary data",),
    target=pull,
    steps=(
        Step(by_law, "The law of C10, minus the gradient, read by a cosine on either side."),
        Step(SIZE, "Waves sum to 0, and C times a wave sums to lambda_f.", differences=spectrum_inserted),
    ),
    conclusion="The data's power at a frequency, less its mean share, sizes the block.",
)

start = query_map[f, e] + key_map[f, e], query_map[f, e] - key_map[f, e]
rate = pull / sqrt(features)
queries = (start[0] * exp(rate * t) + start[1] * exp(-rate * t)) / 2
keys = (start[0] * exp(rate * t) - start[1] * exp(-rate * t)) / 2
moved = rate * (start[0] * exp(rate * t) - start[1] * exp(-rate * t)) / 2


def both_rows_follow_their_flow() -> Iterator[sympy.Expr]:
    """dW_Q/dt = m_f W_K/sqrt(d_k) and dW_K/dt = m_f W_Q/sqrt(d_k), from the given start."""
    yield from (queries.diff(t) - moved, moved - rate * keys, keys.diff(t) - rate * queries)
    yield from (queries.subs(t, 0) - query_map[f, e], keys.subs(t, 0) - key_map[f, e])


GROWTH = Chain(
    shows=("To first order in e",),
    target=Derivative(Symbol("W_Q^t"), t),
    steps=(
        Step(Derivative(queries, t), "W_Q + W_K grows, W_Q - W_K fades."),
        Step(
            moved,
            "This is m_f/sqrt(d_k) times the keys' row, as the flow of small maps wants.",
            scope="any d_k and m_f",
            differences=both_rows_follow_their_flow,
        ),
    ),
    conclusion="The same holds with the maps exchanged; what is left out is of third order in the maps.",
)
