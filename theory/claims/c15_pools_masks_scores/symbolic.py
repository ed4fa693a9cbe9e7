"""C15 in symbols: content-dependent scores, circulant RoPE, ALiBi's mass, and ranks in rationals. Exact."""

from collections.abc import Iterator

import sympy
from sympy import IndexedBase, Rational, Symbol

from theory.label_blindness.pool_visibility import VISIBILITY
from theory.minimal_model.pools import (
    causal_mean_pool,
    content_mean_pool,
    last_token,
    mean_pool,
    padded_mean_pool,
)
from theory.symbolic.index_sums import L, difference, i, j, k, resolve, s, total

LARGEST_EXACT = 5
X, W = IndexedBase("X", real=True), IndexedBase("W", real=True)


def content_gradient():
    """Symbolic L, tokens of width 2: dz/dW_pq at W = 0 is mean_i X_ip mean_j (s_j - mean s) X_jq."""
    score = lambda query, key: sum(X[query, p] * W[p, q] * X[key, q] for p in range(2) for q in range(2))
    weight = sympy.exp(score(i, j)) / total(sympy.exp(score(i, k)), k)
    is_interaction = lambda e: isinstance(e, sympy.Indexed) and e.base == W
    for p, q in ((0, 0), (0, 1)):
        slope = resolve(total(total(weight * s[j], j).diff(W[p, q]), i) / L)
        flat = resolve(slope.replace(is_interaction, lambda e: sympy.Integer(0)))
        centred = total(s[j] * X[j, q], j) / L - total(s[j], j) / L * total(X[j, q], j) / L
        yield difference(flat, total(X[i, p], i) / L * centred)


def whole_turns_are_never_seen():
    """Certificate, L = 2..5: cos and sin of 2 pi (j - i)/L sum to 0 over queries; circulant columns agree."""
    for length in range(2, LARGEST_EXACT + 1):
        turn = lambda lag, length=length: 2 * sympy.pi * lag / length
        for wave in (sympy.cos, sympy.sin):
            yield sympy.nsimplify(sympy.simplify(sum(wave(turn(lag)) for lag in range(length))))
        kernel = sympy.symbols(f"g0:{length}", positive=True)  # exponentials of the scores
        columns = [sum(kernel[(key - query) % length] for query in range(length)) for key in range(length)]
        yield from (sympy.expand(column - sum(kernel)) for column in columns)


def open_turns_in_rationals():
    """Certificate, L = 2..5, at an angle with cos 3/5, sin 4/5: rank of the response of c to a and b.

    At uniform attention, and at weights that depend on the lag as those of RoPE do.
    """
    pair = next(row for row in VISIBILITY if row.name.startswith("RoPE, one pair"))
    turn = sympy.Matrix([[Rational(3, 5), Rational(-4, 5)], [Rational(4, 5), Rational(3, 5)]])
    for length in range(2, LARGEST_EXACT + 1):
        waves = [
            sympy.Matrix(length, length, lambda p, q, part=part: (turn ** (q - p))[part, 0])
            for part in (0, 1)
        ]
        for size, uniform in ((pair.uniform, True), (pair.general, False)):
            lagged = lambda p, q, uniform=uniform: 1 if uniform else 1 + (q - p) * (q - p + 3) % 7
            full = sympy.Matrix(length, length, lambda p, q, lagged=lagged: Rational(lagged(p, q)))
            blocks = row_gradients(sympy.diag(*(1 / sum(full.row(p)) for p in range(length))) * full)
            responses = [
                sympy.Matrix([list(wave.row(query) * block) for wave in waves])
                for query, block in enumerate(blocks)
            ]
            felt = sum(responses, sympy.zeros(2, length))
            yield sympy.Integer(felt.rank() - size(length, 1))
    yield from half_turns(row_gradients)


def half_turns(gradients) -> Iterator[sympy.Expr]:
    """f = pi: cos pi(j - i) = (-1)^(j-i), sin 0: rank 1 at odd L; at even L the turn closes, rank 0."""
    for length in range(2, LARGEST_EXACT + 1):
        wave = sympy.Matrix(length, length, lambda p, q: (-1) ** (q - p))
        blocks = gradients(sympy.ones(length) / length)
        felt = sum((wave.row(query) * block for query, block in enumerate(blocks)), sympy.zeros(1, length))
        yield sympy.Integer(felt.rank() - length % 2)


def alibi_mass():
    """Geometric sums: the mass within a window on either side, and its limit in a long sequence."""
    decay, (left, right) = Symbol("b", positive=True), sympy.symbols("l r", integer=True, nonnegative=True)
    n = Symbol("n", integer=True)
    side = lambda distance: sympy.summation(decay**n, (n, 1, distance)).args[1][0]  # b != 1
    claimed = (1 + decay - decay ** (left + 1) - decay ** (right + 1)) / (1 - decay)
    yield sympy.simplify(1 + side(left) + side(right) - claimed)


def row_gradients(weights: sympy.Matrix) -> Iterator[sympy.Matrix]:
    """For each query i, the map s -> A_ij (s_j - sum_k A_ik s_k)."""
    for query in range(weights.rows):
        row = weights.row(query)
        yield sympy.diag(*row) - row.T * row


def rational_weights(length: int, uniform: bool) -> sympy.Matrix:
    """Uniform attention, or rows with no symmetry."""
    sizes = lambda p, q: 1 if uniform else 1 + (p + 2) * (q + 1) ** 2 % 7
    full = sympy.Matrix(length, length, lambda p, q: Rational(sizes(p, q)))
    return sympy.Matrix(length, length, lambda p, q: full[p, q] / sum(full.row(p)))


def ranks_in_rationals():
    """Certificate, L = 2..5, uniform and not: mean pool, last token, causal and padded visible dimensions."""
    claimed = {row.read: (row.general, row.uniform) for row in VISIBILITY}
    for length in range(2, LARGEST_EXACT + 1):
        for uniform in (True, False):
            weights = rational_weights(length, uniform)
            blocks = list(row_gradients(weights))
            rows = [masked_block(weights.row(query), query + 1) for query in range(length)]
            sizes = [padded_block(weights, real) for real in range(1, length + 1)]
            felt = {
                mean_pool: sympy.Matrix.vstack(*blocks),
                last_token: blocks[-1],
                causal_mean_pool: sympy.Matrix.vstack(*rows),
                padded_mean_pool: sympy.Matrix.hstack(*sizes),
            }
            yield from (matrix.rank() - claimed[read][uniform](length, 1) for read, matrix in felt.items())
    yield from two_centred_tokens(claimed[content_mean_pool][False](2, 1))


def two_centred_tokens(claimed: int) -> Iterator[sympy.Expr]:
    """Tokens x and -x, values s and -s, scores +-q with q = x^T W x: the mean pool reads 0 at any W."""
    q, size = sympy.symbols("q s", real=True)
    own = sympy.exp(q) / (sympy.exp(q) + sympy.exp(-q))
    read = (own * size - (1 - own) * size + (1 - own) * size - own * size) / 2
    yield sympy.simplify(read)
    yield sympy.Integer(claimed)


def masked_block(row: sympy.Matrix, visible_count: int) -> sympy.Matrix:
    """s -> A_j (s_j - sum_k A_k s_k) for a query that sees its first keys."""
    weights = sympy.Matrix(1, row.cols, lambda _, q: row[q] if q < visible_count else 0)
    weights /= sum(weights)
    return sympy.diag(*weights) - weights.T * weights


def padded_block(weights: sympy.Matrix, real: int) -> sympy.Matrix:
    """The gradient of a sequence with that many real tokens, as a map of s, all queries stacked."""
    empty = sympy.zeros(weights.rows, weights.rows)
    rows = [
        masked_block(weights.row(query), real) if query < real else empty for query in range(weights.rows)
    ]
    return sympy.Matrix.vstack(*rows)
