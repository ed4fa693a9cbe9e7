"""C23: the first of two linear residual layers is seen through two weighted column sums."""

from sympy import Derivative, Eq, IndexedBase, Symbol

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A as lower
from theory.symbolic.index_sums import L, S, a, as_softmax, b, difference, i, j, k, of_indexed, s, total

upper, c = IndexedBase("A^+", real=True), IndexedBase("c", real=True)
stream, direct, onward = (IndexedBase(name, real=True) for name in ("s^0", "s^2", "s^21"))
t, loss = IndexedBase("R", real=True), Symbol("l", real=True)

written = lambda position: total(lower[position, k] * s[k], k)
passed_on = lambda position: direct[position] + total(lower[position, k] * onward[k], k)
read = total(stream[i] + written(i) + total(upper[i, j] * passed_on(j), j), i) / L
centred = lambda first, values: values(b) - total(lower[first, k] * values(k), k)
through_both = lower[a, b] / L * centred(a, lambda key: s[key]) + lower[a, b] / L * total(
    upper[i, a], i
) * centred(a, lambda key: onward[key])
by_received = lower[a, b] * (centred(a, lambda key: s[key]) / L + c[a] * centred(a, lambda key: onward[key]))
closed = lower[a, b] / L * (t[a, b] - total(lower[a, k] * t[a, k], k))


def both_layers_are_differentiated():
    """Sympy's derivative of u^T z, the lower layer's weights spelled out."""
    yield difference(as_softmax(read).diff(S[a, b]), as_softmax(through_both))


def upper_column_sums_are_received_attention():
    """c_a = (1/L) sum_i A^+_ia."""
    yield difference(by_received.subs(c[a], total(upper[i, a], i) / L), through_both)


def responses_are_collected():
    """R_aj = s_j + L c_a s^21_j."""
    spelled = of_indexed(closed, t, lambda query, key: s[key] + L * c[query] * onward[key])
    yield difference(spelled, by_received)


DERIVATION = Derivation(
    label="C23",
    given=(
        (stream[j], "Of token j along u = dl/dz: s^0_j = u^T x_j, s^2_j = u^T V_2 x_j."),
        (
            s[j],
            "And what layer 1, or 2 after 1, writes of it: s_j = u^T V_1 x_j, s^21_j = u^T V_2 V_1 x_j.",
        ),
        (upper[i, j], "The weights of the upper layer, softmax of S_2; A is the lower layer's, of S = S_1."),
        (
            Eq(c[a], total(upper[i, a], i) / L, evaluate=False),
            "What a receives in the upper layer.",
        ),
        (
            Eq(t[a, b], s[b] + L * c[a] * onward[b], evaluate=False),
            "L u^T M_a x_b with M_a = V_1 / L + c_a V_2 V_1: the answer to what the lower layer writes at a.",
        ),
    ),
    target=Derivative(loss, S[a, b]),
    steps=(
        Step(
            Derivative(read, S[a, b]),
            "The pooled stream after both layers and residuals, along u.",
        ),
        Step(
            through_both,
            "The softmax's derivative; what is written at a is read directly, and through every query above.",
            differences=both_layers_are_differentiated,
        ),
        Step(
            by_received,
            "The column sums of the upper weights are its received attention.",
            differences=upper_column_sums_are_received_attention,
        ),
        Step(closed, "The two responses are collected.", differences=responses_are_collected),
    ),
    conclusion=(
        "For each key the data choose s_b and s^21_b freely, so R_ab / L fills span{1/L, c} over queries: 2 (L - 1) "
        "dimensions after centring if the upper layer's received attention is not uniform, L - 1 if it is."
    ),
    shows=("Two layers: M_i",),
    elsewhere=(
        ("Heads side by side", ("certificate: rho (L - 1) for heads, L = 3..6",)),
        ("Layers above each other", ("two layers, two under a uniform one, three: ranks 2, 1, 4",)),
        ("Two layers: M_i", ("certificate: 2 (L - 1) or L - 1 for two layers, L = 3..6",)),
    ),
)
