"""C8: the expected error of a masked token, its gradient, and independent masks with a matrix V. Symbolic L."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Sum, Symbol

from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import (
    A,
    C,
    L,
    S,
    a,
    as_softmax,
    b,
    difference,
    differentiated,
    i,
    j,
    k,
    of_indexed,
    resolve,
    total,
    v,
    x,
)
from theory.symbolic.printers import EXPECTATION

B = IndexedBase("B", real=True)
loss = Symbol("l_i", real=True)

error = (x[i] - v * total(B[i, k] * x[k], k)) ** 2 / 2
products = (
    x[i] ** 2 / 2
    - v * total(B[i, k] * x[i] * x[k], k)
    + v**2 * total(total(B[i, k] * B[i, j] * x[k] * x[j], j), k) / 2
)
moments = (
    C[i, i] / 2 - v * total(B[i, k] * C[i, k], k) + v**2 * total(total(B[i, k] * C[k, j] * B[i, j], j), k) / 2
)
by_parts = (
    EXPECTATION(x[i] ** 2) / 2
    - v * total(B[i, k] * EXPECTATION(x[i] * x[k]), k)
    + v**2 * total(total(B[i, k] * B[i, j] * EXPECTATION(x[k] * x[j]), j), k) / 2
)


def expected(expression):
    """Each expectation of a quadratic form in the tokens as 1/2 sum_ab C_ab d2/dx_a dx_b of it."""
    moment = lambda form: total(total(resolve(form.diff(x[a]).diff(x[b])) * C[a, b] / 2, a), b)
    return expression.replace(EXPECTATION, moment)


def the_square_is_multiplied_out():
    """Two quadratic forms agree when their second derivatives do."""
    yield difference(error.diff(x[a]).diff(x[b]), products.diff(x[a]).diff(x[b]))


def expectation_is_linear():
    """Both sides in second moments."""
    yield difference(expected(EXPECTATION(products)), expected(by_parts))


def products_of_tokens_have_known_moments():
    """E x_k x_j = C_kj."""
    yield difference(expected(by_parts), moments)


R = IndexedBase("R", real=True)
other = lambda query, key: A[query, key] * (1 - KroneckerDelta(query, key))
response = lambda query, key: (
    (1 - KroneckerDelta(query, key)) * (v**2 * total(B[query, k] * C[k, key], k) - v * C[query, key])
)
by_score = total(Derivative(moments, S[a, b]), i) / L
through_weights = total(total(R[i, j] * Derivative(A[i, j], S[a, b], evaluate=False), j), i) / L
with_deltas = (
    total(total(R[i, j] * A[i, j] * KroneckerDelta(i, a) * (KroneckerDelta(j, b) - A[i, b]), j), i) / L
)
pulled_back = A[a, b] / L * (R[a, b] - total(A[a, j] * R[a, j], j))


def the_slope_in_a_weight() -> Iterator[sympy.Expr]:
    """Sympy's derivative of the loss at i in any weight of query i, with B spelled out."""
    spelled = of_indexed(moments, B, other)
    yield difference(spelled.diff(A[i, b]), of_indexed(response(i, b), B, other))


def the_softmax_is_differentiated() -> Iterator[sympy.Expr]:
    """Sympy's derivative of every weight, spelled out as a softmax."""
    softmax = as_softmax(A[i, j])
    definition = total(total(R[i, j] * Derivative(softmax, S[a, b]), j), i) / L
    yield difference(differentiated(definition), as_softmax(with_deltas))


GRADIENT = Chain(
    shows=("One masked position i",),
    target=Derivative(Symbol("l", real=True), S[a, b]),
    steps=(
        Step(by_score, "The loss is the mean of l_i over positions."),
        Step(
            through_weights,
            "The chain rule: R_ij is the slope of l_i in A_ij, and no other position reads query i.",
            differences=the_slope_in_a_weight,
        ),
        Step(
            with_deltas,
            "The softmax's derivative: dA_ij/dS_ab = 1[i = a] A_ij (1[j = b] - A_ib).",
            differences=the_softmax_is_differentiated,
        ),
        Step(pulled_back, "The deltas collapse both sums."),
    ),
    conclusion="R_ij is minus v times the covariance of the residual at i with token j, and 0 for j = i.",
)

offered, visible = IndexedBase("Vx", real=True), IndexedBase("o", real=True)
mask, rate = sympy.symbols("Vm p_m", real=True)
power = total(total(B[i, k] * B[i, j] * EXPECTATION(offered[k] * offered[j]), j), k)
own = total(B[i, k] ** 2 * EXPECTATION(offered[k] ** 2), k)
squares = total(B[i, k] ** 2, k)

masked_error = (x[i] - total(A[i, k] * (visible[k] * offered[k] + (1 - visible[k]) * mask), k)) ** 2 / 2
over_tokens = (
    EXPECTATION(x[i] ** 2) / 2
    - total(A[i, k] * EXPECTATION(visible[k]) * EXPECTATION(x[i] * offered[k]), k)
    + total(
        total(
            A[i, k] * A[i, j] * EXPECTATION(visible[k] * visible[j]) * EXPECTATION(offered[k] * offered[j]), j
        ),
        k,
    )
    / 2
    + mask**2 * total(total(A[i, k] * A[i, j] * EXPECTATION((1 - visible[k]) * (1 - visible[j])), j), k) / 2
)
over_masks = (
    EXPECTATION(x[i] ** 2) / 2
    - (1 - rate) * total(B[i, k] * EXPECTATION(x[i] * offered[k]), k)
    + (1 - rate) ** 2 * power / 2
    + rate * (1 - rate) * own / 2
    + mask**2 * ((A[i, i] + rate * total(B[i, k], k)) ** 2 + rate * (1 - rate) * squares) / 2
)
open_mean = lambda key: (1 - rate) * (1 - KroneckerDelta(i, key))
open_pair = lambda one, two: (
    (1 - KroneckerDelta(i, one))
    * (1 - KroneckerDelta(i, two))
    * ((1 - rate) ** 2 + rate * (1 - rate) * KroneckerDelta(one, two))
)


def of_masks(expression: sympy.Expr, meaning) -> sympy.Expr:
    """Each expectation of what is visible, replaced by what `meaning` makes of its inside."""
    is_mask = lambda e: isinstance(e, EXPECTATION) and e.has(visible)
    return expression.replace(is_mask, lambda e: meaning(e.args[0]))


def mean_over_masks(inside: sympy.Expr) -> sympy.Expr:
    """E of a polynomial in o_k and o_j, by the first two moments of independent masks."""
    inside, keys = sympy.expand(inside), sorted({e.indices[0] for e in inside.atoms(sympy.Indexed)}, key=str)
    one, two = keys[0], keys[-1]
    mean = lambda term: (
        open_pair(one, two) if term == visible[one] * visible[two] else open_mean(term.indices[0])
    )
    parts = (term.as_coeff_Mul() for term in sympy.Add.make_args(inside))
    return sympy.Add(*(share * (mean(term) if term != 1 else 1) for share, term in parts))


def tokens_are_averaged() -> Iterator[sympy.Expr]:
    """Zero-mean tokens: a quadratic form by its value at 0 and its second derivatives; masks as they are."""
    nothing = lambda e: isinstance(e, sympy.Indexed) and e.base in (x, offered)
    at_zero = masked_error.replace(nothing, lambda e: sympy.Integer(0))
    second = lambda one, two: resolve(masked_error.diff(one).diff(two))
    both = second(offered[a], offered[b]) * EXPECTATION(offered[a] * offered[b]) / 2
    mean = at_zero + second(x[i], x[i]) * EXPECTATION(x[i] ** 2) / 2 + total(total(both, b), a)
    mean += total(second(x[i], offered[a]) * EXPECTATION(x[i] * offered[a]), a)
    yield difference(mean, of_masks(over_tokens, lambda inside: inside))


def masks_are_averaged() -> Iterator[sympy.Expr]:
    """Every expectation over masks put in, and B spelled out."""
    yield difference(of_masks(over_tokens, mean_over_masks), of_indexed(over_masks, B, other))


MASKS = Chain(
    shows=("With independent masks",),
    target=loss,
    steps=(
        Step(
            EXPECTATION(masked_error),
            "One coordinate: what is written is A_ik times V x_k where position k is visible, V m where it is "
            "masked.",
        ),
        Step(
            over_tokens,
            "Tokens have mean 0 and do not depend on the masks: products of two are left.",
            differences=tokens_are_averaged,
        ),
        Step(
            over_masks,
            "The masks' first two moments; the mask token carries the squared mean and the variance of the "
            "masked weight.",
            differences=masks_are_averaged,
        ),
    ),
    conclusion=(
        "Visible weights shrink by 1 - p_m, and the masks add p_m (1 - p_m) times the sum of squared weights, "
        "and the mask token's part. For p_m = 0 and m = 0 it is the loss above."
    ),
)

V, X = IndexedBase("V", real=True), IndexedBase("X", real=True)
d = Symbol("d", integer=True, positive=True)
f, g, e = sympy.symbols("f g p", integer=True, nonnegative=True)
each = lambda term, *columns: Sum(term, *((column, 0, d - 1) for column in columns))
coordinates = each(EXPECTATION(each(V[f, g] * X[k, g], g) * each(V[f, e] * X[j, e], e)), f)
trace = each(each(each(V[f, g] * EXPECTATION(X[k, g] * X[j, e]) * V[f, e], e), g), f)


def bare(expression: sympy.Expr) -> sympy.Expr:
    """What is averaged."""
    return expression.replace(EXPECTATION, lambda inside: inside)


def maps_are_not_random() -> Iterator[sympy.Expr]:
    """The expectation is linear: both sides before it is taken."""
    yield difference(bare(coordinates), bare(trace))


COORDINATES = Chain(
    shows=("With independent masks",),
    target=each(EXPECTATION(offered[k] * offered[j]), f),
    steps=(
        Step(coordinates, "What keys offer in coordinate f, summed over coordinates."),
        Step(
            trace,
            "The expectation is linear, and V is not random.",
            scope="symbolic width",
            differences=maps_are_not_random,
        ),
    ),
    conclusion=(
        "This is tr(V C_kj V^T); in the same way the agreement with token i becomes tr(V C_ki) and the mask "
        "token's square |V m|^2."
    ),
)

DERIVATION = Derivation(
    label="C8",
    given=(
        (
            Eq(B[i, k], A[i, k] * (1 - KroneckerDelta(i, k)), evaluate=False),
            "Position i is masked by a token 0, so its own weight carries nothing: B is A without its "
            "diagonal.",
        ),
        (Eq(C[k, j], EXPECTATION(x[k] * x[j]), evaluate=False), "Second moments of the scalar tokens."),
        (
            Eq(R[i, j], response(i, j), evaluate=False),
            "The slope of l_i in the weight A_ij, which is L times that of the mean loss.",
        ),
        (
            Eq(EXPECTATION(visible[k]), open_mean(k), evaluate=False),
            "Independent masks: o_k is 1 where position k is visible, 0 where it is masked, as i always is.",
        ),
        (
            Eq(EXPECTATION(visible[k] * visible[j]), open_pair(k, j), evaluate=False),
            "Two positions are masked independently; o_k^2 is o_k.",
        ),
    ),
    target=loss,
    steps=(
        Step(
            EXPECTATION(error),
            "Half the expected squared error at i: its token against v times what it collects.",
        ),
        Step(
            EXPECTATION(products),
            "The square is multiplied out into products of two tokens.",
            differences=the_square_is_multiplied_out,
        ),
        Step(
            by_parts,
            "The expectation is linear; the weights are not random.",
            differences=expectation_is_linear,
        ),
        Step(
            moments,
            "Only second moments of the tokens are left.",
            differences=products_of_tokens_have_known_moments,
        ),
    ),
    conclusion=("Its mean over i is the loss of C8: only second moments of the data enter."),
    shows=("One masked position i",),
    further=(GRADIENT, MASKS, COORDINATES),
)
