"""C20, derived: the blocks of the Hessian for any features, the ways down, and the rate. Exact."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Function, Matrix, Symbol, sqrt

from theory.symbolic.derivation import Chain, Step
from theory.symbolic.index_sums import S, a, b, i, j
from theory.symbolic.printers import EXPECTATION

w, intercept, y, p = sympy.symbols("w b_0 y p", real=True)
curvature, contrast = sympy.symbols("K_z sigma", positive=True)
rate, ridge, head, score = sympy.symbols("gamma mu w S_M", real=True)
z = Function("z")(S[a, b], S[i, j])
LOSS = sympy.log(1 + sympy.exp(w * z + intercept)) - y * (w * z + intercept)
PLATEAU = {w: 0, p: 1 / (1 + sympy.exp(-intercept))}


def at_the_plateau(curved: sympy.Expr, claimed: sympy.Expr) -> Iterator[sympy.Expr]:
    """Sympy's derivatives inside the expectation, at w = 0 and p = 1/(1 + exp(-b_0)), for any feature."""
    two = dict(zip((S[a, b], S[i, j]), sympy.symbols("S_1 S_2", real=True), strict=True))
    inside = lambda expression: expression.replace(EXPECTATION, lambda each: each).xreplace(two)
    yield sympy.simplify(inside(curved).doit().subs(w, 0) - inside(claimed).subs(p, PLATEAU[p]))


in_head, head_block = EXPECTATION(Derivative(LOSS, w, w)), EXPECTATION(p * (1 - p) * z**2)
in_intercept, intercept_block = EXPECTATION(Derivative(LOSS, w, intercept)), EXPECTATION(p * (1 - p) * z)
in_scores, no_curvature = EXPECTATION(Derivative(LOSS, S[a, b], S[i, j])), sympy.Integer(0)


def block(target: tuple, curved: sympy.Expr, claimed: sympy.Expr, reason: str, conclusion: str) -> Chain:
    """Two steps: a second derivative of the mean loss, and what is left of it on the plateau."""
    return Chain(
        shows=("At the adiabatic point of C19",),
        target=Derivative(Function("l")(*dict.fromkeys(target)), *target),
        steps=(
            Step(curved, "A block of the Hessian, at w = 0."),
            Step(claimed, reason, "any feature", lambda: at_the_plateau(curved, claimed)),
        ),
        conclusion=conclusion,
    )


HESSIAN = (
    block(
        (w, w),
        in_head,
        head_block,
        "The slope of the prediction is p (1 - p), for either label.",
        "With several features it is p (1 - p) E z z^T: the block K, to which the head's ridge adds itself.",
    ),
    block(
        (w, intercept),
        in_intercept,
        intercept_block,
        "The intercept is the head on a feature that is 1.",
        "It is 0 for a centred feature; with z replaced by (z, 1) it is a part of K.",
    ),
    block(
        (S[a, b], S[i, j]),
        in_scores,
        no_curvature,
        "Every term carries the head, which is 0.",
        "Scores have no curvature among themselves.",
    ),
)

first, second = sympy.symbols("z'_0 z'_1", real=True)
over_labels = p * (p - 1) * second + (1 - p) * p * first
as_contrast = -p * (1 - p) * (second - first)
CROSS = Chain(
    shows=("At the adiabatic point of C19",),
    target=EXPECTATION((p - y) * Derivative(Function("z")(S[a, b]), S[a, b])),
    steps=(
        Step(over_labels, "The label is 1 with chance p, and the mean response then z'_1; else 0, and z'_0."),
        Step(as_contrast, "The classes enter by their difference."),
    ),
    conclusion="This is -M, feature by feature.",
)

quadratic = curvature * head**2 / 2 - contrast * head * score
squares = curvature * (head - contrast * score / curvature) ** 2 / 2 - contrast**2 * score**2 / (
    2 * curvature
)
WAYS_DOWN = Chain(
    shows=("It has rank M negative directions",),
    target=Symbol("l", real=True),
    steps=(
        Step(quadratic, "The loss to second order for one centred feature, S_M being the score along M."),
        Step(squares, "The square is completed in the head.", scope="any K_z and sigma"),
    ),
    conclusion="One square is negative as soon as sigma is not 0; scores that M does not see leave the loss as it is.",
)

determined = (rate + curvature) * rate - contrast**2
closed = 2 * contrast**2 / (curvature + sqrt(curvature**2 + 4 * contrast**2))
determinant = rate**2 + rate * curvature - contrast**2
hessian = Matrix([[curvature, -contrast], [-contrast, 0]])


def determinant_written_out() -> Iterator[sympy.Expr]:
    """det(gamma + H) of the 2 x 2 Hessian, against both forms."""
    yield sympy.expand((rate * sympy.eye(2) + hessian).det() - determinant)
    yield sympy.expand(determined - determinant)


def rate_is_a_root() -> Iterator[sympy.Expr]:
    """The closed form put in; its value at K_z = 0 and its limit where K_z is large."""
    yield sympy.simplify(determinant.subs(rate, closed))
    yield closed.subs(curvature, 0) - contrast
    yield sympy.limit(closed * curvature, curvature, sympy.oo) - contrast**2


RATE = Chain(
    shows=("The escape rate is the largest root",),
    target=Symbol("det_gamma"),
    steps=(
        Step(determined, "-gamma is an eigenvalue of the Hessian where this is 0; for one centred feature."),
        Step(determinant, "Multiplied out.", scope="any K_z and sigma", differences=determinant_written_out),
        Step(
            sympy.Integer(0),
            "At gamma = 2 sigma^2/(K_z + sqrt(K_z^2 + 4 sigma^2)), the one positive root.",
            scope="any K_z and sigma",
            differences=rate_is_a_root,
        ),
    ),
    conclusion="It is sigma at K_z = 0 and tends to sigma^2/K_z where K_z is large beside sigma.",
)

with_ridge = Matrix([[curvature, -contrast], [-contrast, ridge]])
mean, half_gap = (curvature + ridge) / 2, sqrt((curvature - ridge) ** 2 / 4 + contrast**2)
eigenvalues = (mean + half_gap) * (mean - half_gap)
product = curvature * ridge - contrast**2


def eigenvalues_of_the_ridged() -> Iterator[sympy.Expr]:
    """Both are roots of the characteristic polynomial, and their product is the determinant."""
    for root in (mean + half_gap, mean - half_gap):
        yield sympy.expand((with_ridge - root * sympy.eye(2)).det())
    yield sympy.expand(eigenvalues - product)


RIDGE = Chain(
    shows=("A ridge mu on the scores",),
    target=Symbol("det_0"),
    steps=(
        Step(eigenvalues, "The two eigenvalues for one centred feature, with a ridge mu on the scores."),
        Step(product, "Their product.", scope="any K_z, sigma and mu", differences=eigenvalues_of_the_ridged),
    ),
    conclusion="Their sum is positive, so one is negative exactly where K_z mu < sigma^2.",
)
