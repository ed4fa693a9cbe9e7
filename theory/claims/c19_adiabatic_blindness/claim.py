"""C19, adiabatic blindness. Exact for every L under its conditions.

Proof, the bag's bound. Let z be a sum over positions of functions of (token, position, bag), and let each
position's token have one law given the bag B, whatever the class: then E[z|B, y] = g(B) for both classes.
Cross-entropy is convex in the logit, so E CE(w.z + b, y) >= E CE(w.g(B) + b, y) >= H(y|B) = H(y) - I(B; y).
The fitted loss, ridge included, is at most that of w = 0, H(y): (lambda/2)|w|^2 <= I(B; y).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c19_adiabatic_blindness import (
    head as c19_head,
)
from theory.claims.c19_adiabatic_blindness import (
    reconstruction as c19_reconstruction,
)
from theory.claims.c19_adiabatic_blindness import (
    symbolic as c19_symbols,
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
from theory.claims.checks.draws import ring_sequences
from theory.claims.checks.populations import (
    LENGTH,
    Population,
    Reader,
    bag_information,
    one_bag,
    ordered_against_shuffled,
    reader,
)
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT, STANDARD_ERRORS
from theory.dynamics.adiabatic import Head, fit_head, head_loss, head_size_bound, label_gradient_bound
from theory.label_blindness.labels import residual_score_gradient

PENALTY = 0.1
FIELD = 0.6  # tilt of class 0 where the bag is to know something of the label
STRONG_PENALTY = 10.0  # on sampled fits: keeps the part of order |w|^2 below the spread, of order |w|
REPEATS, FEW, SEQUENCES = 100, 20, 500


def flat_scores(length: int = LENGTH) -> Float[Array, "query key"]:
    """Attention frozen uniform."""
    return jnp.zeros((length, length))


def features(pool, tokens: Float[Array, "sample key"]) -> Float[Array, "sample width"]:
    """Pooled features of every sequence at uniform attention."""
    return jax.vmap(lambda each: pool(flat_scores(), each))(tokens)


def class_mean_gap(field: float, pool, key: PRNGKeyArray) -> Float[Array, ""]:
    """E[z | 1] - E[z | 0] at uniform attention, relative to the largest feature."""
    tokens, labels, chances = ordered_against_shuffled(field)
    vectors = features(lambda *each: pool(reader(key), *each), tokens)
    share = chances @ labels
    contrast = (chances * (labels / share - (1 - labels) / (1 - share))) @ vectors
    return relative_gap(contrast, jnp.zeros_like(contrast), scale=vectors)


def bag_mean_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """E[z | bag, 1] - E[z | bag, 0] where the bag is informative, over the largest feature."""
    tokens, labels, chances = ordered_against_shuffled(FIELD)
    vectors, totals = features(reader(key).pool, tokens), tokens.sum(axis=1)
    same = (totals[:, None] == totals[None, :]).astype(chances.dtype)

    def of_class(chosen):
        weights = chosen * chances
        return same @ (weights[:, None] * vectors) / (same @ weights)[:, None]

    return relative_gap(of_class(labels), of_class(1 - labels), scale=vectors)


def smallest_head(population: Population, model: Reader, penalty: float = PENALTY) -> Head:
    """The ridge-fitted head at uniform attention."""
    vectors = features(model.pool, population.tokens)
    return fit_head(vectors, population.labels, population.chances, penalty)


def idle_head(population: Population, model: Reader) -> Head:
    """On one bag without positions: non-zero weights that cancel, so that the prediction is 1/2."""
    vectors = features(model.pool, population.tokens)
    weights = jnp.ones_like(vectors[0])
    return Head(weights, -weights @ vectors[0])


def gradient_gap(
    population: Population, head_of, position_size: float, key: PRNGKeyArray
) -> Float[Array, ""]:
    """Largest entry of any sample's label gradient, by jax, over that of dz/dS."""
    model = reader(key, position_size)
    head = head_of(population, model)

    def loss(scores, tokens, label):
        logit = model.pool(scores, tokens) @ head.weights + head.intercept
        return jax.nn.softplus(logit) - label * logit

    slopes = jax.vmap(jax.grad(loss), (None, 0, 0))(flat_scores(), population.tokens, population.labels)
    responses = jax.vmap(jax.jacobian(model.pool), (None, 0))(flat_scores(), population.tokens)
    return relative_gap(slopes, jnp.zeros_like(slopes), scale=responses)


def deep_gradient_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Two layers, scores not uniform, a max pool, zero head: the gradient in both layers' scores."""
    model, scores = reader(key), jax.random.normal(key, (2, LENGTH, LENGTH))
    tokens = jnp.where(jnp.arange(LENGTH) < 2, 1.0, -1.0)

    def loss(scores):
        stream = model.embed(tokens)
        for layer in scores:
            stream = model.feature_map(stream + jax.nn.softmax(layer) @ stream @ model.value_map.T)
        return jax.nn.softplus(stream.max(axis=0) @ jnp.zeros_like(stream[0]))

    return jnp.abs(jax.grad(loss)(scores)).max()


def bound_ratio(key: PRNGKeyArray) -> Float[Array, ""]:
    """Where the bag knows something: head and label gradient over their information bounds."""
    population, model = ordered_against_shuffled(FIELD), reader(key)
    head, information = smallest_head(population, model), bag_information(population)
    responses = jax.vmap(jax.jacobian(model.pool), (None, 0))(flat_scores(), population.tokens)
    rates = jax.nn.sigmoid(features(model.pool, population.tokens) @ head.weights + head.intercept)
    errors = population.chances * (rates - population.labels)
    slope = jnp.einsum("n,w,nwij->ij", errors, head.weights, responses)
    mean_pull = jnp.abs(errors) @ jnp.sqrt(jnp.sum(responses**2, axis=(1, 2, 3)))
    sizes = jnp.stack([jnp.linalg.norm(slope), jnp.linalg.norm(head.weights)])
    by_gradient = label_gradient_bound(information, PENALTY, mean_pull)
    bounds = jnp.stack([by_gradient, head_size_bound(information, PENALTY)])
    return (1 + (sizes - bounds) / jnp.abs(bounds)).max()  # above 1 also where a bound is negative


def label_slope(model: Reader, head: Head, tokens, label) -> Float[Array, "query key"]:
    """One sequence's label gradient at uniform attention, in closed form."""
    stream, weights = model.embed(tokens), jnp.full((LENGTH, LENGTH), 1 / LENGTH)
    written, pull = jax.vjp(model.feature_map, stream + weights @ stream @ model.value_map.T)
    error = jax.nn.sigmoid(written.mean(axis=0) @ head.weights + head.intercept) - label
    (pulled,) = pull(jnp.broadcast_to(error * head.weights, written.shape))
    return residual_score_gradient(weights, stream, model.value_map, pulled)


def mean_label_slope(model: Reader, head: Head, population: Population) -> Float[Array, "query key"]:
    """E dl/dS over a population."""
    slopes = jax.vmap(label_slope, (None, None, 0, 0))(model, head, population.tokens, population.labels)
    return jnp.tensordot(population.chances, slopes, axes=1)


def label_difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Where the bag knows something: closed-form label gradient against central differences."""
    population, (reader_key, direction_key) = ordered_against_shuffled(FIELD), jax.random.split(key)
    model = reader(reader_key)
    head = smallest_head(population, model)

    def loss(scores):
        vectors = jax.vmap(lambda each: model.pool(scores, each))(population.tokens)
        return head_loss(head, vectors, population.labels, population.chances, PENALTY)

    closed = mean_label_slope(model, head, population)
    return finite_difference_gap(loss, closed, flat_scores(), key=direction_key)


def sampled_labels(shift: float, number: int, key: PRNGKeyArray) -> Float[Array, ""]:
    """Label gradient on fresh data, after a head fit to a sample; mean over fits against 0.

    Class 1: AR(1) rings. Class 0: others, shuffled; then scaled by 1 + shift and shifted by shift, which
    the bag knows.
    """
    reader_key, *repeats = jax.random.split(key, number + 1)
    model = reader(reader_key)

    def slope(key):
        train, fresh = (two_classes(each, shift) for each in jax.random.split(key))
        return mean_label_slope(model, smallest_head(train, model, STRONG_PENALTY), fresh)

    return standard_errors_off(jax.lax.map(slope, jnp.stack(repeats)), jnp.zeros((LENGTH, LENGTH)))


def two_classes(key: PRNGKeyArray, shift: float) -> Population:
    """A sample: AR(1) rings, then as many others with their positions permuted, and told apart by `shift`."""
    draw, order = jax.random.split(key)
    rings = ring_sequences(draw, LENGTH, jnp.asarray(0.6), 2 * SEQUENCES)
    shuffled = jax.random.permutation(order, rings[SEQUENCES:], axis=1, independent=True)
    return Population(
        jnp.concatenate([rings[:SEQUENCES], (1 + shift) * shuffled + shift]),
        jnp.repeat(jnp.asarray([1.0, 0.0]), SEQUENCES),
        jnp.full(2 * SEQUENCES, 0.5 / SEQUENCES),
    )


CLAIM = Claim(
    label="C19",
    title="Adiabatic blindness",
    statement=(
        "Freeze attention at uniform and fit the rest: where both classes have the same mean pooled "
        "features the fitted head is 0, and the label gradient in every score of every layer is "
        "exactly 0 per sample, for any architecture. One residual layer with any token-wise MLP is in "
        "that case wherever labels cannot be told from the bag and each position's token alone. "
        "Reconstruction is not blind there: its gradient along lag r is -(v*/L^2) Cov(residual_i, "
        "x_{i+r})."
    ),
    details=(
        "Freeze attention at uniform and fit the rest. The label gradient in every score, of every layer, is "
        "(p - y) w . dz/dS: exactly 0 per sample for a zero head, whatever the architecture. The zero head "
        "is the optimum of a ridge-penalised linear head exactly when both classes have the same mean pooled "
        "features, E[z|1] = E[z|0]. That holds if z is a sum over positions of functions of (token, "
        "position, bag), the bag has the same law in both classes and, given the bag, so has each position's "
        "token: one residual layer with any token-wise MLP, on stationary rings against the same bags "
        "shuffled. If the features carry I nats on the label, (lambda/2)|w|^2 <= I, so |E dl/dS| <= sqrt(2 "
        "I/lambda) E[|p - y| |dz/dS|]; where tokens have the same law given the bag, I may be the bag's "
        "information (I(bag; label)). Reconstruction is not blind there: at its fitted v* the gradient along "
        "lag r is -(v*/L^2) Cov(residual_i, x_{i+r}): 0 at lag 0, and 0 throughout only if all C(r), r != 0, "
        "agree, sum to 0 (then v* = 0), or sum to -C(0) (every sequence sums to 0: v* = -L leaves no residual)."
    ),
    regime=(
        "Exact for every L, per sample (labels) and in the population (reconstruction). Needs a linear head "
        "after the pool and the smallest optimal head: without the ridge a constant prediction can have a "
        "non-zero head, and then gradients. Not for non-linear heads, nor for a second layer whose MLP acts "
        "on a mean that already encodes order: those read pairs of positions at uniform attention. A head "
        "fitted to n samples has |w| of order 1/sqrt(n), and so are its gradients: small, but their ratio of "
        "signal to noise does not depend on |w|. Symbols: any architecture; bags for every cyclically "
        "stationary binary law, L = 2..5; the readout for L = 3..8."
    ),
    formula=(
        r"\frac{\partial \ell}{\partial S} = (p - y)\, w^{\top} \frac{\partial z}{\partial S}, \quad "
        r"w = 0 \Leftrightarrow \mathbb{E}[z \mid 1] = \mathbb{E}[z \mid 0], \quad "
        r"\left\| \mathbb{E} \frac{\partial \ell}{\partial S} \right\| \leq \sqrt{\frac{2 I}{\lambda}}\, "
        r"\mathbb{E}\left[ |p - y| \left\| \frac{\partial z}{\partial S} \right\| \right]"
    ),
    checks=(
        symbolic(
            "certificate: a zero head has no score gradient, any features",
            c19_symbols.zero_head_has_no_gradient,
        ),
        symbolic(
            "certificate: zero head for equal class means",
            c19_symbols.zero_head_is_optimal_for_equal_class_means,
        ),
        symbolic("certificate: order leaves class means equal, L = 2..5", c19_symbols.bags_and_places_agree),
        symbolic(
            "convexity and best value of cross-entropy, for the bag's bound", c19_symbols.bag_bounds_the_head
        ),
        symbolic("fitted readout and residual, L = 3..8", c19_symbols.fitted_residual),
        autodiff("class means agree over all sequences", lambda key: class_mean_gap(0.0, Reader.pool, key)),
        autodiff(
            "per-sample label gradients by jax are 0",
            lambda key: gradient_gap(ordered_against_shuffled(), smallest_head, 1.0, key),
        ),
        autodiff("zero head, two layers, max pool", deep_gradient_gap, tolerance=0.0),
        autodiff("given the bag, class means agree", bag_mean_gap),
        autodiff("the fitted head has no slope", c19_head.fit_gap),
        autodiff(
            "weak signals: the head is half its bound", c19_head.half_gap, tolerance=ASYMPTOTIC_EXPONENT
        ),
        autodiff("partial information: gradient over its bound", bound_ratio, tolerance=1.0),
        autodiff("reconstruction at its fitted readout by jax", c19_reconstruction.reconstruction_gap),
        autodiff("sequences that sum to 0 leave no residual", c19_reconstruction.no_residual_gap),
        finite_difference("label gradient where the bag is informative", label_difference_gap),
        finite_difference("reconstruction gradient", c19_reconstruction.reconstruction_difference_gap),
        simulation(
            "label gradient on fresh data after sampled fits", lambda key: sampled_labels(0.0, REPEATS, key)
        ),
        simulation("reconstruction gradient of sampled rings", c19_reconstruction.sampled_reconstruction),
        counterexample(
            "a label that the bag knows",
            lambda key: gradient_gap(ordered_against_shuffled(FIELD), smallest_head, 1.0, key),
        ),
        counterexample(
            "one bag, constant prediction, head not the smallest",
            lambda key: gradient_gap(one_bag(), idle_head, 0.0, key),
        ),
        counterexample(
            "a second layer reads pairs of positions", lambda key: class_mean_gap(0.0, Reader.deep_pool, key)
        ),
        counterexample(
            "sampled fits to a label that the bag knows",
            lambda key: sampled_labels(1.0, FEW, key),
            tolerance=STANDARD_ERRORS,
        ),
    ),
)
