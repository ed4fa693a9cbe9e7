"""C1: the pooled vector, read along any direction u, is a sum over keys of the attention they receive."""

from sympy import Eq, IndexedBase, Symbol

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A, L, a, b, i, j, of_indexed, resolve, s, total

c = IndexedBase("c", real=True)
Z = Symbol("z_u", real=True)

by_query = total(total(A[i, j] * s[j], j), i) / L
by_key = total(total(A[i, j] * s[j], i), j) / L
received = total(A[i, j], i) / L
read = total(c[j] * s[j], j)
departure = total(s[j], j) / L + total((c[j] - 1 / L) * s[j], j)


def slopes_in_every_weight():
    """Both forms are linear in A without a constant, so they agree when every slope does."""
    yield resolve(by_query.diff(A[a, b])) - resolve(by_key.diff(A[a, b]))


def the_bracket_is_received_attention():
    """The same test once c_j is spelled out."""
    spelled = of_indexed(read, c, lambda key: total(A[i, key], i) / L)
    yield resolve(by_key.diff(A[a, b])) - resolve(spelled.diff(A[a, b]))


DERIVATION = Derivation(
    label="C1",
    given=(
        (s[j], "What key j would write, read along u = dl/dz: s_j = u^T V x_j, free of the scores."),
        (Eq(c[j], received, evaluate=False), "The mean attention that key j receives; the c_j sum to 1."),
    ),
    target=Z,
    steps=(
        Step(by_query, "The mean over queries of what each collects, read along u: z_u = u^T z."),
        Step(
            by_key,
            "The two finite sums are exchanged.",
            differences=slopes_in_every_weight,
        ),
        Step(
            read,
            "s_j does not depend on the query, so the inner sum is L times the received attention c_j.",
            differences=the_bracket_is_received_attention,
        ),
        Step(departure, "Split off uniform attention, c_j = 1/L, which every score matrix shares."),
    ),
    conclusion=(
        "The scores enter every head, loss and label through c alone, L numbers with a fixed sum: at most "
        "L - 1 of the L (L - 1) directions that are not gauge are visible. Exactly L - 1 are, because "
        "along key biases the slope of L c is the positive Hessian of C4."
    ),
    shows=(
        "The mean-pooled vector",
        "For every head after the pool",
    ),
    elsewhere=(
        (
            "The differential of c",
            (
                "dimensions and visible share, symbolic L",
                "certificate: rank L - 1, L = 2..6, rationals",
            ),
        ),
    ),
)
