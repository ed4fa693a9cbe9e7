"""C8: the expected squared error of a masked token, from its definition to second moments."""

from sympy import Eq, IndexedBase, KroneckerDelta, Symbol

from theory.claims.index_sums import A, C, a, b, difference, i, j, k, resolve, total, v, x
from theory.derivations.derivation import Derivation, Step
from theory.derivations.printers import EXPECTATION

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


DERIVATION = Derivation(
    label="C8",
    given=(
        (
            Eq(B[i, k], A[i, k] * (1 - KroneckerDelta(i, k)), evaluate=False),
            "Position i is masked by a token 0, so its own weight carries nothing: B is A without its "
            "diagonal.",
        ),
        (Eq(C[k, j], EXPECTATION(x[k] * x[j]), evaluate=False), "Second moments of the scalar tokens."),
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
    conclusion=(
        "Its mean over i is the loss of C8: only second moments of the data enter. Its slope in A_ib is "
        "v^2 (B C)_ib - v C_ib off the diagonal and 0 on it, minus v times the residual's covariance with "
        "token b."
    ),
)
