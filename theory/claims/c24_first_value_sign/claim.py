"""C24, the first value decides. Exact for every L, but for the flow's closed form: leading order in 1/L.

Proof, barrier. At v = 0 the loss is C(0)/2 whatever the scores. It falls along gradient flow, so a value
that has once reached a loss below C(0)/2 never meets v = 0 again. From v = 0 at uniform attention its first
move has the sign of m, and the loss falls at once.

Proof, C_ij > 0 off the diagonal. While v < 0, dv/dt = mean_i [b_i.c_i - v b_i^T C b_i] > 0. By the softmax
pull-back (1/A_ii) dS_ii/dt = v (v b_i^T C b_i - b_i.c_i)/L > 0, so sum_i (1/A_ii) dS_ii = -d(v^2)/2 and
S_ii rises by no more than v(0)^2/2. Rows of S keep their sum, so the mean of the other scores is bounded
below, A_ii above by a number under 1, b_i.c_i below by one over 0, and v reaches 0 in finite time. It
crosses with a loss of C(0)/2, which then falls: v > 0 for ever.

Flow. At v of order sqrt(L) and scores of order 1, A_ir = e^{S_r}/L and v^2 C b is 1/sqrt(L) of v c, so that
dS_r/dt = v C(r) e^{S_r}/L^2 and dv/dt = sum_{r != 0} C(r) e^{S_r}/L: both integrate in the clock tau.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c24_first_value_sign import symbolic as c24_symbols
from theory.claims.c24_first_value_sign.flow import (
    PER_LAG,
    centred,
    markov,
    order_gap,
    turn_gap,
    two_values_gap,
)
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
from theory.claims.checks.draws import correlation_draw, even_autocovariance, gaussian_scores, ring_sequences
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT
from theory.dynamics.value_sign import masked_fitted_value, sum_excess
from theory.reconstruction.circulant import circulant
from theory.reconstruction.markov import markov_autocovariance
from theory.reconstruction.masked_loss import reconstruction_loss
from theory.reconstruction.masking import masked_loss

LENGTH = 10
MASK_RATE = 0.55
SEQUENCES = 100_000
STEP, STEPS = 1.0, 600  # of gradient descent: small against 1/curvature, so that the loss falls


def hidden_token(value, covariance) -> Float[Array, ""]:
    """The masked loss of C8 at uniform attention, mask token 0."""
    flat, value_map = jnp.zeros((LENGTH, LENGTH)), jnp.reshape(value, (1, 1))
    return masked_loss(flat, value_map, covariance[:, None, :, None], MASK_RATE, jnp.zeros(1))


def visible_token(value, covariance) -> Float[Array, ""]:
    """The loss when the predicted token is not hidden: uniform attention reads it, too."""
    return 0.5 * (covariance[0, 0] - (2 * value - value**2) * covariance.mean())


def slope_gap(loss, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's dl/dv at 0 and at v* against -(1 - p) m/L and 0."""
    autocovariance = even_autocovariance(key, LENGTH)
    values = jnp.stack([jnp.zeros(()), masked_fitted_value(autocovariance, MASK_RATE)])
    slopes = jax.lax.map(jax.grad(lambda value: loss(value, circulant(autocovariance))), values)
    claimed = -(1 - MASK_RATE) * sum_excess(autocovariance) / LENGTH * jnp.eye(2)[0]
    return relative_gap(slopes, claimed, scale=autocovariance[0] / LENGTH)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """-(1 - p) m/L against central differences at v = 0."""
    autocovariance = even_autocovariance(key, LENGTH)
    slope = -(1 - MASK_RATE) * sum_excess(autocovariance) / LENGTH
    loss = lambda value: hidden_token(value, circulant(autocovariance))
    return finite_difference_gap(loss, slope, jnp.zeros(()), key=key, directions=jnp.ones(1))


def sampled_slope(key: PRNGKeyArray) -> Float[Array, ""]:
    """dl/dv at v = 0 of sampled sequences that sum to 0, masks drawn, against (1 - p) C(0)/L."""
    process, noise, masks = jax.random.split(key, 3)
    correlation = correlation_draw(process)
    tokens = ring_sequences(noise, LENGTH, correlation, SEQUENCES)
    tokens = tokens - tokens.mean(axis=1, keepdims=True)
    autocovariance = markov_autocovariance(LENGTH, correlation)
    visible = jax.random.bernoulli(masks, 1 - MASK_RATE, (SEQUENCES, LENGTH - 1))
    slopes = -tokens[:, 0] * jnp.where(visible, tokens[:, 1:], 0.0).sum(axis=1) / LENGTH
    return standard_errors_off(slopes, (1 - MASK_RATE) * (autocovariance[0] - autocovariance.mean()) / LENGTH)


def descended(scores, value, covariance) -> Float[Array, " step"]:
    """The value along gradient descent on the masked loss, in it and all L^2 scores."""
    slope = jax.grad(reconstruction_loss, argnums=(0, 1))

    def step(state, _):
        by_scores, by_value = slope(*state, covariance)
        after = state[0] - STEP * by_scores, state[1] - STEP * by_value
        return after, after[1]

    return jax.lax.scan(step, (scores, value), length=STEPS)[1]


def barrier_gap(size, key: PRNGKeyArray) -> Float[Array, ""]:
    """How far the value gets beyond 0 from `size` times its best; below 2 the loss starts under C(0)/2."""
    scores_key, process = jax.random.split(key)
    scores, covariance = gaussian_scores(scores_key, LENGTH), circulant(even_autocovariance(process, LENGTH))
    loss = functools.partial(reconstruction_loss, scores, covariance=covariance)
    slope = jax.grad(loss)(0.0)
    best = -slope / (2 * (loss(1.0) - loss(0.0) - slope))
    path = descended(scores, size * best, covariance)
    return jnp.maximum(-path * jnp.sign(best), 0).max()


def positive_gap(process, key: PRNGKeyArray) -> Float[Array, ""]:
    """How far below 0 the value ends, from v = -1/2 and random scores."""
    scores_key, draw = jax.random.split(key)
    path = descended(gaussian_scores(scores_key, LENGTH), jnp.asarray(-0.5), circulant(process(LENGTH, draw)))
    return jnp.maximum(-path[-1], 0)


CLAIM = Claim(
    label="C24",
    title="The first value decides",
    statement=(
        "At uniform attention the value's first step has the sign of m = sum_{r != 0} C(r) = E (sum_i "
        "x_i)^2/L - C(0), a property of the bag, and a value whose loss is below C(0)/2 keeps its "
        "sign for ever. m > 0 takes attention to where C is large, m < 0 away from there. A start of "
        "the other sign survives only above a barrier of order sqrt(L)."
    ),
    details=(
        "Let m = sum_{r != 0} C(r) = E (sum_i x_i)^2/L - C(0), a property of the bag: permuting positions "
        "keeps it, and it is -C(0) where every sequence sums to 0. At uniform attention dl/dv at v = 0 is "
        "-(1 - p) m/L when other positions are hidden with probability p, and the best value has the sign "
        "of m for every p (near -1/p for long sequences that sum to 0). At v = 0 the loss is C(0)/2 "
        "whatever the scores, so a value whose loss is below that keeps its sign for ever: from v = 0 and "
        "uniform attention that of m. If all C_ij > 0, the value ends positive from every start. Along the "
        "way S_{i,i+r} = -log(1 - C(r) tau), v^2 = v(0)^2 - 2 L sum_{r != 0} log(1 - C(r) tau), tau = int v "
        "dt/L^2: m > 0 takes attention to where C is large, m < 0 away from there. A value of the other "
        "sign keeps it if it starts above v0*, v0*^2 = 2 L max_tau sum_{r != 0} log(1 - C(r) tau): of order "
        "sqrt(L), so that small starts forget their sign."
    ),
    regime=(
        "Exact for every L >= 2 under cyclic stationarity: m, dl/dv and the best value under masks; the "
        "barrier, at any scores, under any descent whose loss falls; the positive end, for C_ij > 0, "
        "without stationarity. The path and v0* are leading order in 1/L, for summable correlations, v of "
        "order sqrt(L) and scores of order 1. One value: two heads can carry both signs. Symbolic L "
        "throughout; sptlab's own statement."
    ),
    formula=(
        r"m = \sum_{r \neq 0} C(r), \quad "
        r"S_{i, i + r} = -\log \left( 1 - C(r) \tau \right), \quad "
        r"v^{2} = v_{0}^{2} - 2 L \sum_{r \neq 0} \log \left( 1 - C(r) \tau \right), \quad "
        r"\tau = \frac{1}{L^{2}} \int_{0}^{t} v \, \mathrm{d} t"
    ),
    checks=(
        symbolic("dl/dv under masks, symbolic L", c24_symbols.masked_slope),
        symbolic("certificate: no score enters the loss at v = 0", c24_symbols.barrier_at_zero),
        symbolic("m is of the bag, symbolic L", c24_symbols.excess_is_of_the_bag),
        symbolic("scores and value follow the clock, symbolic L", c24_symbols.scores_follow_the_clock),
        symbolic("v0* to second order in m", c24_symbols.weak_balance_needs_little),
        autodiff("dl/dv under masks against jax.grad", lambda key: slope_gap(hidden_token, key)),
        autodiff("below C(0)/2 the sign is kept", lambda key: barrier_gap(1.9, key), tolerance=0.0),
        autodiff("C > 0: the value ends positive", lambda key: positive_gap(markov, key), tolerance=0.0),
        autodiff(
            "the flow's closed form: correction of order 1/L",
            order_gap,
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        autodiff("v0* where C has two values", two_values_gap),
        autodiff("v0* divides the starts", lambda key: turn_gap(1.0, key), tolerance=0.0),
        finite_difference("dl/dv under masks against central differences", difference_gap),
        simulation("dl/dv of sampled sequences that sum to 0", sampled_slope),
        counterexample("the token sees itself", lambda key: slope_gap(visible_token, key)),
        counterexample("a loss above C(0)/2", lambda key: barrier_gap(-1.0, key), tolerance=0.0),
        counterexample("sequences that sum to 0", lambda key: positive_gap(centred, key), tolerance=0.0),
        counterexample("one parameter per lag", lambda key: turn_gap(PER_LAG, key), tolerance=0.0),
    ),
)
