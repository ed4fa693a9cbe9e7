"""C20, derived: the clocks of both losses, the rate on rings, noise and normalised steps."""

from collections.abc import Iterator

import sympy
from sympy import Function, Integral, Sum, Symbol, erf, exp, log, oo, pi, sqrt

from theory.claims.c20_escape_from_plateau.blocks import closed, contrast, curvature
from theory.claims.c20_escape_from_plateau.symbolic import quadratic_variance
from theory.symbolic.derivation import Chain, Step
from theory.symbolic.index_sums import L, ring_matrix, v
from theory.symbolic.printers import EXPECTATION

LARGEST_EXACT = 5
start, end, rate, rate_of_learning = sympy.symbols("epsilon a_end gamma eta", positive=True)
steps = Symbol("N", integer=True, positive=True)
growth = 1 + rate_of_learning * rate
needed = log(end / start) / log(growth)
at_needed = start * growth**needed

CLOCK = Chain(
    shows=("A score of size e needs",),
    target=Function("S_M")(steps),
    steps=(
        Step(
            start * growth**steps,
            "Each step of descent multiplies what lies along the way out by 1 + eta gamma.",
        ),
        Step(
            end,
            "After N = log(a_end/epsilon)/log(1 + eta gamma) steps.",
            scope="any eta and gamma",
            differences=lambda: [sympy.simplify(sympy.expand_log(log(at_needed), force=True) - log(end))],
        ),
    ),
    conclusion=(
        "Reconstruction's gradient is not 0 on the plateau, and N steps of eta |G| reach a_end at N = "
        "a_end/(eta |G|)."
    ),
)

amplitude, t = Symbol("S_M", positive=True), Symbol("t", real=True)
flat_time = Integral(1 / (contrast * amplitude**2), (amplitude, start, end))
flat_closed = (1 / start - 1 / end) / contrast
slow_time = Integral(curvature / (contrast**2 * amplitude**3), (amplitude, start, end))
slow_closed = curvature * (1 / start**2 - 1 / end**2) / (2 * contrast**2)
FLAT = Chain(
    shows=("Through queries and keys",),
    target=t,
    steps=(
        Step(
            flat_time,
            "K_z = 0: head, query and key start at epsilon and stay alike, each growing like sigma times its square.",
        ),
        Step(
            flat_closed,
            "The integral.",
            scope="any sigma",
            differences=lambda: [flat_time.doit() - flat_closed],
        ),
    ),
    conclusion="It is 1/(epsilon sigma) for epsilon well below a_end.",
)
SLOW = Chain(
    shows=("Through queries and keys",),
    target=t,
    steps=(
        Step(
            slow_time,
            "K_z > 0: the head follows at w = sigma S_M^2/K_z, and query and key grow like sigma w times themselves.",
        ),
        Step(
            slow_closed,
            "The integral.",
            scope="any sigma and K_z",
            differences=lambda: [sympy.simplify(slow_time.doit() - slow_closed)],
        ),
    ),
    conclusion="It is K_z/(2 sigma^2 epsilon^2) for epsilon well below a_end. That the head follows is leading order.",
)

p = Symbol("p", positive=True)
squared, apart, everything = sympy.symbols("C^2 Delta^2 T", positive=True)
strength = 4 * v**2 * p**2 * (1 - p) ** 2 * apart / L**3
spread = 2 * p * (1 - p) * (squared / L + ((1 + v) ** 4 - 1) * (everything / L) ** 2)
exact = closed.subs({contrast: sqrt(strength), curvature: spread})
leading = 2 * p * (1 - p) * v**2 * apart / (squared * L**2)


def rings_inserted() -> Iterator[sympy.Expr]:
    """sigma^2 = sum_ab M_ab^2 for L = 2..5, with M_ab the contrast of the first chain; Var z for L = 2..7."""
    for length in range(2, LARGEST_EXACT + 1):
        lags = sympy.symbols(f"c0:{length}")
        matrix = 2 * v * p * (1 - p) / length**2 * ring_matrix(lags)
        spelled = strength.subs({apart: sum(each**2 for each in lags), L: length})
        yield sympy.expand(sum(each**2 for each in matrix) - spelled)
    yield from quadratic_variance()


def leads_where_l_is_large() -> Iterator[sympy.Expr]:
    """The rate is (sigma^2/K_z) 2/(1 + sqrt(1 + 4 sigma^2/K_z^2)): its factors' limits at L = infinity."""
    beside = sympy.sqrt(1 + 4 * contrast**2 / curvature**2)
    yield sympy.simplify(closed - contrast**2 / curvature * 2 / (1 + beside))
    yield sympy.limit(sympy.cancel(strength / spread**2), L, oo)
    yield sympy.limit(sympy.cancel(strength / spread / leading), L, oo) - 1


RINGS = Chain(
    shows=("For z = mean (x_i + H_i)^2",),
    target=rate,
    steps=(
        Step(
            closed,
            "One centred feature; sigma^2 is the sum of M_ab^2, K_z is p (1 - p) Var z.",
        ),
        Step(
            exact,
            "On Gaussian rings: M from above, and Var z = 2 C^2/L + 2 ((1 + v)^4 - 1) T^2/L^2, C^2 and Delta^2 "
            "being the sums over lags of C_r^2 and of the squared difference of the classes.",
            scope="sigma for L = 2..5, Var z for L = 2..7",
            differences=rings_inserted,
        ),
        Step(
            leading,
            "Where L is large sigma^2 is small beside K_z^2, and the first term of Var z leads.",
            scope="leading order in 1/L",
            differences=leads_where_l_is_large,
        ),
    ),
    conclusion="This is 2 p (1 - p) (v kappa/L)^2 with kappa^2 = Delta^2/C^2.",
)

noise, draw, signal = Symbol("tau_g", positive=True), Symbol("x", real=True), Symbol("m_g", real=True)
index = Symbol("m", integer=True, nonnegative=True)
kicks = start**2 * growth ** (2 * steps) + Sum(
    (rate_of_learning * noise) ** 2 * growth ** (2 * index), (index, 0, steps - 1)
)
summed = start**2 * growth ** (2 * steps) + (rate_of_learning * noise) ** 2 * (growth ** (2 * steps) - 1) / (
    growth**2 - 1
)
NOISE = Chain(
    shows=("Gradient noise tau",),
    target=EXPECTATION(Function("S_M")(steps) ** 2),
    steps=(
        Step(kicks, "Independent kicks eta tau_g, each grown since by the steps after it."),
        Step(
            summed,
            "A geometric sum.",
            scope="any eta and gamma",
            differences=lambda: geometric(),
        ),
    ),
    conclusion=(
        "For small eta the factor of the second term is tau_g^2 eta/(2 gamma): noise counts like a start of "
        "tau_g sqrt(eta/(2 gamma))."
    ),
)


def geometric() -> Iterator[sympy.Expr]:
    """The sum by its first value and its recursion; both forms after no, one, two steps; small eta."""
    part = lambda count: (growth ** (2 * count) - 1) / (growth**2 - 1)
    yield part(0)
    yield sympy.simplify(part(steps + 1) - part(steps) - growth ** (2 * steps))
    for count in range(3):
        yield sympy.simplify((kicks - summed).subs(steps, count).doit())
    factor = (rate_of_learning * noise) ** 2 / (growth**2 - 1)
    yield sympy.limit(factor / rate_of_learning, rate_of_learning, 0) - noise**2 / (2 * rate)


density = exp(-((draw - signal) ** 2) / (2 * noise**2)) / sqrt(2 * pi * noise**2)
mean_of_signs = Integral(density, (draw, 0, oo)) - Integral(density, (draw, -oo, 0))
closed_mean = erf(signal / (sqrt(2) * noise))
SIGNS = Chain(
    shows=("A sign-normalised step",),
    target=EXPECTATION(Symbol("sign_g")),
    steps=(
        Step(
            mean_of_signs,
            "A Gaussian gradient of mean m_g and standard deviation tau_g.",
        ),
        Step(
            closed_mean,
            "Its slope in m_g is twice the density at 0, and it is 0 at m_g = 0.",
            scope="any mean and deviation",
            differences=lambda: mean_sign(),
        ),
    ),
    conclusion="With SNR = m_g^2/tau_g^2 it is erf(sqrt(SNR/2)): the head's size cancels.",
)


def mean_sign() -> Iterator[sympy.Expr]:
    """The density moves with m_g; the error function has that slope, and both are 0 at m_g = 0."""
    yield density.diff(signal) + density.diff(draw)
    yield sympy.simplify(closed_mean.diff(signal) - 2 * density.subs(draw, 0))
    yield closed_mean.subs(signal, 0)
    yield sympy.simplify(density.subs(signal, 0) - density.subs({signal: 0, draw: -draw}))
