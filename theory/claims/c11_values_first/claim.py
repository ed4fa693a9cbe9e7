"""C11, values first. Exact at uniform attention for every L; the joint flow to leading order in time."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c11_values_first import symbolic as c11_symbols
from theory.claims.checks.check import (
    Claim,
    autodiff,
    counterexample,
    finite_difference,
    finite_difference_gap,
    relative_gap,
    simulation,
    standard_errors_off,
    symbolic,
)
from theory.claims.checks.exponents import fitted_exponent
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT
from theory.dynamics.adiabatic import fitted_value
from theory.dynamics.values_first import early_score_law, score_path, time_ratio, value_path, value_rate
from theory.minimal_model.attention import attention_weights
from theory.reconstruction.circulant import circulant, reconstruction_kernel_gradient, reduced_value_gradient
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import reconstruction_loss, reconstruction_value_gradient

LENGTH = 8
VALUE = 0.7
SEQUENCES = 40_000
STEPS = 16  # of Runge and Kutta, for each duration
DURATIONS = (0.04, 0.02, 0.01)  # in units of the value's own time
LENGTHS = (64, 128, 256)  # for the fitted order of the ratio


def process(key: PRNGKeyArray) -> Float[Array, " lag"]:
    """White noise smoothed by h on the ring: h, whose autocovariance is h * h."""
    return 0.5 ** jnp.arange(float(LENGTH)) * (1 + 0.3 * jax.random.normal(key, (LENGTH,)))


def autocovariance_of(smoothing: Float[Array, " lag"]) -> Float[Array, " lag"]:
    """C(r) = sum_s h_s h_{s+r}."""
    return circulant(smoothing) @ smoothing


def flat_scores(smoothing) -> Float[Array, "query key"]:
    """Scores that make attention uniform."""
    return jnp.zeros((LENGTH, LENGTH))


def steep_scores(smoothing) -> Float[Array, "query key"]:
    """Attention to the right neighbour."""
    return circulant(2.0 * jax.nn.one_hot(1, LENGTH, dtype=smoothing.dtype))


def masked_out(scores, value, covariance) -> Float[Array, ""]:
    """The masked loss of C8."""
    return reconstruction_loss(scores, value, covariance)


def leaking(scores, value, covariance) -> Float[Array, ""]:
    """The loss with the diagonal kept: the token sees itself."""
    weights = attention_weights(scores)
    predicted = jnp.sum(weights * (weights @ covariance), axis=1)
    agreement = jnp.sum(weights * covariance, axis=1)
    return 0.5 * (jnp.diag(covariance) - 2 * value * agreement + value**2 * predicted).mean()


def value_gap(loss, scores_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's gradient in v at two values, and minus the speed of the path that starts there, against kappa (v - v*)."""
    smoothing = process(key)
    autocovariance, scores = autocovariance_of(smoothing), scores_of(smoothing)
    values = jnp.asarray([0.0, VALUE])
    slope = jax.grad(lambda value: loss(scores, value, circulant(autocovariance)))
    claimed = value_rate(autocovariance) * (values - fitted_value(autocovariance))
    speed = lambda start: jax.grad(value_path)(0.0, start, autocovariance)
    both = jnp.stack([jax.lax.map(slope, values), -jax.vmap(speed)(values)])
    return relative_gap(both, jnp.broadcast_to(claimed, both.shape))


def awakening_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """d^2 S/dt^2 at S = 0, v = 0: jax's mixed derivative along dv/dt, against twice the early law.

    And jax's curvature in v over its pull on the scores at v*, against the ratio of times.
    """
    autocovariance = autocovariance_of(process(key))
    scores, still = jnp.zeros((LENGTH, LENGTH)), jnp.zeros(())
    descent = lambda value: -jax.grad(masked_out)(scores, value, circulant(autocovariance))
    speed = -reduced_value_gradient(scores[0], still, autocovariance)
    asleep, acceleration = jax.jvp(descent, (still,), (speed,))
    claimed = 2 * circulant(early_score_law(autocovariance))
    pull = descent(fitted_value(autocovariance))[0, 1:]  # 0 at lag 0
    loss = lambda value: masked_out(scores, value, circulant(autocovariance))
    curvature = jnp.broadcast_to(loss(1.0) - 2 * loss(0.0) + loss(-1.0), pull.shape)  # of a square
    ratio = relative_gap(time_ratio(autocovariance)[1:] * pull, curvature)
    return relative_gap(acceleration, claimed) + jnp.abs(asleep).max() + ratio


def joint_flow(duration, start, autocovariance):
    """Kernel and value after gradient flow of both from uniform attention, by Runge and Kutta."""
    length = len(autocovariance)

    def descent(kernel, value):
        by_kernel = reconstruction_kernel_gradient(kernel, value, autocovariance) / length  # per score, C12
        return -by_kernel, -reduced_value_gradient(kernel, value, autocovariance)

    def step(_, state):
        speed, total = descent(*state), jax.tree.map(jnp.zeros_like, state)
        for ahead, weight in ((0.5, 1.0), (0.5, 2.0), (1.0, 2.0), (0.0, 1.0)):
            total = jax.tree.map(lambda all_, one, w=weight: all_ + w / 6 * one, total, speed)
            moved = jax.tree.map(lambda at, one, f=ahead: at + f * duration / STEPS * one, state, speed)
            speed = descent(*moved)
        return jax.tree.map(lambda at, one: at + duration / STEPS * one, state, total)

    return jax.lax.fori_loop(0, STEPS, step, (jnp.zeros(length), start))


def joint_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Fitted exponents in t of the relative error of the score path against the joint flow, against those claimed.

    2 where the value starts at 0, and 1 elsewhere.
    """
    autocovariance, durations = autocovariance_of(process(key)), jnp.asarray(DURATIONS)

    def errors(share):
        duration = share / value_rate(autocovariance)

        def error(start):
            kernel, _ = joint_flow(duration, start, autocovariance)
            return relative_gap(kernel - kernel.mean(), score_path(duration, start, autocovariance))

        return jax.lax.map(error, jnp.asarray([0.0, VALUE]))

    return jnp.abs(fitted_exponent(durations, jax.lax.map(errors, durations)) - jnp.asarray([2.0, 1.0])).max()


def per_score(length: int) -> float:
    """Every score is a parameter of its own."""
    return 1.0


def per_lag(length: int) -> float:
    """One parameter for each lag: its rate is L times a score's (C12)."""
    return float(length)


def order_gap(speed, key: PRNGKeyArray) -> Float[Array, ""]:
    """Fitted exponents in L against those claimed: value time 1, ratio of lag 1 for AR(1) 1."""
    correlation = 0.5 + 0.2 * jax.random.uniform(key)
    sizes = []
    for length in LENGTHS:
        autocovariance = markov_autocovariance(length, correlation)
        ratio = time_ratio(autocovariance)[1] / speed(length)
        sizes.append(jnp.stack([1 / value_rate(autocovariance), ratio]))
    return jnp.abs(fitted_exponent(jnp.asarray(LENGTHS, float), jnp.stack(sizes)) - 1).max()


def centred_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The fitted exponent in L of the value time against 1, for AR(1) less each sequence's mean: T = 0."""
    correlation, times = 0.5 + 0.2 * jax.random.uniform(key), []
    for length in LENGTHS:
        autocovariance = markov_autocovariance(length, correlation)
        times.append(1 / value_rate(autocovariance - autocovariance.mean()))
    return jnp.abs(fitted_exponent(jnp.asarray(LENGTHS, float), jnp.stack(times)) - 1)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """kappa (v - v*) against central differences of the loss."""
    autocovariance = autocovariance_of(process(key))
    loss = lambda value: masked_out(jnp.zeros((LENGTH, LENGTH)), value, circulant(autocovariance))
    slope = value_rate(autocovariance) * (VALUE - fitted_value(autocovariance))
    ones = jnp.ones(1)
    return finite_difference_gap(loss, slope, jnp.asarray(VALUE), key=key, directions=ones)


def sampled_slope(key: PRNGKeyArray) -> Float[Array, ""]:
    """Per-sequence dl/dv at a start below 0 and after a path of one value time, against the closed forms."""
    smoothing = process(key)
    autocovariance = autocovariance_of(smoothing)
    noise = jax.random.normal(jax.random.fold_in(key, 1), (SEQUENCES, LENGTH))
    later = value_path(1 / value_rate(autocovariance), -VALUE, autocovariance)
    flat = jnp.zeros((LENGTH, LENGTH))

    def slopes(sequence):
        moments = jnp.outer(sequence, sequence)
        return jnp.stack([reconstruction_value_gradient(flat, at, moments) for at in (-VALUE, later)])

    limit = fitted_value(autocovariance)
    expected = value_rate(autocovariance) * (-VALUE - limit) * jnp.stack([1.0, jnp.exp(-1.0)])
    return standard_errors_off(jax.vmap(slopes)(noise @ circulant(smoothing)), expected)


CLAIM = Claim(
    label="C11",
    title="Values first",
    statement=(
        "At uniform attention the value moves first, with the sign of m = sum_{r != 0} C(r), and settles in a "
        "time of about L/T, T = sum_r C(r) > 0. The scores, whose gradient is 0 at v = 0 and grows with v, "
        "start along m C(r), as t^2. They need a time of order L^2, where the value needs one of order L."
    ),
    details=(
        "At uniform attention dl/dv = kappa (v - v*), kappa = ((L - 2) T + C(0))/L^2, v* = L m/((L - 2) T "
        "+ C(0)), with T = sum_r C(r) and m = sum_{r != 0} C(r): from v = 0 the value moves with the sign "
        "of m, and keeps it, like v* (1 - exp(-kappa t)), while the score gradient there is 0 and grows "
        "with v only. So S_{i,i+r} = m (C0(r) - mean C0) t^2/(2 L^3) + O(t^3) beside v = m t/L + O(t^2): "
        "scores start along m C(r), whatever the sign of the value, and where m = 0 both stay put. While "
        "the scores are small, S = a int v dt + b int v^2 dt, v a + v^2 b being the proximity law of C10. "
        "The value settles in a time 1/kappa, about L/T; at v* a unit of score at lag r takes "
        "kappa/law_r(v*) times as long, about L T^2/((T - C(0)) C(r)), that is L (1 + rho)^2/(2 rho^2 (1 - "
        "rho)) for lag 1 of AR(1): values take of order L, scores of order L^2. With one parameter per lag "
        "instead of one per score, both take of order L."
    ),
    regime=(
        "Exact at uniform attention for every L >= 2 under cyclic stationarity (dl/dv, v(t), leading powers "
        "of t); the score path is first order in the scores, its relative error O(t^2) from v(0) = 0. Times "
        "and their ratio: leading order in 1/L for summable correlations with T > 0; where every sequence "
        "sums to 0, T = 0 and the value takes a time of order L^2 as well. Symbolic L throughout; time = "
        "learning rate x steps."
    ),
    formula=(
        r"\frac{\partial \ell}{\partial v} = \kappa \left( v - v^{*} \right), \quad "
        r"\kappa = \frac{(L - 2) T + C(0)}{L^{2}}, \quad "
        r"S_{i, i + r} = \frac{t^{2}}{2 L^{3}} \sum_{s \neq 0} C(s) "
        r"\left( C_{0}(r) - \overline{C_{0}} \right) + O\left( t^{3} \right)"
    ),
    checks=(
        symbolic("dl/dv, symbolic L", c11_symbols.value_slope),
        symbolic("certificate: where m = 0 nothing moves, symbolic L", c11_symbols.balanced_data_stay),
        symbolic("the paths solve the flow", c11_symbols.paths_solve_the_flow),
        symbolic("the ratio of times over L, symbolic L", c11_symbols.ratio_grows_with_length),
        autodiff("dl/dv against jax.grad", lambda key: value_gap(masked_out, flat_scores, key)),
        autodiff("scores sleep at v = 0 and wake along m C(r)", awakening_gap),
        autodiff(
            "the score path against the joint flow: error of order t^2 from v = 0, else t",
            joint_gap,
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        autodiff(
            "value times grow like L, score times like L^2",
            lambda key: order_gap(per_score, key),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        finite_difference("dl/dv against central differences", difference_gap),
        simulation("dl/dv of sampled sequences, at the start and later", sampled_slope),
        counterexample("attention not uniform", lambda key: value_gap(masked_out, steep_scores, key)),
        counterexample("the token sees itself", lambda key: value_gap(leaking, flat_scores, key)),
        counterexample(
            "sequences that sum to 0: a value time like L", centred_gap, tolerance=ASYMPTOTIC_EXPONENT
        ),
        counterexample(
            "one parameter per lag", lambda key: order_gap(per_lag, key), tolerance=ASYMPTOTIC_EXPONENT
        ),
    ),
)
