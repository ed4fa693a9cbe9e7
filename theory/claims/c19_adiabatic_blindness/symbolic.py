"""C19 in symbols: the zero head, when it is optimal, and the fitted readout of reconstruction."""

import itertools

import sympy

from theory.symbolic.index_sums import ring_matrix

LONGEST_RING = 5
LARGEST_EXACT = 8


def zero_head_has_no_gradient():
    """Any features z(S), any architecture: dl/dS = (p - y) w . dz/dS, which is 0 at w = 0."""
    score, label, intercept = sympy.symbols("S y b", real=True)
    weights = sympy.symbols("w1:4", real=True)
    features = [sympy.Function(f"z{index}")(score) for index in range(1, 4)]
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


def bag_bounds_the_head():
    """CE has curvature p (1 - p) in f; pi CE(f, 1) + (1 - pi) CE(f, 0) is least at the log odds: H(pi)."""
    logit, label = sympy.symbols("f y", real=True)
    share = sympy.Symbol("pi", positive=True)
    entropy = sympy.log(1 + sympy.exp(logit)) - label * logit
    chance = 1 / (1 + sympy.exp(-logit))
    yield sympy.simplify(entropy.diff(logit, 2) - chance * (1 - chance))
    mean, odds = entropy.subs(label, share), share / (1 - share)  # CE is linear in the label
    yield sympy.simplify(mean.diff(logit).subs(logit, sympy.log(odds)))
    small = sympy.Symbol("q", positive=True)  # pi = 1/(1 + q): its logarithms stay real
    uncertainty = -share * sympy.log(share) - (1 - share) * sympy.log(1 - share)
    least = mean.subs(logit, sympy.log(odds)) - uncertainty
    yield sympy.simplify(sympy.expand_log(sympy.simplify(least.subs(share, 1 / (1 + small))), force=True))


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
            for position in range(length):
                ordered = sum(weight[rotations(ring)] for ring in inside if ring[position])
                yield sympy.expand(ordered - mass * sympy.Rational(bag, length))


def fitted_residual():
    """L = 3..8: v* makes dl/dv = 0; then the score gradient is -v*/L^2 times the residual covariance.

    And v* is 0 where sum_{r != 0} C(r) is, as for C = (1, c, -c, -c, c). Two lags differ by (1 + v*/L) (C(r) - C(s)),
    and 1 + v*/L is a multiple of T: so no residual is left at any lag only where all C(r) agree or T = 0.
    """
    for length in range(3, LARGEST_EXACT + 1):
        half = sympy.symbols(f"c0:{length // 2 + 1}", positive=True)
        lags = [half[min(r, length - r)] for r in range(length)]
        everything = sum(lags)
        value = length * (everything - lags[0]) / ((length - 2) * everything + lags[0])
        other_weights = (sympy.ones(length) - sympy.eye(length)) / length
        averages = (other_weights * ring_matrix(lags)).row(0)
        yield value.subs(half[1], half[1] - (everything - lags[0]) / sum(each == half[1] for each in lags))
        yield sympy.cancel(sum(value * averages[r] - lags[r] for r in range(1, length)))
        rescaled = 1 + value / length
        yield sympy.cancel(rescaled - (length - 1) * everything / ((length - 2) * everything + lags[0]))
        left = [lags[r] - value * averages[r] for r in range(1, length)]
        yield from (
            sympy.cancel(left[r - 1] - left[0] - rescaled * (lags[r] - lags[1])) for r in range(2, length)
        )
        yield from (
            sympy.cancel(lags[r] - value * averages[r] - (lags[r] - value / length * (everything - lags[r])))
            for r in range(1, length)
        )
