"""C16 in symbols: the ratio of sequence counts, the blind cases, and Bartlett's sum for AR(1)."""

from collections.abc import Iterator

import sympy

from theory.claims.c06_nonlinearity_with_residual.symbolic import law_at, mean, q
from theory.symbolic.index_sums import L, i, resolve, total, v

kappa, omega = sympy.symbols("kappa omega", positive=True)
rho = sympy.Symbol("rho", positive=True)


def ratio_of_counts() -> Iterator[sympy.Expr]:
    """From means and variances of s q and of q, classes' means 1 +/- kappa; its limits and the way there."""
    power = omega + ((1 + kappa) ** 2 + (1 - kappa) ** 2) / 2
    label, other = kappa**2 / (power - kappa**2), 1 / (power - 1)
    claimed = (1 + omega) / (kappa**2 * (kappa**2 + omega))
    yield sympy.cancel(other / label - claimed)
    yield sympy.limit(claimed * kappa**4, omega, 0) - 1
    yield sympy.limit(claimed * kappa**2, kappa, 0) - (1 + omega) / omega
    rise = (1 - kappa**2) / (
        kappa**2 * (kappa**2 + omega) ** 2
    )  # against omega: its sign is that of 1 - kappa^2
    yield sympy.cancel(claimed.diff(omega) + rise)


def blind_cases() -> Iterator[sympy.Expr]:
    """Certificate: the label's mean over balanced classes is 0 where these agree; and its gradient
    along every doubly centred direction, sequence by sequence, without a residual or without a bend."""
    means, prediction = sympy.symbols("m0 m1", real=True), sympy.Rational(1, 2)
    pull = sum((prediction - label) * mean / 2 for label, mean in enumerate(means))
    yield pull - (means[0] - means[1]) / 4
    yield pull.subs(means[1], means[0])
    centred = law_at(q[0]) - total(law_at(q[i]), i) / L
    slope, bend = sympy.symbols("p m", real=True)
    for query in (lambda position: slope + bend * v * mean, lambda position: slope):
        is_query = lambda e: isinstance(e, sympy.Indexed) and e.base == q
        yield resolve(centred.replace(is_query, lambda e, f=query: f(e.indices[0])))


def bartlett_sum() -> Iterator[sympy.Expr]:
    """Mean over the circle of cos^2 S^2, S the spectrum of AR(1), by residues inside it."""
    z = sympy.Symbol("z")
    spectrum = (1 - rho**2) / ((1 - rho * z) * (1 - rho / z))
    integrand = sympy.cancel(((z + 1 / z) / 2) ** 2 * spectrum**2 / z)
    at_zero = sympy.cancel(integrand * z).subs(z, 0)
    at_rho = sympy.cancel(integrand * (z - rho) ** 2).diff(z).subs(z, rho)
    power = (1 + 4 * rho**2 - rho**4) / (2 * (1 - rho**2))
    yield sympy.cancel(at_zero + at_rho - power)
    claimed = L * rho**2 * (1 - rho**2) / (1 + 4 * rho**2 - rho**4)
    yield sympy.cancel((L * rho) ** 2 / (2 * L * power) - claimed)
