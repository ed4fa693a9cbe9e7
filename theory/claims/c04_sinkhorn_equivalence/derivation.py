"""C4: the slope of a convex potential is the imbalance of received attention."""

from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Symbol, exp, log

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import A, L, S, a, difference, i, j, k, of_indexed, total

beta, c = IndexedBase("beta", real=True), IndexedBase("c", real=True)
F = Symbol("F", real=True)

partition = total(exp(S[i, k] + beta[k]), k)
potential = total(log(total(exp(S[i, j] + beta[j]), j)), i) - total(beta[j], j)
with_deltas = total(total(KroneckerDelta(j, a) * exp(S[i, j] + beta[j]), j) / partition, i) - total(
    KroneckerDelta(j, a), j
)
collapsed = total(exp(S[i, a] + beta[a]) / partition, i) - 1
column = total(A[i, a], i) - 1


def the_potential_is_differentiated():
    """Sympy's derivative of F in beta_a."""
    yield difference(potential.diff(beta[a]), with_deltas)


def the_ratio_is_a_weight():
    """A is the softmax of S + 1 beta^T."""
    yield difference(
        of_indexed(column, A, lambda query, key: exp(S[query, key] + beta[key]) / partition), collapsed
    )


def the_column_sum_is_received_attention():
    """c_a = (1/L) sum_i A_ia."""
    yield difference((L * c[a] - 1).subs(c[a], total(A[i, a], i) / L), column)


DERIVATION = Derivation(
    label="C4",
    given=(
        (Eq(F, potential, evaluate=False), "The potential of a key bias beta at scores S."),
        (
            Eq(A[i, a], exp(S[i, a] + beta[a]) / partition, evaluate=False),
            "The weights at the biased scores S + 1 beta^T.",
        ),
        (Eq(c[a], total(A[i, a], i) / L, evaluate=False), "The mean attention that key a receives there."),
    ),
    target=Derivative(F, beta[a]),
    steps=(
        Step(Derivative(potential, beta[a]), "The definition of F."),
        Step(
            with_deltas,
            "d log(sum) = d(sum) / sum, and beta_j depends on beta_a only for j = a.",
            differences=the_potential_is_differentiated,
        ),
        Step(collapsed, "The deltas collapse the sums over keys."),
        Step(column, "What remains is a softmax weight.", differences=the_ratio_is_a_weight),
        Step(
            L * c[a] - 1,
            "The sum over queries is L times the received attention.",
            differences=the_column_sum_is_received_attention,
        ),
    ),
    conclusion=(
        "F is stationary exactly where every key receives 1/L. Along y its second derivative is the sum "
        "over queries of the variance of y under A_i, positive unless y is constant, and F grows without "
        "bound along sum-zero directions: the balancing bias exists and is unique up to a constant."
    ),
    shows=("It is the minimiser of a potential F",),
    elsewhere=(
        (
            "For every finite score matrix",
            (
                "received attention is uniform, scores of size 30",
                "the bias is unique",
            ),
        ),
        (
            "It is the minimiser of a potential F",
            (
                "gradient and Hessian of the potential, symbolic L",
                "the Hessian is a variance, L = 2..6",
            ),
        ),
        ("So every attention pattern", ("label loss equals that of uniform attention",)),
    ),
)
