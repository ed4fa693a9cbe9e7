"""C19 in symbols: the zero head, when it is optimal, and the fitted readout of reconstruction."""

import itertools

import sympy

from theory.claims.index_sums import ring_matrix

LONGEST_RING = 5
LARGEST_EXACT = 8


def zero_head_has_no_gradient():
    """Any features z(S), any architecture: dl/dS = (p - y) w . dz/dS, which is 0 at w = 0."""
    score, label, intercept = sympy.symbols("S y b", real=True)
    weights = sympy.symbols("w1:4", real=True)
    features = [sympy.Function(f"z{place}")(score) for place in range(1, 4)]
    logit = intercept + sum(w * z for w, z in zip(weights, features, strict=True))
    slope = (sympy.log(1 + sympy.exp(logit)) - label * logit).diff(score)
    chance = 1 / (1 + sympy.exp(-logit))
    response = sum(w * z.diff(score) for w, z in zip(weights, features, strict=True))
    yield sympy.simplify(slope - (chance - label) * response)
    yield slope.subs(dict.fromkeys(weights, 0))


def zero_head_is_optimal_for_equal_class_means():
    """d E[CE] / dw at w = 0 and the best intercept is pi (1 - pi)(m_0 - m_1), pi the class share."""
    share, weight = sympy.symbols("pi w", positive=True)
    means = sympy.symbols("m0 m1", real=True)
    logit = lambda mean: weight * mean + sympy.log(share / (1 - share))
    slope = lambda mean, label: (
        (1 / (1 + sympy.exp(-logit(mean))) - label) * mean
    )  # CE is linear in z at w = 0
    total = (1 - share) * slope(means[0], 0) + share * slope(means[1], 1)
    yield sympy.simplify(total.subs(weight, 0) - share * (1 - share) * (means[0] - means[1]))


def rotations(ring: tuple[int, ...]) -> tuple[int, ...]:
    """The representative of a ring up to rotation."""
    return min(ring[shift:] + ring[:shift] for shift in range(len(ring)))


def bags_and_places_agree():
    """L = 2..5, binary tokens, any cyclically stationary law (one free weight per necklace).

    P(x_i = 1, bag) is the same in order and shuffled, for each position i: so every feature that is
    a sum over positions of functions of (token, position, bag) has the same class means.
    """
    for length in range(2, LONGEST_RING + 1):
        rings = list(itertools.product((0, 1), repeat=length))
        weight = {name: sympy.Symbol("p" + "".join(map(str, name))) for name in map(rotations, rings)}
        for bag in range(1, length):
            inside = [ring for ring in rings if sum(ring) == bag]
            mass = sum(weight[rotations(ring)] for ring in inside)
            for place in range(length):
                ordered = sum(weight[rotations(ring)] for ring in inside if ring[place])
                yield sympy.expand(ordered - mass * sympy.Rational(bag, length))


def fitted_residual():
    """L = 3..8: v* makes dl/dv = 0; then the score gradient is -v*/L^2 times the residual covariance."""
    for length in range(3, LARGEST_EXACT + 1):
        half = sympy.symbols(f"c0:{length // 2 + 1}", positive=True)
        lags = [half[min(r, length - r)] for r in range(length)]
        everything = sum(lags)
        value = length * (everything - lags[0]) / ((length - 2) * everything + lags[0])
        kept = (sympy.ones(length) - sympy.eye(length)) / length
        seen = (kept * ring_matrix(lags)).row(0)
        yield sympy.cancel(sum(value * seen[r] - lags[r] for r in range(1, length)))
        yield from (
            sympy.cancel(lags[r] - value * seen[r] - (lags[r] - value / length * (everything - lags[r])))
            for r in range(1, length)
        )
