"""C25, many classes. Exact for every L: the saddle of a softmax head; its rate where the head follows."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from theory.claims.c20_escape_from_plateau.claim import pool
from theory.claims.c25_many_classes import symbolic as c25_symbols
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
from theory.claims.checks.populations import LENGTH, ordered_against_shuffled
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT
from theory.dynamics.class_saddle import class_contrast_rate, many_class_saddle
from theory.dynamics.escape import Saddle

CLASSES, FEATURES, PENALTY = 3, 2, 0.01
SHARES = (0.2, 0.3, 0.5)
COUPLINGS = (0.8, -0.5, 0.1)  # of neighbours, class by class
DRAWS = 100_000
SCALES = (0.02, 0.01, 0.005)  # of the responses, for the fitted exponent

Samples = tuple[Float[Array, "sample key"], Int[Array, " sample"], Float[Array, " sample"]]


def population(shares: tuple[float, ...] = SHARES) -> Samples:
    """Binary rings in three orders: tokens, classes, chances; every class has the same law of the bag."""
    whole = ordered_against_shuffled()
    tokens = whole.tokens[: len(whole.tokens) // 2]
    neighbours, totals = jnp.sum(tokens * jnp.roll(tokens, 1, axis=1), axis=1), tokens.sum(axis=1)
    same_bag = (totals[:, None] == totals[None, :]).astype(tokens.dtype)
    bag = same_bag @ jnp.exp(0.3 * neighbours)
    chances = []
    for share, coupling in zip(shares, COUPLINGS, strict=True):
        weights = jnp.exp(coupling * neighbours)
        weights = weights / (same_bag @ weights) * bag / same_bag.sum(axis=1)
        chances.append(share * weights / weights.sum())
    labels = jnp.repeat(jnp.arange(CLASSES), len(tokens))
    return jnp.concatenate([tokens] * CLASSES), labels, jnp.concatenate(chances)


def features_and_responses(tokens: Float[Array, "sample key"]):
    """z and dz/dS of each sequence at uniform attention."""
    flat = jnp.zeros(LENGTH**2)
    features = jax.vmap(pool, (None, 0))(flat, tokens)
    responses = jax.vmap(jax.jacrev(pool), (None, 0))(flat, tokens)
    return features, responses.reshape(-1, FEATURES, LENGTH, LENGTH)


def claimed_saddle(samples: Samples) -> Saddle:
    """K and M from features and responses."""
    tokens, labels, chances = samples
    features, responses = features_and_responses(tokens)
    return many_class_saddle(features, responses, labels, chances, CLASSES, PENALTY)


def population_loss(parameters: Float[Array, " parameters"], samples: Samples) -> Float[Array, ""]:
    """The label loss over all sequences, of heads with intercepts, class by class, and scores in one vector."""
    tokens, labels, chances = samples
    heads, scores = jnp.split(parameters, [CLASSES * (FEATURES + 1)])
    heads = heads.reshape(CLASSES, FEATURES + 1)
    vectors = jax.vmap(pool, (None, 0))(scores, tokens)
    logits = vectors @ heads[:, :-1].T + heads[:, -1][None, :]
    losses = -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]
    return chances @ losses + 0.5 * PENALTY * jnp.sum(heads[:, :-1] ** 2)


def plateau(head_size: float = 0.0) -> Float[Array, " parameters"]:
    """The adiabatic point: heads of one size, 0 by the claim, intercepts log pi_c, uniform attention."""
    heads = head_size * jnp.ones((CLASSES, FEATURES + 1)) * jnp.arange(1.0 * CLASSES)[:, None]
    heads = heads.at[:, -1].set(jnp.log(jnp.asarray(SHARES)))
    return jnp.concatenate([heads.ravel(), jnp.zeros(LENGTH**2)])


def hessian_gap(key: PRNGKeyArray, head_size: float = 0.0) -> Float[Array, ""]:
    """The Hessian by jax, times a random direction, against [[K, -M], [-M^T, 0]]; the claim is for head 0."""
    samples, at = population(), plateau(head_size)
    direction = jax.random.normal(key, at.shape)
    slope = jax.grad(lambda parameters: population_loss(parameters, samples))
    by_jax = jax.jvp(slope, (at,), (direction,))[1]
    return relative_gap(by_jax, claimed_saddle(samples).hessian() @ direction)


def ways_down_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Negative directions less the rank of M, on the rings, and less (classes - 1) x features, for random z."""
    of_rings = claimed_saddle(population())
    rank = jnp.linalg.matrix_rank(of_rings.contrast.reshape(CLASSES * (FEATURES + 1), -1))
    _, labels, chances = population()
    features = jax.random.normal(key, (len(labels), FEATURES))
    responses = jax.random.normal(jax.random.fold_in(key, 1), (len(labels), FEATURES, LENGTH, LENGTH))
    of_any = many_class_saddle(features, responses, labels, chances, CLASSES, PENALTY)
    down = lambda saddle: jnp.sum(jnp.linalg.eigvalsh(saddle.hessian()) < -1e-9)
    gaps = jnp.stack([down(of_rings) - rank, down(of_any) - (CLASSES - 1) * FEATURES])
    return jnp.abs(gaps).max().astype(features.dtype)


def rate_order_gap(shares_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """The exact rate of one centred feature over its Fisher ratio, less 1: its exponent in |M| against 2."""
    shares, responses = jnp.asarray(SHARES), jax.random.normal(key, (CLASSES, LENGTH, LENGTH))
    variance = jnp.asarray(0.7)
    noise = jnp.sqrt(variance) * jnp.asarray([1.0, -1.0])
    features = jnp.tile(noise, CLASSES)[:, None]  # two equally likely values in each class
    labels, chances = jnp.repeat(jnp.arange(CLASSES), 2), jnp.repeat(shares, 2) / 2

    def gap(scale):
        spread = scale * jnp.repeat(responses, 2, axis=0)[:, None]
        exact = many_class_saddle(features, spread, labels, chances, CLASSES).rate()
        return jnp.abs(exact / class_contrast_rate(shares_of(shares), scale * responses, variance) - 1)

    scales = jnp.asarray(SCALES)
    return jnp.abs(fitted_exponent(scales, jax.vmap(gap)(scales)) - 2)


def two_classes_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The Fisher ratio of two classes against sigma^2/k, sigma = p (1-p) |r_1 - r_0| and k = p (1-p) Var z."""
    responses, share, variance = jax.random.normal(key, (2, LENGTH, LENGTH)), SHARES[0], 0.7
    pooled = share * (1 - share)
    expected = (pooled * jnp.linalg.norm(responses[1] - responses[0])) ** 2 / (pooled * variance)
    return relative_gap(class_contrast_rate(jnp.asarray([1 - share, share]), responses, variance), expected)


def head_slope(scores: Float[Array, " parameters"], samples: Samples) -> Float[Array, " row"]:
    """The slope of the mean loss in every head at W = 0."""
    tokens, labels, chances = samples
    vectors = jax.vmap(pool, (None, 0))(scores, tokens)
    errors = jnp.asarray(SHARES)[None, :] - jax.nn.one_hot(labels, CLASSES)
    return jnp.einsum("n,nc,nf->cf", chances, errors, vectors).ravel()


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """One random combination of the head's slopes: its central differences in the scores against -M."""
    samples, (row_key, direction_key) = population(), jax.random.split(key)
    mix = jax.random.normal(row_key, (CLASSES * FEATURES,))
    rows = claimed_saddle(samples).contrast.reshape(CLASSES, FEATURES + 1, -1)[:, :-1]
    closed = -jnp.tensordot(mix, rows.reshape(CLASSES * FEATURES, -1), axes=1)
    slope = lambda scores: mix @ head_slope(scores, samples)
    return finite_difference_gap(slope, closed, jnp.zeros(LENGTH**2), key=direction_key)


def sampled_contrasts(key: PRNGKeyArray) -> Float[Array, ""]:
    """(1[y = c] - pi_c) dz/dS of drawn sequences, along lag 1 and lag 2, against M."""
    tokens, labels, chances = samples = population()
    _, responses = features_and_responses(tokens)
    along = jnp.stack([jnp.roll(jnp.eye(LENGTH), lag, axis=1) for lag in (1, 2)])
    by_lag = jnp.einsum("nfij,lij->nfl", responses, along)
    errors = jax.nn.one_hot(labels, CLASSES) - jnp.asarray(SHARES)[None, :]
    each = jnp.einsum("nc,nfl->ncfl", errors, by_lag).reshape(len(labels), -1)
    drawn = jnp.searchsorted(jnp.cumsum(chances), jax.random.uniform(key, (DRAWS,)))
    rows = claimed_saddle(samples).contrast.reshape(CLASSES, FEATURES + 1, LENGTH, LENGTH)[:, :-1]
    return standard_errors_off(each[drawn], jnp.einsum("cfij,lij->cfl", rows, along).ravel())


CLAIM = Claim(
    label="C25",
    title="Many classes",
    statement=(
        "At the adiabatic point, with a softmax head at 0 and predictions pi, the Hessian of the label loss is "
        "[[K, -M], [-M^T, 0]]: K = (diag pi - pi pi^T) x E[(z,1)(z,1)^T] plus the head's ridge, and M_c = pi_c "
        "(r_c - rbar), r_c the mean response dz/dS in class c and rbar their mean. The M_c sum to 0, so at most "
        "(classes - 1) x features directions lead down. For one centred feature whose head follows the scores the "
        "escape rate is a Fisher ratio, gamma = lambda_max(sum_c pi_c (r_c - rbar)(r_c - rbar)^T)/Var z: sigma^2/k "
        "for two classes."
    ),
    regime=(
        "Exact for every L, any number of classes, any architecture with a linear head and cross-entropy, at a zero "
        "head with fitted intercepts. The Fisher ratio is leading order in |M| beside K, with relative error O(|M|^2), "
        "and takes a head without a ridge. Symbolic number of classes for both blocks; sptlab's own statement."
    ),
    formula=(
        r"M_c = \pi_c \left( r_c - \bar{r} \right), \quad "
        r"\gamma = \frac{1}{\mathrm{Var} \, z} \, \lambda_{\max} \left( \sum_c \pi_c \left( r_c - \bar{r} \right) "
        r"\left( r_c - \bar{r} \right)^{\top} \right)"
    ),
    checks=(
        symbolic(
            "the Hessian of a softmax head at 0, any number of classes", c25_symbols.hessian_at_a_zero_head
        ),
        symbolic("contrasts sum to 0 over classes", c25_symbols.contrasts_sum_to_zero),
        symbolic("the head that follows", c25_symbols.head_that_follows),
        autodiff("the Hessian by jax, over all sequences", hessian_gap),
        autodiff("(classes - 1) x features ways down", ways_down_gap, tolerance=0.0),
        autodiff(
            "the Fisher ratio: error of second order",
            functools.partial(rate_order_gap, lambda shares: shares),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
        autodiff("two classes: sigma^2/k", two_classes_gap),
        finite_difference("slopes of the head in the scores", difference_gap),
        simulation("class contrasts of sampled rings", sampled_contrasts),
        counterexample("a head that is not 0", lambda key: hessian_gap(key, 0.3)),
        counterexample(
            "classes counted alike",
            functools.partial(rate_order_gap, lambda shares: jnp.ones_like(shares) / len(shares)),
            tolerance=ASYMPTOTIC_EXPONENT,
        ),
    ),
)
