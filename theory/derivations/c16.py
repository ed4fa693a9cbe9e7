"""C16 derived: the ratio of sequence counts, from the two classes' means and variances."""

from collections.abc import Iterator

import sympy
from sympy import Eq

from theory.derivations.derivation import Derivation, Step

kappa, omega, z = sympy.symbols("kappa omega z", positive=True)
m, s, q, n = (sympy.Symbol(name) for name in ("m", "s", "q", "n^*"))
mean = sympy.Function("E", real=True)

counts = (z**2 * (mean(q**2) - mean(s * q) ** 2) / mean(s * q) ** 2) / (
    z**2 * (mean(q**2) - mean(q) ** 2) / mean(q) ** 2
)
signs_cancel = (
    mean(q) ** 2 * (mean(q**2) - mean(s * q) ** 2) / (mean(s * q) ** 2 * (mean(q**2) - mean(q) ** 2))
)
moments = (
    m**2
    * (m**2 * (1 + kappa**2 + omega) - m**2 * kappa**2)
    / (m**2 * kappa**2)
    / (m**2 * (1 + kappa**2 + omega) - m**2)
)
result = (1 + omega) / (kappa**2 * (kappa**2 + omega))


def class_means() -> Iterator[sympy.Expr]:
    """E q = m, E s q = kappa m, E q^2 = m^2 (1 + kappa^2 + omega), each as the mean over s = 1 and -1."""
    means = {sign: m * (1 + sign * kappa) for sign in (1, -1)}
    yield sympy.expand(sum(means.values()) / 2 - m)
    yield sympy.expand(sum(sign * each for sign, each in means.items()) / 2 - kappa * m)
    yield sympy.expand(
        omega * m**2 + sum(each**2 for each in means.values()) / 2 - m**2 * (1 + kappa**2 + omega)
    )
    known = {mean(q): m, mean(s * q): kappa * m, mean(q**2): m**2 * (1 + kappa**2 + omega)}
    yield sympy.cancel(signs_cancel.subs(known) - moments)


DERIVATION = Derivation(
    label="C16",
    given=(
        (q, "One sequence's q = x^T D x; by C7 reconstruction's pull is a constant times q."),
        (s * q, "The label's pull is a constant times s q, with s = 1 in class 1 and -1 in class 0."),
        (
            Eq(n, z**2 * (mean(q**2) - mean(q) ** 2) / mean(q) ** 2),
            "After n* sequences the mean is z standard errors from 0; the same with s q for labels.",
        ),
        (
            Eq(omega, sympy.Symbol("W") / m**2),
            "Class means of q are m (1 + kappa) and m (1 - kappa); W is its mean variance within a class.",
        ),
    ),
    target=sympy.Symbol("n^*_label") / sympy.Symbol("n^*_rec"),
    steps=(
        Step(counts, "The ratio of variance over squared mean; s^2 = 1, so both have the same power."),
        Step(
            signs_cancel,
            "z cancels.",
            differences=lambda: [sympy.cancel(counts - signs_cancel)],
            scope="any classes",
        ),
        Step(moments, "The means over two balanced classes.", differences=class_means, scope="any classes"),
        Step(
            result,
            "Collect powers of m.",
            differences=lambda: [sympy.cancel(moments - result)],
            scope="any classes",
        ),
    ),
    conclusion=(
        "The sign that a label multiplies q by leaves the power and takes the mean: the ratio grows like "
        "1/kappa^2 and is infinite where the classes agree."
    ),
)
