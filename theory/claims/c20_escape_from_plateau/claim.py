"""C20, escape from the plateau. Exact for every L: the saddle; its clocks to second order in the loss."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c20_escape_from_plateau import (
    clocks as c20_clocks,
)
from theory.claims.c20_escape_from_plateau import (
    quadratic as c20_quadratic,
)
from theory.claims.c20_escape_from_plateau import (
    symbolic as c20_symbols,
)
from theory.claims.checks.check import (
    Claim,
    autodiff,
    counterexample,
    finite_difference,
    relative_gap,
    simulation,
    standard_errors_off,
    symbolic,
)
from theory.claims.checks.populations import LENGTH, SHARE, Population, ordered_against_shuffled
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, FINITE_DIFFERENCE, STANDARD_ERRORS
from theory.dynamics.adiabatic import Head, head_loss
from theory.dynamics.escape import Saddle, escape_steps, label_saddle, noisy_spread, sign_drift
from theory.minimal_model.attention import pooled_features

PENALTY = 0.01
FEATURES = 2
WALKERS, STEPS = 12_000, 24
BATCH, BATCHES = 100, 20_000


def pool(parameters, tokens: Float[Array, " key"]) -> Float[Array, " features"]:
    """z = mean_i (h_i^2, h_i^4 / 10), h = x + H, as a function of the scores in one vector."""
    bend = lambda stream: jnp.concatenate([stream**2, stream**4 / 10], axis=1)
    scores = parameters.reshape(LENGTH, LENGTH)
    return pooled_features(scores, tokens[:, None], jnp.full((1, 1), -2.0), bend)


def plateau() -> Float[Array, " parameters"]:
    """The adiabatic point: classes of equal mean features, so all but the intercept is 0: log p/(1 - p)."""
    return jnp.zeros(FEATURES + 1 + LENGTH**2).at[FEATURES].set(math.log(SHARE / (1 - SHARE)))


def population_loss(parameters: Float[Array, " parameters"], population: Population) -> Float[Array, ""]:
    """The label loss over all sequences, of head, intercept and scores in one vector."""
    weights, intercept, scores = jnp.split(parameters, [FEATURES, FEATURES + 1])
    vectors = jax.vmap(pool, (None, 0))(scores, population.tokens)
    head = Head(weights, intercept[0])
    return head_loss(head, vectors, population.labels, population.chances, PENALTY)


def claimed_saddle(population: Population) -> Saddle:
    """K and M from the features and their responses at uniform attention."""
    tokens, flat = population.tokens, jnp.zeros(LENGTH**2)
    vectors = jax.vmap(pool, (None, 0))(flat, tokens)
    responses = jax.vmap(jax.jacrev(pool), (None, 0))(flat, tokens).reshape(-1, FEATURES, LENGTH, LENGTH)
    return label_saddle(vectors, responses, population.labels, population.chances, PENALTY)


def hessian_gap(key: PRNGKeyArray, head_size: float = 0.0) -> Float[Array, ""]:
    """The Hessian by jax, times a random direction, against [[K, -M], [-M^T, 0]]; the claim is for head 0."""
    direction, population = jax.random.normal(key, plateau().shape), ordered_against_shuffled()
    at = plateau().at[:FEATURES].set(head_size)
    slope = jax.grad(lambda parameters: population_loss(parameters, population))
    by_jax = jax.jvp(slope, (at,), (direction,))[1]
    return relative_gap(by_jax, claimed_saddle(population).hessian() @ direction)


def clock_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Descent on the true losses: steps that the label's growth needs by the law, over steps taken; and the
    distance of the masked loss's scores from 0 at the time that its law gives for it."""
    population, learning_rate, steps, scale = ordered_against_shuffled(), 2.0, 200, 1e-8
    saddle = claimed_saddle(population)
    direction = jnp.linalg.eigh(saddle.hessian())[1][:, 0]
    slope = jax.grad(lambda parameters: population_loss(parameters, population))
    step = lambda _, parameters: parameters - learning_rate * slope(parameters)
    reached = jax.lax.fori_loop(0, steps, step, plateau() + scale * direction)
    grown = (reached - plateau()) @ direction
    late = escape_steps(scale, grown, saddle.rate(), learning_rate) / steps - 1
    return jnp.maximum(jnp.abs(late), c20_clocks.first_order_gap(key))


def noisy_walk(key: PRNGKeyArray) -> Float[Array, ""]:
    """Descent on the loss to second order, noise in every parameter: mean square along the way out."""
    saddle, learning_rate, noise, scale = claimed_saddle(ordered_against_shuffled()), 4.0, 0.25, 4.0
    hessian = saddle.hessian()
    direction = jnp.linalg.eigh(hessian)[1][:, 0]

    def step(walkers, key):
        kicks = jax.random.normal(key, walkers.shape, "float32").astype(walkers.dtype)
        slopes = walkers @ hessian + noise * kicks
        return walkers - learning_rate * slopes, None

    start = jnp.broadcast_to(scale * direction, (WALKERS, len(direction)))
    walkers, _ = jax.lax.scan(step, start, jax.random.split(key, STEPS))
    law = noisy_spread(1.0 * STEPS, scale, saddle.rate(), learning_rate, noise)
    return standard_errors_off((walkers @ direction) ** 2, law)


def normalised_steps(key: PRNGKeyArray) -> Float[Array, ""]:
    """Signs of a batch's mean label gradient (p - y) w dz/dS_01, w small, against erf(mean/(sqrt 2 sd))."""
    tokens, labels, chances = ordered_against_shuffled()
    flat = jnp.zeros(LENGTH**2)
    responses = jax.vmap(jax.grad(lambda scores, each: pool(scores, each)[0]), (None, 0))(flat, tokens)[:, 1]
    slopes = 1e-3 * (SHARE - labels) * responses
    drawn = jnp.searchsorted(jnp.cumsum(chances), jax.random.uniform(key, (BATCHES, BATCH)))
    mean = chances @ slopes
    noise = jnp.sqrt((chances @ slopes**2 - mean**2) / BATCH)
    return standard_errors_off(jnp.sign(slopes[drawn].mean(axis=1)), sign_drift(mean, noise))


CLAIM = Claim(
    label="C20",
    title="Escape from the plateau",
    statement=(
        "At the adiabatic point of C19 the Hessian of the label loss is [[K, -M], [-M^T, 0]], M the "
        "class contrast of the features' response to the scores: a strict saddle exactly when M is "
        "not 0. Labels leave it after a time log(A/e)/gamma, gamma = 2 sigma^2/(k + sqrt(k^2 + 4 "
        "sigma^2)) for one feature, or a power of 1/e through queries and keys; reconstruction needs "
        "A/|G|. Noise starts the escape even at e = 0, and under Adam the plateau is a matter of "
        "class contrast over noise."
    ),
    details=(
        "At the adiabatic point of C19 (uniform attention, zero head) the Hessian of the label loss is [[K, "
        "-M], [-M^T, 0]]: K = p(1-p) E[(z,1)(z,1)^T] plus the head's ridge, M = p(1-p) (E[dz/dS|1] - "
        "E[dz/dS|0]), and exactly 0 among the scores. It has rank M negative directions, so it is a strict "
        "saddle exactly when the classes differ in their mean response. The escape rate is the largest root "
        "of det(gamma^2 + gamma K - M M^T), for one centred feature 2 sigma^2/(k + sqrt(k^2 + 4 sigma^2)): "
        "the largest singular value sigma = |M| only when k = 0, and sigma^2/k once the head follows the "
        "scores. A score of size e needs log(A/e)/log(1 + eta gamma) steps to reach A, reconstruction A/(eta "
        "|G|). For z = mean (x_i + H_i)^2 on Gaussian rings gamma -> 2 p(1-p) (v kappa/L)^2, kappa = |C_1 - "
        "C_0|/|C|: the same L^-2 as reconstruction, and kappa^2 slower. A ridge mu on the scores shuts the "
        "exit when k mu >= sigma^2. Through queries and keys of size e the time is a power of e, not a "
        "logarithm: 1/(e sigma) only if k = 0, else k/(2 sigma^2 e^2) for e well below k/sigma. Gradient "
        "noise tau starts the escape even at e = 0, as e = tau sqrt(eta/(2 gamma)). A sign-normalised step "
        "moves a score by eta erf(sqrt(SNR/2)) on average, SNR the squared mean over variance of the batch's "
        "gradient, however small the head: under Adam the plateau is a matter of class contrast over noise."
    ),
    regime=(
        "Exact for every L: the Hessian for any architecture with a linear head and cross-entropy, the "
        "response for cyclically stationary tokens (symbolic L), the variance for Gaussian ones (symbols, L "
        "= 2..7). The clocks are those of the loss to second order (third for queries and keys), until the "
        "head or the scores are of order 1; -> is leading order in 1/L and needs equal C(0) and equal sums "
        "of C. The power e^-2 is leading order in e sigma/k. Noise is independent from step to step; a "
        "batch's gradient is taken as Gaussian, and Adam without momentum."
    ),
    formula=(
        r"H = \begin{pmatrix} K & -M \\ -M^{\top} & 0 \end{pmatrix}, \quad "
        r"\gamma = \frac{2 \sigma^{2}}{k + \sqrt{k^{2} + 4 \sigma^{2}}}, \quad "
        r"t_{\mathrm{label}} = \frac{1}{\gamma} \log \frac{A}{\varepsilon}, \quad "
        r"\gamma \to \frac{2 p (1 - p) v^{2} \kappa^{2}}{L^{2}}"
    ),
    checks=(
        symbolic("certificate: the Hessian at a zero head, any features", c20_symbols.hessian_at_a_zero_head),
        symbolic("the cross block is the class contrast", c20_symbols.centred_contrast),
        symbolic("rate, its limits and the path", c20_symbols.rate_of_the_saddle),
        symbolic(
            "certificate: as many ways down as the rank of M",
            c20_symbols.negative_directions_are_the_rank_of_the_contrast,
        ),
        symbolic("queries and keys, noise, normalised steps", c20_symbols.clocks),
        symbolic("response of quadratic features, symbolic L", c20_symbols.quadratic_response),
        symbolic("its mean for stationary tokens, symbolic L", c20_symbols.stationary_response),
        symbolic("variance of quadratic features, L = 2..7", c20_symbols.quadratic_variance),
        autodiff("the Hessian by jax, over all sequences", hessian_gap),
        autodiff("the path against the exact flow", lambda key: c20_clocks.path_gap(lambda k: k, key)),
        autodiff("the clock of each loss, and a ridge on the scores", c20_clocks.clock_of_each_loss_gap),
        autodiff("response of quadratic features by jax", lambda key: c20_quadratic.response_gap(1.0, key)),
        autodiff(
            "descent on both true losses",
            clock_gap,
            tolerance=FINITE_DIFFERENCE,
        ),
        autodiff(
            "rate like L^-2, and its leading law", c20_quadratic.rate_order_gap, tolerance=ASYMPTOTIC_EXPONENT
        ),
        autodiff(
            "queries and keys, flat features, Runge-Kutta",
            lambda key: c20_clocks.factored_gap(0.0, key),
            tolerance=FINITE_DIFFERENCE,
        ),
        finite_difference("response of quadratic features", c20_quadratic.response_difference_gap),
        simulation("class contrast, mean and variance of sampled rings", c20_quadratic.sampled_moments),
        autodiff(
            "queries and keys where features vary: error of second order",
            c20_clocks.slow_factored_gap,
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        simulation("noisy descent on the loss to second order", noisy_walk),
        simulation("signs of a batch's label gradient", normalised_steps),
        counterexample(
            "the singular value as the rate, where features vary",
            lambda key: c20_clocks.path_gap(lambda k: 0.0 * k, key),
        ),
        counterexample(
            "1/(e sigma) where features vary",
            lambda key: c20_clocks.factored_gap(1.0, key),
            tolerance=FINITE_DIFFERENCE,
        ),
        counterexample("no residual", lambda key: c20_quadratic.response_gap(0.0, key)),
        counterexample(
            "tokens that are not Gaussian",
            lambda key: c20_quadratic.sampled_moments(key, spread=0.5),
            tolerance=STANDARD_ERRORS,
        ),
    ),
)
