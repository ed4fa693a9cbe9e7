"""C20 where all of it is in closed form: squares of a residual stream, Gaussian tokens on rings. Exact."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.check import finite_difference_gap, relative_gap, standard_errors_off
from theory.claims.checks.draws import even_autocovariance, gaussian_sequences
from theory.dynamics.quadratic_features import (
    quadratic_contrast,
    quadratic_escape_rate,
    quadratic_mean,
    quadratic_response,
    quadratic_variance,
)
from theory.label_blindness.labels import residual_score_gradient
from theory.minimal_model.attention import attention_weights, mixed, pooled_features
from theory.reconstruction.circulant import circulant, circulant_kernel

VALUE = -0.7  # damps the mean token, whose square has heavy tails
RING = 8
SEQUENCES = 20_000
LENGTHS = (1000, 4000)  # for the order of the rate


def two_classes(key: PRNGKeyArray, length: int) -> Float[Array, "classes lag"]:
    """C_0 and C_1 with equal C(0) and equal sums: covariance moves from lags +-2 to lags +-1."""
    lags = jnp.minimum(jnp.arange(length), length - jnp.arange(length))
    moved = (
        0.1 * jax.random.uniform(key, minval=0.5) * ((lags == 1).astype(float) - (lags == 2).astype(float))
    )
    base = 1.3 * 0.4 ** lags.astype(float)  # a variance beside 1
    return jnp.stack([base - moved, base + moved])


def mean_square(scores, residual: float, autocovariance: Float[Array, " lag"]) -> Float[Array, ""]:
    """E mean_i (residual x_i + H_i)^2 at any scores."""
    reading = residual * jnp.eye(RING) + VALUE * jax.nn.softmax(scores)
    return jnp.sum(reading * (reading @ circulant(autocovariance))) / RING


def response_gap(residual: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's gradient of the mean feature in the scores against the closed form, and the coupling |M|."""
    autocovariance = even_autocovariance(key, RING)
    by_jax = jax.grad(mean_square)(jnp.zeros((RING, RING)), residual, autocovariance)
    response = relative_gap(by_jax, circulant(quadratic_response(VALUE, autocovariance)))
    classes = jnp.stack([jnp.zeros_like(autocovariance), autocovariance])  # the response is linear in C
    coupling = 0.2 * 0.8 * jnp.linalg.norm(by_jax)
    coupled = relative_gap(quadratic_contrast(VALUE, classes, 0.2), coupling)
    return jnp.stack([response, coupled, unequal_rate_gap(key)]).max()


def unequal_rate_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Classes of shares 0.2 and 0.8: the rate against the 2 x 2 Hessian, by matrices."""
    share, classes, reading = 0.2, two_classes(key, RING), jnp.eye(RING) + VALUE / RING
    form = reading @ reading / RING
    variances = [2 * jnp.sum((form @ c) * (form @ c).T) for c in map(circulant, classes)]
    curvature = share * (1 - share) * (share * variances[1] + (1 - share) * variances[0])
    responses = [jax.grad(mean_square)(jnp.zeros((RING, RING)), 1.0, each) for each in classes]
    coupling = share * (1 - share) * jnp.linalg.norm(responses[1] - responses[0])
    hessian = jnp.stack([jnp.stack([curvature, -coupling]), jnp.stack([-coupling, jnp.zeros(())])])
    return relative_gap(quadratic_escape_rate(VALUE, classes, share), -jnp.linalg.eigvalsh(hessian)[0])


def response_difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The closed form against central differences of the mean feature."""
    process, direction_key = jax.random.split(key)
    autocovariance, flat = even_autocovariance(process, RING), jnp.zeros((RING, RING))
    closed = circulant(quadratic_response(VALUE, autocovariance))
    mean = lambda scores: mean_square(scores, 1.0, autocovariance)
    return finite_difference_gap(mean, closed, flat, key=direction_key)


def rate_order_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The rate's exponent in L against -2, and the rate over its leading law against 1."""
    rates, ratios = [], []
    for length in LENGTHS:
        covariances = two_classes(key, length)
        contrast = jnp.sum((covariances[1] - covariances[0]) ** 2) / jnp.mean(jnp.sum(covariances**2, axis=1))
        rates.append(quadratic_escape_rate(VALUE, covariances))
        ratios.append(rates[-1] / (2 * 0.25 * VALUE**2 * contrast / length**2))
    exponent = jnp.log(rates[-1] / rates[0]) / jnp.log(LENGTHS[-1] / LENGTHS[0])
    return jnp.maximum(jnp.abs(exponent + 2), jnp.abs(ratios[-1] - 1))


def sampled_moments(key: PRNGKeyArray, spread: float = 0.0) -> Float[Array, ""]:
    """Sampled rings of both classes against the closed forms: class contrast of dz/dS along lags, E z, Var z.

    A `spread` of sizes between sequences keeps the covariances and leaves tokens no longer Gaussian.
    """
    process, noise = jax.random.split(key)
    covariances = two_classes(process, RING)
    larger = jnp.arange(SEQUENCES) % 2 == 0
    sizes = jnp.sqrt(jnp.where(larger, 1 + spread, 1 - spread))[:, None]
    sequences = [
        sizes * gaussian_sequences(each, circulant(covariance), SEQUENCES)
        for each, covariance in zip(jax.random.split(noise), covariances, strict=True)
    ]
    (squares, slopes), (other_squares, other_slopes) = map(jax.vmap(square_and_pull), sequences)
    mean, other_mean = (quadratic_mean(VALUE, each) for each in covariances)
    measured = [slopes - other_slopes, squares, other_squares, (squares - mean) ** 2]
    responses = [quadratic_response(VALUE, each) for each in covariances]
    expected = [responses[0] - responses[1], mean, other_mean, quadratic_variance(VALUE, covariances[0])]
    return standard_errors_off(
        jnp.concatenate([each.reshape(SEQUENCES, -1) for each in measured], axis=1),
        jnp.concatenate([each.ravel() for each in expected]),
    )


def square_and_pull(tokens: Float[Array, " key"]) -> tuple[Float[Array, ""], Float[Array, " lag"]]:
    """z = mean_i (x_i + H_i)^2 of one sequence, and dz/dS along lags by the layer's own closed form."""
    flat, stream, value_map = jnp.zeros((RING, RING)), tokens[:, None], jnp.full((1, 1), VALUE)
    pulled_back = 2 * (stream + mixed(flat, stream, value_map))
    pull = residual_score_gradient(attention_weights(flat), stream, value_map, pulled_back)
    return pooled_features(flat, stream, value_map, jnp.square)[0], circulant_kernel(pull)
