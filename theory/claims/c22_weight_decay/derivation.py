"""C22: averaged over the rotations of a sequence, what every key would write is the same."""

from sympy import Derivative, Eq, Integer, Mod, Symbol, expand

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A, L, S, a, b, j, k, s, spelled_out, total
from theory.symbolic.printers import EXPECTATION

LARGEST_EXACT = 4

t = Symbol("t", integer=True, nonnegative=True)
loss = Symbol("l", real=True)
turned = lambda position: s[Mod(position + t, L)]

of_each_rotation = total(A[a, b] / L * (turned(b) - total(A[a, k] * turned(k), k)), t) / L
exchanged = A[a, b] / L**2 * (total(turned(b), t) - total(A[a, k] * total(turned(k), t), k))
all_alike = A[a, b] / L**2 * (total(s[j], j) - total(A[a, k], k) * total(s[j], j))


def sums_are_exchanged():
    """L = 2..4, every query and key."""
    yield from written_out(of_each_rotation, exchanged)


def every_position_is_visited_once():
    """L = 2..4, every query and key."""
    yield from written_out(exchanged, all_alike)


def rows_of_weights_sum_to_one():
    """L = 2..4, with A_a0 = 1 - the others."""
    for length in range(2, LARGEST_EXACT + 1):
        rest = 1 - sum(A[a, key] for key in range(1, length))
        yield expand(spelled_out(all_alike, length).subs(A[a, 0], rest))


def written_out(first, second):
    """Both forms with a symbol for each s and each weight."""
    for length in range(2, LARGEST_EXACT + 1):
        for key in range(length):
            yield expand(spelled_out(first.subs(b, key), length) - spelled_out(second.subs(b, key), length))


DERIVATION = Derivation(
    label="C22",
    given=(
        (
            s[j],
            "s_j = u^T V x_j; the rotated sequence has s_{j + t mod L}, with the same u: at circulant "
            "scores every key receives 1/L (C3), so the pooled vector, and with it dl/dz, does not change.",
        ),
        (Eq(total(A[a, k], k), 1, evaluate=False), "Weights of a query sum to 1."),
    ),
    target=EXPECTATION(Derivative(loss, S[a, b])),
    steps=(
        Step(
            of_each_rotation,
            "The label gradient (C2), averaged over the L rotations of a sequence: cyclically stationary "
            "data of one class are a mixture of such orbits.",
        ),
        Step(
            exchanged,
            "The finite sums are exchanged; weights do not depend on the rotation.",
            scope="L = 2..4, every key",
            differences=sums_are_exchanged,
        ),
        Step(
            all_alike,
            "Over all rotations every key holds every token once.",
            scope="L = 2..4, every key",
            differences=every_position_is_visited_once,
        ),
        Step(
            Integer(0),
            "The weights of a query sum to 1.",
            scope="L = 2..4, every key",
            differences=rows_of_weights_sum_to_one,
        ),
    ),
    conclusion=(
        "Label training leaves circulant scores where they are, so decoupled decay is all that acts: each "
        "step multiplies them by 1 - eta lambda, and a product of two decaying factors by its square."
    ),
    shows=("If the data are cyclically stationary",),
    elsewhere=(
        (
            "A pretrained kernel",
            (
                "decay of scores and of products",
                "free scores decay alone",
            ),
        ),
        (
            "Labels neither hold",
            (
                "free scores decay alone",
                "no slope in any direction",
            ),
        ),
    ),
)
