"""C8, the masked loss in closed form. Exact for every L."""

import itertools

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Bool, Float, PRNGKeyArray

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
from theory.claims.checks.draws import gaussian_scores, gaussian_sequences
from theory.reconstruction.masked_loss import (
    reconstruction_loss,
    reconstruction_score_gradient,
    reconstruction_value_gradient,
)
from theory.reconstruction.masking import masked_error, masked_loss
from theory.symbolic.index_sums import A, C, a, b, difference, i, j, k, resolve, total, v, x

LENGTH = 10
SEQUENCES = 20_000
VALUE = 0.7


def loss_symbol():
    """The claimed loss at position i, in index sums."""
    other_weight = lambda key: A[i, key] * (1 - sympy.KroneckerDelta(i, key))
    power = total(other_weight(k) * C[k, j] * other_weight(j), k, j)
    return (C[i, i] - 2 * v * total(other_weight(k) * C[i, k], k) + v**2 * power) / 2


def expectation_of_the_squared_error():
    """Symbolic L: E of a quadratic form of zero-mean tokens is 1/2 sum_ab C_ab d2/dx_a dx_b of it."""
    others = A[i, k] * (1 - sympy.KroneckerDelta(i, k))
    error = (x[i] - v * total(others * x[k], k)) ** 2 / 2
    curvature = resolve(error.diff(x[a]).diff(x[b]))
    yield difference(total(curvature * C[a, b] / 2, a, b), loss_symbol())


def slope_in_the_weights():
    """Symbolic L: dl_i / dA_ib = v^2 (B C)_ib - v C_ib off the diagonal, 0 on it."""
    other = 1 - sympy.KroneckerDelta(i, b)
    others = A[i, k] * (1 - sympy.KroneckerDelta(i, k))
    yield difference(loss_symbol().diff(A[i, b]), other * (v**2 * total(others * C[k, b], k) - v * C[i, b]))


def expectation_over_independent_masks():
    """L = 2..4: all masks enumerated with their probabilities, scalar tokens, mask token m."""
    rate, token, value = sympy.symbols("p m v")
    for length in range(2, 5):
        weights = sympy.symbols(f"A0:{length}")
        tokens = sympy.symbols(f"x0:{length}")
        mean = 0
        for hidden in itertools.product((0, 1), repeat=length - 1):
            chance = sympy.prod([rate if h else 1 - rate for h in hidden])
            visible = [token, *(token if h else t for h, t in zip(hidden, tokens[1:], strict=True))]
            guess = value * sum(w * t for w, t in zip(weights, visible, strict=True))
            mean += chance * (tokens[0] - guess) ** 2 / 2
        other_weights, power = weights[1:], sum(w**2 for w in weights[1:])
        predicted = value * (1 - rate) * sum(w * t for w, t in zip(other_weights, tokens[1:], strict=True))
        spread = sum(w**2 * t**2 for w, t in zip(other_weights, tokens[1:], strict=True))
        masks = (weights[0] + rate * sum(other_weights)) ** 2 + rate * (1 - rate) * power
        law = (tokens[0] - predicted) ** 2 + value**2 * (rate * (1 - rate) * spread + token**2 * masks)
        # terms odd in the tokens have expectation 0
        gap = sympy.Poly(sympy.expand(mean - law / 2), *tokens)
        yield sum(c for powers, c in gap.terms() if sum(powers) != 1)


def hide_position(position) -> Bool[Array, " key"]:
    """The claim's mask: the predicted position."""
    return jnp.arange(LENGTH) == position


def hide_nothing(position) -> Bool[Array, " key"]:
    """A leak: the token sees itself through the diagonal of A."""
    return jnp.zeros(LENGTH, bool)


def model_loss(hide, scores, value, sequence) -> Float[Array, ""]:
    """Mean masked error of one scalar sequence through the minimal model, over all positions."""
    positions = jnp.arange(LENGTH)
    error = lambda position: masked_error(
        scores, jnp.full((1, 1), value), sequence[:, None], position, hide(position), jnp.zeros(1)
    )
    return jax.vmap(error)(positions).mean()


def population(key: PRNGKeyArray, number: int) -> Float[Array, "sample key"]:
    """Correlated sequences with no symmetry."""
    mixing, noise = jax.random.split(key)
    root = jax.random.normal(mixing, (LENGTH, LENGTH)) / LENGTH**0.5
    return gaussian_sequences(noise, root @ root.T + 0.1 * jnp.eye(LENGTH), number)


def population_gap(hide, key: PRNGKeyArray) -> Float[Array, ""]:
    """Score gradient of the model's mean error on 20 sequences, by jax, against the closed form."""
    draw, scores_key = jax.random.split(key)
    sequences, scores = population(draw, 20), gaussian_scores(scores_key, LENGTH)
    error = lambda scores: jax.vmap(lambda each: model_loss(hide, scores, VALUE, each))(sequences).mean()
    return relative_gap(jax.grad(error)(scores), closed_gradient(scores, sequences))


def closed_gradient(scores, sequences) -> Float[Array, "query key"]:
    """The closed form at the second moments of these very sequences."""
    return reconstruction_score_gradient(scores, VALUE, sequences.T @ sequences / len(sequences))


def value_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """dl/dv in closed form against `jax.grad`."""
    draw, scores_key = jax.random.split(key)
    sequences, scores = population(draw, 20), gaussian_scores(scores_key, LENGTH)
    covariance = sequences.T @ sequences / len(sequences)
    by_jax = jax.grad(reconstruction_loss, argnums=1)(scores, VALUE, covariance)
    return relative_gap(by_jax, reconstruction_value_gradient(scores, VALUE, covariance))


def every_mask_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """`masked_loss`, matrix V, rate 0.3: it and its gradient against all masks through the model, L = 4."""
    draw, scores_key, value_key, mask_key = jax.random.split(key, 4)
    length, width, rate = 4, 2, 0.3
    half = jax.random.normal(draw, (6, length, width))
    sequences = jnp.concatenate([half, -half])  # mean exactly 0
    scores = gaussian_scores(scores_key, length)
    value_map, token = jax.random.normal(value_key, (width, width)), jax.random.normal(mask_key, (width,))
    masks = jnp.asarray(list(itertools.product((False, True), repeat=length)))
    chance = jnp.prod(jnp.where(masks, rate, 1 - rate), axis=1)

    def error(scores):
        one = lambda each, mask, position: masked_error(scores, value_map, each, position, mask, token)
        grid = jax.vmap(jax.vmap(jax.vmap(one, (None, None, 0)), (None, 0, None)), (0, None, None))
        errors = grid(sequences, masks, jnp.arange(length)).mean(axis=0)
        return jnp.sum(errors * jnp.where(masks, chance[:, None] / rate, 0.0)) / length

    covariance = jnp.einsum("nia,nkb->iakb", sequences, sequences) / len(sequences)
    closed = lambda scores: masked_loss(scores, value_map, covariance, rate, token)
    (loss, slope), (mean, by_masks) = (jax.value_and_grad(each)(scores) for each in (closed, error))
    return jnp.maximum(relative_gap(slope, by_masks), relative_gap(loss, mean))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The closed-form score gradient against central differences of the closed-form loss."""
    draw, scores_key, direction_key = jax.random.split(key, 3)
    sequences, scores = population(draw, 20), gaussian_scores(scores_key, LENGTH)
    covariance = sequences.T @ sequences / len(sequences)
    loss = lambda scores: reconstruction_loss(scores, VALUE, covariance)
    return finite_difference_gap(loss, closed_gradient(scores, sequences), scores, key=direction_key)


def sampled_deviation(hide, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean masked error over fresh Gaussian sequences against the closed form."""
    mixing, noise, scores_key = jax.random.split(key, 3)
    root = jax.random.normal(mixing, (LENGTH, LENGTH)) / LENGTH**0.5
    covariance = root @ root.T + 0.1 * jnp.eye(LENGTH)
    scores = gaussian_scores(scores_key, LENGTH)
    sequences = gaussian_sequences(noise, covariance, SEQUENCES)
    errors = jax.vmap(lambda each: model_loss(hide, scores, VALUE, each))(sequences)
    return standard_errors_off(errors, reconstruction_loss(scores, VALUE, covariance))


CLAIM = Claim(
    label="C8",
    title="Masked loss, closed form",
    statement=(
        "One masked position i, mask token 0, squared error on it: with B = A without its diagonal the mean "
        "loss is 1/2 mean_i [C_ii - 2 v sum_k B_ik C_ik + v^2 sum_kl B_ik C_kl B_il], and its score gradient "
        "is (A_ij / L)(R_ij - sum_k A_ik R_ik) with R = v^2 B C - v C off the diagonal. With independent "
        "masks of rate p, a mask token m and a matrix V the loss keeps this form: visible weights shrink by "
        "1 - p, and p (1 - p) sum_k B_ik^2 C_kk and |V m|^2 times the second moment of the masked weight "
        "are added."
    ),
    regime=(
        "Exact for every L >= 2; only second moments of the tokens enter (for m not 0 the tokens have mean "
        "0). The token must not see itself: with the diagonal left in, another loss. Symbolic L for the "
        "expectation and its slope; independent masks in exact arithmetic for L = 2..4."
    ),
    formula=(
        r"\ell = \frac{1}{2L} \sum_i \left[ C_{ii} - 2 v \sum_{k} B_{ik} C_{ik} "
        r"+ v^{2} \sum_{k, l} B_{ik} C_{kl} B_{il} \right], \quad B = A - \mathrm{diag}(A)"
    ),
    checks=(
        symbolic("expectation of the squared error, symbolic L", expectation_of_the_squared_error),
        symbolic("slope in the weights, symbolic L", slope_in_the_weights),
        symbolic("independent masks, L = 2..4 enumerated", expectation_over_independent_masks),
        autodiff("score gradient of the model by jax", lambda key: population_gap(hide_position, key)),
        autodiff("value gradient against jax.grad", value_gap),
        autodiff("independent masks, matrix V, all masks through the model", every_mask_gap),
        finite_difference("score gradient against central differences", difference_gap),
        simulation("masked error of sampled sequences", lambda key: sampled_deviation(hide_position, key)),
        counterexample("the token sees itself", lambda key: population_gap(hide_nothing, key)),
    ),
)
