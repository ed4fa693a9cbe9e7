"""C9: on a ring the two gradients, multiplied entry by entry and summed, cancel lag by lag."""

from sympy import Eq, IndexedBase, Integer, KroneckerDelta, Mod, Symbol, expand

from theory.claims.index_sums import L, i, j, k, of_indexed, s, spelled_out, total, v
from theory.derivations.derivation import Derivation, Step

LARGEST_EXACT = 4

w, R, C, G = (IndexedBase(name, real=True) for name in ("w", "R", "C", "G"))
q, r = Symbol("q", integer=True), Symbol("r", integer=True)
Q = Symbol("Q", real=True)
lag = lambda query, key: Mod(key - query, L)

kept = lambda at: (1 - KroneckerDelta(at, 0)) * w[at]
response = (1 - KroneckerDelta(r, 0)) * (v**2 * total(kept(q) * C[Mod(r - q, L)], q) - v * C[r])
R_on_the_ring = lambda at: response.subs(r, at)

label = w[lag(i, j)] / L * (s[j] - total(w[lag(i, k)] * s[k], k))
reconstruction = w[lag(i, j)] / L * (R[lag(i, j)] - total(w[lag(i, k)] * R[lag(i, k)], k))
by_entries = total(total(reconstruction * label, j), i)
by_kernel = total(total(G[lag(i, j)] * label, j), i)
in_columns = (
    total(s[j] * total(G[lag(i, j)] * w[lag(i, j)], i), j) / L
    - total(total(G[r] * w[r], r) * total(w[lag(i, k)] * s[k], k), i) / L
)
summed = (Q * total(s[j], j) - Q * total(s[k] * total(w[r], r), k)) / L


def for_each_length(*forms):
    """L = 2..4 with a symbol for every lag of w and R and every s; weights sum to 1."""
    for length in range(2, LARGEST_EXACT + 1):
        first = 1 - sum(w[at] for at in range(1, length))
        kernel = lambda at, length=length: (
            w[at] / length * (R[at] - sum(w[each] * R[each] for each in range(length)))
        )
        written = [
            of_indexed(spelled_out(form, length), G, kernel).subs(
                Q, sum(kernel(Integer(each)) * w[each] for each in range(length))
            )
            for form in forms
        ]
        yield expand((written[0] - written[1]).subs(w[0], first))


DERIVATION = Derivation(
    label="C9",
    given=(
        (w[lag(i, j)], "Circulant scores have circulant weights A_ij = w(j - i mod L), and w sums to 1."),
        (
            Eq(R[r], response, evaluate=False),
            "The slope of the masked loss in a weight at lag r, from C8: for cyclically stationary data, "
            "C_ij = C(j - i mod L), it depends on the lag alone.",
        ),
        (
            Eq(G[r], w[r] / L * (R[r] - total(w[q] * R[q], q)), evaluate=False),
            "So the reconstruction gradient, which is a softmax's pull-back of R, is a circulant with "
            "kernel G.",
        ),
        (Eq(Q, total(G[r] * w[r], r), evaluate=False), "One number: the kernel G weighted by attention."),
    ),
    target=Symbol("<grad_rec, grad_label>"),
    steps=(
        Step(
            by_entries,
            "The inner product of the reconstruction and the label gradient (C8, C2), entry by entry.",
        ),
        Step(
            by_kernel,
            "The first factor depends on the lag alone: sum_k w(k - i) R(k - i) is the same for every "
            "query i.",
            scope="L = 2..4, every lag a symbol",
            differences=lambda: for_each_length(by_entries, by_kernel),
        ),
        Step(
            in_columns,
            "The bracket is multiplied out; in its second part the sum over j runs over all lags.",
            scope="L = 2..4, every lag a symbol",
            differences=lambda: for_each_length(by_kernel, in_columns),
        ),
        Step(
            summed,
            "Down a column and along a row every lag is met once (C3), so both sums over lags are Q and "
            "sum_r w(r).",
            scope="L = 2..4, every lag a symbol",
            differences=lambda: for_each_length(in_columns, summed),
        ),
        Step(
            Integer(0),
            "The weights sum to 1: the two parts cancel.",
            scope="L = 2..4, every lag a symbol",
            differences=lambda: for_each_length(summed, Integer(0)),
        ),
    ),
    conclusion=(
        "At circulant scores, on cyclically stationary data, the reconstruction gradient is circulant and "
        "orthogonal to every sample's label gradient, whatever the head and the loss."
    ),
)
