"""C30, derived: the first pull of reconstruction on an image, by displacement and in raster order. Symbolic sizes."""

from collections.abc import Iterator

import sympy
from sympy import Derivative, Eq, IndexedBase, KroneckerDelta, Sum, Symbol

from theory.claims.c30_image_torus.symbolic import (
    C,
    D,
    Gamma,
    R,
    T,
    at_zero_and_off_it,
    columns,
    differences_without_brightness,
    down,
    in_moments,
    k_x,
    k_y,
    law,
    over,
    pixels,
    pull_back,
    pull_sums_to_zero,
    response,
    response_is_stationary,
    right,
    v,
)
from theory.symbolic.derivation import Chain, Derivation, Step
from theory.symbolic.index_sums import S, a, b, j, resolve

loss = Symbol("l", real=True)
claimed = law(down, right)
ANY = "any rows and columns"


def sum_is_known() -> Iterator[sympy.Expr]:
    """sum_r C(r) = T."""
    yield from at_zero_and_off_it(resolve(in_moments).subs(over(C[k_y, k_x]), T) - claimed)


received = over(law(k_y, k_x))
BLIND = Chain(
    shows=("Labels see exactly 0",),
    target=pixels * IndexedBase("beta", real=True)[b],
    steps=(
        Step(received, "What a key receives of all queries: the law at every displacement, once."),
        Step(
            sympy.Integer(0),
            "C off displacement 0 less its mean, and 1 off it less (L - 1)/L, both sum to 0.",
            scope=ANY,
            differences=pull_sums_to_zero,
        ),
    ),
    conclusion="No key bias is left, and labels see nothing else (C1).",
)

apart = law(down, right).subs(KroneckerDelta(down, 0), 0) - law(k_y, k_x).subs(KroneckerDelta(k_y, 0), 0)
left = v * (1 + v / pixels) * (C[down, right] - C[k_y, k_x]) / pixels**2
BRIGHT = Chain(
    shows=("Between two displacements",),
    target=-Derivative(loss, S[down, right]) + Derivative(loss, S[k_y, k_x]),
    steps=(
        Step(apart, "The law at two displacements other than 0, where both deltas are 0."),
        Step(
            left,
            "All else is the same at both.",
            scope=ANY,
            differences=differences_without_brightness,
        ),
    ),
    conclusion="A brightness that all pixels of an image share adds its variance to all C(r) alike, and cancels.",
)

entry = lambda y, x: D[y, x]
ahead = (
    Sum(entry(a, b), (j, 0, columns - b - 1)) / columns
    + Sum(entry(a + 1, b), (j, columns - b, columns - 1)) / columns
)
RASTER = Chain(
    shows=("In raster order the pull's mean",),
    target=Symbol("D_n", real=True),
    steps=(
        Step(
            ahead,
            "From column j, b steps ahead: in the row meant as long as j < L_x - b, else in the row after.",
        ),
        Step(
            (1 - b / columns) * entry(a, b) + b / columns * entry(a + 1, b),
            "Nothing in a sum depends on j.",
            scope=ANY,
            differences=lambda: [
                sympy.expand((ahead - (1 - b / columns) * entry(a, b) - b / columns * entry(a + 1, b)).doit())
            ],
        ),
    ),
    conclusion=(
        "Neighbours above and below lie L_x lags away, those to either side 1, across a corner L_x - 1 or L_x + 1."
    ),
)

DERIVATION = Derivation(
    label="C30",
    given=(
        (
            Eq(R[down, right], response(down, right), evaluate=False),
            "The loss's slope in the weight of pixel (0, 0) for pixel (r_y, r_x), times L (C8), at uniform attention; "
            "Gamma are the second moments of two pixels.",
        ),
        (
            Eq(Gamma[0, 0, down, right], C[down, right], evaluate=False),
            "Stationary as a torus: all pixels are alike, so pixel (0, 0) stands for each.",
        ),
        (
            Eq(T, over(Gamma[k_y, k_x, down, right]), evaluate=False),
            "The sum of the autocovariance over all displacements, 0 included.",
        ),
        (pixels, "The number of positions, L."),
        (D[a, b], "Any kernel of displacements, a rows down and b columns right, such as the pull."),
    ),
    target=-Derivative(loss, S[down, right]),
    steps=(
        Step(pull_back, "Minus the softmax's pull-back, with every weight 1/L."),
        Step(
            in_moments,
            "By stationarity R is v^2 (T - C)/L - v C off displacement 0, and 0 on it.",
            scope=ANY,
            differences=response_is_stationary,
        ),
        Step(
            claimed,
            "The sum over displacements of C is T.",
            scope=ANY,
            differences=sum_is_known,
        ),
    ),
    conclusion="It is C10's law: on a ring and on a torus alike, only the sum of a row and its entry enter.",
    shows=("On an image of H x W pixels",),
    further=(BLIND, BRIGHT, RASTER),
    elsewhere=(
        ("If C is a product", ("the nearest pixel on the slower axis",)),
        (
            "That is what scores of raster lags",
            ("slopes in the scores of raster lags", "the raster taken for a ring"),
        ),
    ),
)
