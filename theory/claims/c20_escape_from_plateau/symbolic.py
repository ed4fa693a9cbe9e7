"""C20 in symbols: the Hessian at a zero head, the rates of the saddle, and quadratic features. Exact."""

import sympy

from theory.symbolic.index_sums import C, L, S, a, b, difference, i, j, k, resolve, ring_matrix, total, v, x

LARGEST_EXACT = 7


def hessian_at_a_zero_head():
    """Any features z(S): no curvature in the scores, (p - y) dz/dS across, p (1 - p) z z^T in the head."""
    scores = sympy.symbols("S T", real=True)
    label, intercept, *weights = sympy.symbols("y b w1 w2", real=True)
    features = [sympy.Function(f"z{index}")(*scores) for index in (1, 2)]
    logit = intercept + sum(w * z for w, z in zip(weights, features, strict=True))
    loss = sympy.log(1 + sympy.exp(logit)) - label * logit
    at_zero, chance = dict.fromkeys(weights, 0), 1 / (1 + sympy.exp(-intercept))
    by_score, by_weight = loss.diff(scores[0]), loss.diff(weights[0])
    yield from (by_score.diff(other).subs(at_zero) for other in (*scores, intercept))
    yield by_weight.diff(scores[0]).subs(at_zero) - (chance - label) * features[0].diff(scores[0])
    for weight, feature in zip(weights, features, strict=True):
        curved = by_weight.diff(weight).subs(at_zero)
        yield curved - chance * (1 - chance) * features[0] * feature


def centred_contrast():
    """E[(y - p) r] = p (1 - p)(r_1 - r_0), from the chances and responses of two sequences in each class."""
    chances = {label: sympy.symbols(f"q{label}_0:2", positive=True) for label in (0, 1)}
    responses = {label: sympy.symbols(f"r{label}_0:2", real=True) for label in (0, 1)}
    mass = {label: sum(chances[label]) for label in (0, 1)}
    share = mass[1] / (mass[0] + mass[1])
    sums = {y: sum(q * r for q, r in zip(chances[y], responses[y], strict=True)) for y in (0, 1)}
    contrast = sum((y - share) * sums[y] for y in (0, 1)) / (mass[0] + mass[1])
    yield sympy.cancel(contrast - share * (1 - share) * (sums[1] / mass[1] - sums[0] / mass[0]))


def rate_of_the_saddle():
    """det(gamma + H) = 0 at the rate; with a ridge; its bounds' ends; and the path it gives."""
    curvature, contrast, penalty, time, scale = sympy.symbols("k sigma mu t e", positive=True)
    spread = sympy.sqrt((curvature - penalty) ** 2 + 4 * contrast**2)
    rate = 2 * (contrast**2 - curvature * penalty) / (curvature + penalty + spread)
    hessian = sympy.Matrix([[curvature, -contrast], [-contrast, penalty]])
    yield (rate * sympy.eye(2) + hessian).det()
    plain = rate.subs(penalty, 0)
    yield plain.subs(curvature, 0) - contrast
    yield sympy.limit(plain * curvature, curvature, sympy.oo) - contrast**2
    growth = sympy.Symbol("gamma", positive=True)
    fading = growth + curvature
    path = (
        scale * (fading * sympy.exp(growth * time) + growth * sympy.exp(-fading * time)) / (growth + fading)
    )
    motion = path.diff(time, 2) + curvature * path.diff(time) - growth * fading * path
    yield from (motion, path.subs(time, 0) - scale, path.diff(time).subs(time, 0))


def negative_directions_are_the_rank_of_the_contrast():
    """Certificate: a congruence turns the Hessian into K and -M^T K^-1 M, for any 2 x 3 M."""
    curvature = sympy.Matrix(2, 2, sympy.symbols("k0 k1 k1 k2"))
    contrast = sympy.Matrix(2, 3, sympy.symbols("m0:6"))
    hessian = sympy.BlockMatrix([[curvature, -contrast], [-contrast.T, sympy.zeros(3)]]).as_explicit()
    inverse = curvature.adjugate() / curvature.det()
    shear = sympy.BlockMatrix([[sympy.eye(2), inverse * contrast], [sympy.zeros(3, 2), sympy.eye(3)]])
    split = sympy.diag(curvature, -contrast.T * inverse * contrast)
    yield from map(sympy.cancel, shear.as_explicit().T * hessian * shear.as_explicit() - split)


def clocks():
    """Equal amplitudes blow up at 1/(e sigma) for k = 0, at k/(2 sigma^2 e^2) where the head follows; noise
    adds up; the mean sign is an error function."""
    contrast, time, scale, noise, rate = sympy.symbols("sigma t e tau gamma", positive=True)
    size = scale / (1 - scale * contrast * time)
    yield size.diff(time) - contrast * size**2
    curvature = sympy.Symbol("k", positive=True)
    slow = 1 / sympy.sqrt(1 / scale**2 - 2 * contrast**2 * time / curvature)
    head = contrast * slow**2 / curvature  # the root of k w - sigma q k
    yield slow.diff(time) - contrast * head * slow
    steps = sympy.Symbol("n", integer=True, positive=True)
    growth = (1 + rate) ** 2
    spread = lambda count: scale**2 * growth**count + noise**2 * (growth**count - 1) / (growth - 1)
    yield spread(steps + 1) - growth * spread(steps) - noise**2
    signal, draw = sympy.symbols("m g", real=True)
    density = sympy.exp(-((draw - signal) ** 2) / (2 * noise**2)) / sympy.sqrt(2 * sympy.pi * noise**2)
    yield density.diff(signal) + density.diff(draw)  # so P(g > 0) grows with m by the density at 0
    mean_sign = sympy.erf(signal / (sympy.sqrt(2) * noise))
    yield from (mean_sign.diff(signal) - 2 * density.subs(draw, 0), mean_sign.subs(signal, 0))


def quadratic_response():
    """Symbolic L: dz/dS_ab at uniform attention, then its mean for stationary tokens, from z itself."""
    weight = sympy.exp(S[i, j]) / total(sympy.exp(S[i, k]), k)
    pooled = total((x[i] + v * total(weight * x[j], j)) ** 2, i) / L
    slope = resolve(pooled.diff(S[a, b]))
    flat = resolve(
        slope.replace(lambda e: isinstance(e, sympy.Indexed) and e.base == S, lambda e: sympy.Integer(0))
    )
    mean = total(x[j], j) / L
    yield difference(flat, 2 * v / L**2 * (x[a] + v * mean) * (x[b] - mean))


def stationary_response():
    """Symbolic L: E (x_a + v mean)(x_b - mean) = C_ab - T/L where every row of C sums to T."""
    everything = sympy.Symbol("T", real=True)
    rows = total(C[a, k], k)
    whole = total(total(C[j, k], k), j)
    response = C[a, b] - rows / L + v * total(C[b, k], k) / L - v * whole / L**2
    response = response.subs({rows: everything, total(C[b, k], k): everything})
    yield sympy.expand(response.subs(whole, resolve(total(everything, j))) - (C[a, b] - everything / L))


def quadratic_variance():
    """L = 2..7: 2 tr(Q C Q C) with z = x^T Q x for Gaussian tokens, every covariance spelled out."""
    for length in range(2, LARGEST_EXACT + 1):
        half = sympy.symbols(f"c0:{length // 2 + 1}")
        lags = [half[min(r, length - r)] for r in range(length)]
        reading = sympy.eye(length) + v * sympy.ones(length) / length
        product = reading.T * reading * ring_matrix(lags) / length
        powers = sum(c**2 for c in lags) / length + ((1 + v) ** 4 - 1) * (sum(lags) / length) ** 2
        yield sympy.expand((product * product).trace() - powers)
