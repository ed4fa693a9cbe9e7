"""C16 derived: the ratio of sequence counts, from the two classes' means and variances."""

from collections.abc import Iterator

import sympy
from sympy import Eq

from theory.symbolic.derivation import Derivation, Step

kappa, omega, z = sympy.symbols("kappa omega zeta", positive=True)
m, s, q, n, W = (sympy.Symbol(name) for name in ("m", "chi", "theta", "n^*", "Omega"))
mean = sympy.Function("E", real=True)

ratio = lambda pooled, signed, power: pooled**2 * (power - signed**2) / (signed**2 * (power - pooled**2))
means = {sign: sympy.Symbol(f"m_{label}") for sign, label in ((1, 1), (-1, 0))}
averages = [sum(f(sign) * each for sign, each in means.items()) / 2 for f in (lambda _: 1, lambda sign: sign)]
power = W + sum(each**2 for each in means.values()) / 2

counts = ratio(mean(q), mean(s * q), mean(q**2))
by_class = ratio(*averages, power)
contrasts = ratio(m, kappa * m, m**2 * (1 + kappa**2 + omega))
result = (1 + omega) / (kappa**2 * (kappa**2 + omega))


def over_classes() -> Iterator[sympy.Expr]:
    """E f(chi) theta is half of f(1) m_1 and half of f(-1) m_0; E theta^2 the same of W_y + m_y^2."""
    known = dict(zip((mean(q), mean(s * q), mean(q**2)), (*averages, power), strict=True))
    yield sympy.cancel(counts.subs(known) - by_class)


def in_contrasts() -> Iterator[sympy.Expr]:
    """m_1 = m (1 + kappa), m_0 = m (1 - kappa), Omega = omega m^2 put in."""
    known = {each: m * (1 + sign * kappa) for sign, each in means.items()} | {W: omega * m**2}
    yield sympy.cancel(by_class.subs(known) - contrasts)


DERIVATION = Derivation(
    label="C16",
    given=(
        (q, "One sequence's theta = x^T D x; by C7 reconstruction's pull is a constant times it."),
        (s * q, "The label's pull is a constant times chi theta, with chi = 1 in class 1 and -1 in class 0."),
        (
            Eq(n, z**2 * (mean(q**2) - mean(q) ** 2) / mean(q) ** 2),
            "After n* sequences the mean is zeta standard errors from 0; the same with chi theta for labels.",
        ),
        (
            Eq(omega, W / m**2),
            "Class means of theta are m (1 + kappa) and m (1 - kappa); Omega is its mean variance within a class.",
        ),
    ),
    target=sympy.Symbol("n^*_label") / sympy.Symbol("n^*_rec"),
    steps=(
        Step(
            counts,
            "The ratio of variance over squared mean: zeta cancels, and E (chi theta)^2 = E theta^2 as chi^2 = 1.",
        ),
        Step(by_class, "The means over two balanced classes.", "any classes", over_classes),
        Step(contrasts, "In terms of the contrast and the spread.", "any classes", in_contrasts),
        Step(
            result,
            "Collect powers of m.",
            differences=lambda: [sympy.cancel(contrasts - result)],
            scope="any classes",
        ),
    ),
    conclusion=(
        "The sign that a label multiplies theta by leaves the power and takes the mean: the ratio grows like "
        "1/kappa^2 and is infinite where the classes agree."
    ),
    shows=("In the setting of the contrast law",),
    elsewhere=(
        ("The sign of a gradient along D", ("share of wrong signs, both losses",)),
        (
            "Longer sequences do not help",
            (
                "ratio of counts and its limits",
                "no length lifts a label above kappa^2",
            ),
        ),
        ("It is infinite where", ("certificate: infinite in the blind cases, symbolic L",)),
        ("A head imbalance tau", ("a head that is not balanced",)),
        ("For a Gaussian AR(1)", ("Bartlett's sum for AR(1), by residues",)),
    ),
)
