"""C7 derived: the label gradient along a doubly centred direction, from one sequence to two classes."""

from collections.abc import Iterator

import sympy
from sympy import Eq, IndexedBase

from theory.claims.c07_contrast_law.symbolic import (
    label_response,
    one_statistic,
    responses_by_differentiation,
)
from theory.claims.c07_contrast_law.symbolic import m as mean
from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import L, a, b, difference, of_indexed, total, v, x

D, H, Y, C0, C1 = (IndexedBase(name, real=True) for name in ("D", "H", "Y", "C^0", "C^1"))
w, p, y, tau, kappa, pooled = sympy.symbols("w p y tau kappa m", real=True)

along = lambda entry: total(total(entry, b), a)
response = (x[a] + v * mean) * (x[b] - mean)
definition = w * (p - y) * v / L**2 * along(D[a, b] * response)
statistic = w * (p - y) * v / L**2 * along(D[a, b] * Y[a, b])
population = w * v / (2 * L**2) * (p * along(D[a, b] * C0[a, b]) - (1 - p) * along(D[a, b] * C1[a, b]))
result = w * v * pooled * (tau - kappa) / (2 * L**2)


def rows_and_columns_drop_out() -> Iterator[sympy.Expr]:
    """What the response has beyond x_a x_b is f(a) + g(b), whose sums against D are 0."""
    yield sympy.expand(label_response(a, b) - response)
    yield from responses_by_differentiation()
    yield from one_statistic()


def over_classes() -> Iterator[sympy.Expr]:
    """Half of each class, its label and its second moments put in."""
    by_class = [
        of_indexed(statistic.subs(y, label), Y, lambda i, j, C=C: C[i, j]) for label, C in enumerate((C0, C1))
    ]
    yield difference(sum(by_class) / 2, population)


def in_contrasts() -> Iterator[sympy.Expr]:
    """m_1 = m (1 + kappa), m_0 = m (1 - kappa) and p = (1 + tau)/2 put in."""
    means = {along(D[a, b] * C0[a, b]): pooled * (1 - kappa), along(D[a, b] * C1[a, b]): pooled * (1 + kappa)}
    yield sympy.expand(population.subs(means).subs(p, (1 + tau) / 2) - result)


DERIVATION = Derivation(
    label="C7",
    given=(
        (
            Eq(sympy.Symbol("z"), total((x[a] + H[a]) ** 2 / 2, a) / L),
            "A residual, phi(h) = h^2/2, and a head w: the loss has slope (p - y) w in z.",
        ),
        (Eq(total(D[a, b], b), 0), "Rows of D sum to 0."),
        (Eq(total(D[a, b], a), 0), "Columns of D sum to 0."),
        (Eq(Y[a, b], x[a] * x[b]), "One sequence's second moments; C^y is their mean in class y."),
        (
            Eq(kappa, (sympy.Symbol("m_1") - sympy.Symbol("m_0")) / (2 * pooled)),
            "The class contrast; m_y is the sum of D_ab C^y_ab and m their mean.",
        ),
    ),
    target=sympy.Derivative(sympy.Symbol("l"), sympy.Symbol("t", real=True)),
    steps=(
        Step(definition, "The law of C6 for one sequence, at scores t D and t = 0."),
        Step(
            statistic,
            "The rest of the product depends on a alone plus b alone, and D is doubly centred.",
            differences=rows_and_columns_drop_out,
        ),
        Step(population, "The mean over two balanced classes at a constant p.", differences=over_classes),
        Step(result, "With p = (1 + tau)/2, in terms of the contrast.", differences=in_contrasts),
    ),
    conclusion=(
        "Labels measure kappa - tau, the class contrast less the imbalance of the prediction. "
        "Reconstruction's pull is (v/L^2)(1 + v/L) m: the pooled value, whatever the contrast."
    ),
    shows=(
        "Along any doubly centred D",
        "A prediction p = (1 + tau)/2",
    ),
    elsewhere=(
        ("Balanced classes, residual", ("the population gradient is the classes' difference",)),
        ("Along any doubly centred D", ("both losses pull by x^T D x, symbolic L",)),
        (
            "So with means m_y",
            (
                "signal and noise of both",
                "Gaussian variance, L = 2, 3",
            ),
        ),
        (
            "A prediction p = (1 + tau)/2",
            (
                "signal and noise of both",
                "a head's own fluctuations",
            ),
        ),
        ("For any number of classes", ("any number of classes",)),
        (
            "For any phi, classes that share",
            (
                "certificate: binary mirror images are label-blind, L = 6",
                "certificate: phi of second degree cannot tell mirror images, L = 3..6",
            ),
        ),
    ),
)
