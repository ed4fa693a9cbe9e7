"""C1, the pooling bottleneck. Exact for every L, per sample."""

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

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
from theory.claims.checks.draws import gaussian_scores, labelled_sequence
from theory.label_blindness.subspaces import blind_dimension, decompose, dimensions, isotropic_visible_share
from theory.minimal_model.attention import attention_weights, cross_entropy, mixed, received
from theory.symbolic.index_sums import A, L, a, b, i, j, resolve, s, total

LENGTH = 10
LARGEST_EXACT = 6  # L up to which the rank is computed in rational arithmetic


def loss_feels_only_received_attention():
    """Symbolic L: z and sum_j s_j c_j have the same slope s_b / L in every A_ab; both are 0 at A = 0."""
    pooled = total(A[i, j] * s[j], j, i) / L
    by_received = total(s[j] * total(A[i, j], i) / L, j)
    yield resolve(pooled.diff(A[a, b])) - s[b] / L
    yield resolve(by_received.diff(A[a, b])) - s[b] / L


def dimensions_add_up():
    """Symbolic L: L + (L-1) + (L-1)^2 = L^2; blind L^2 - L + 1; visible share 1/L."""
    gauge, key_bias, centred = L, L - 1, (L - 1) ** 2
    yield gauge + key_bias + centred - L**2
    yield (L**2 - L + 1) - (gauge + centred)
    yield key_bias / (key_bias + centred) - 1 / L


def received_differential(weights: sympy.Matrix) -> sympy.Matrix:
    """L dc_j / dS_ab = A_ab (1[j = b] - A_aj), as an (L, L^2) matrix."""
    length = weights.rows
    slope = lambda query, key, j: weights[query, key] * (sympy.KroneckerDelta(j, key) - weights[query, j])
    return sympy.Matrix(length, length**2, lambda j, pair: slope(*divmod(pair, length), j))


def differential_has_rank_one_less_than_length():
    """L = 2..6: the rank of dc/dS at rational weights is L - 1 in exact arithmetic; the rest is blind."""
    for length in range(2, LARGEST_EXACT + 1):
        counts = sympy.Matrix(length, length, lambda p, q: 1 + (p * p + 3 * p * q + 2 * q) % 7)
        weights = sympy.diag(*(1 / sum(counts.row(p)) for p in range(length))) * counts
        rank = received_differential(weights).rank()
        yield sympy.Integer(rank - (length - 1))
        yield sympy.Integer(length**2 - rank - blind_dimension(length))
        yield sympy.Integer(length**2 - sum(dimensions(length)))


def remixed(key: PRNGKeyArray, scores: Float[Array, "query key"]) -> Float[Array, "query key"]:
    """Other scores with the same c: weights averaged over reorderings of the queries."""
    orders = [jax.random.permutation(each, len(scores)) for each in jax.random.split(key, 3)]
    weights = attention_weights(scores)
    return jnp.log(sum(weights[order] for order in orders) / len(orders))


def loss_gap(pool, key: PRNGKeyArray) -> Float[Array, ""]:
    """Relative change of an MLP head's loss when S moves without moving c."""
    draw, scores_key, mix, hidden = jax.random.split(key, 4)
    sequence, scores = labelled_sequence(draw, LENGTH), gaussian_scores(scores_key, LENGTH, 2.0)
    layer = jax.random.normal(hidden, sequence.value_map.shape)

    def loss(scores):
        read = pool(mixed(scores, sequence.tokens, sequence.value_map))
        return cross_entropy(sequence.head @ jnp.tanh(layer @ read), sequence.label)

    return relative_gap(loss(remixed(mix, scores)), loss(scores))


def mean_pool(written: Float[Array, "query features"]) -> Float[Array, " features"]:
    """The pool of the claim."""
    return written.mean(axis=0)


def first_token_pool(written: Float[Array, "query features"]) -> Float[Array, " features"]:
    """A CLS token: one query alone is read."""
    return written[0]


def gradient_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """`label_score_gradient` against `jax.grad` at scores of size 2."""
    draw, scores_key = jax.random.split(key)
    sequence, scores = labelled_sequence(draw, LENGTH), gaussian_scores(scores_key, LENGTH, 2.0)
    return relative_gap(jax.grad(sequence.loss)(scores), sequence.score_gradient(scores))


def felt_directions(
    scores: Float[Array, "query key"],
) -> tuple[Float[Array, " key"], Float[Array, "key query key"]]:
    """Singular values and right singular directions of jax's Jacobian of c at S, largest first."""
    jacobian = jax.jacobian(lambda each: received(attention_weights(each)))(scores)
    _, sizes, basis = jnp.linalg.svd(jacobian.reshape(len(scores), -1), full_matrices=False)
    return sizes, basis.reshape(-1, *scores.shape)


def rank_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """|rank of jax's Jacobian of c - (L - 1)| at scores of size 2."""
    sizes, _ = felt_directions(gaussian_scores(key, LENGTH, 2.0))
    rank = jnp.sum(sizes > LENGTH * jnp.finfo(sizes.dtype).eps * sizes[0]).astype(sizes.dtype)
    return jnp.abs(rank - dimensions(LENGTH).key_bias)


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """`label_score_gradient` against central differences of the loss."""
    draw, scores_key, direction_key = jax.random.split(key, 3)
    sequence, scores = labelled_sequence(draw, LENGTH), gaussian_scores(scores_key, LENGTH)
    return finite_difference_gap(sequence.loss, sequence.score_gradient(scores), scores, key=direction_key)


def share_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Isotropic directions: visible energy against 1/L of the energy outside the gauge."""
    scores_key, direction_key = jax.random.split(key)
    _, basis = felt_directions(gaussian_scores(scores_key, LENGTH))
    directions = jax.random.normal(direction_key, (4000, LENGTH, LENGTH))
    visible = jnp.sum(
        jnp.einsum("vij,nij->nv", basis[: dimensions(LENGTH).key_bias], directions) ** 2, axis=1
    )
    gauge = jax.vmap(lambda direction: decompose(direction).gauge)(directions)
    felt = jnp.sum((directions - gauge) ** 2, axis=(1, 2))
    return standard_errors_off(visible - isotropic_visible_share(LENGTH) * felt, jnp.zeros(()))


CLAIM = Claim(
    label="C1",
    title="Pooling bottleneck",
    statement=(
        "The mean-pooled vector is z = V X^T c(S). For every head after the pool, every loss, label, sample "
        "and V, the label loss depends on the L^2 scores only through the mean attention c that each key "
        "receives: L - 1 numbers. The differential of c at any finite S has rank exactly L - 1, the blind "
        "space has dimension L^2 - L + 1, and of the L(L - 1) directions that are not gauge a share of "
        "exactly 1/L is visible."
    ),
    regime=(
        "Exact for every L >= 2, per sample, at any finite scores. Needs a mean pool directly on what "
        "attention writes. Symbolic L for the bottleneck and the dimensions; the rank in exact arithmetic "
        "for L = 2..6, and for every L because its restriction to key biases is the positive Hessian of C4."
    ),
    formula=r"z = V X^{\top} c(S), \quad c_j = \frac{1}{L} \sum_{i} A_{ij}, \quad \mathrm{rank}\, dc = L - 1",
    checks=(
        symbolic(
            "certificate: the loss feels only received attention, symbolic L",
            loss_feels_only_received_attention,
        ),
        symbolic("dimensions and visible share, symbolic L", dimensions_add_up),
        symbolic("certificate: rank L - 1, L = 2..6, rationals", differential_has_rank_one_less_than_length),
        autodiff("same c, same loss behind an MLP head", lambda key: loss_gap(mean_pool, key)),
        autodiff("closed-form gradient against jax.grad", gradient_gap),
        autodiff("rank of jax's Jacobian of c", rank_gap, tolerance=0.0),
        finite_difference("closed-form gradient against central differences", difference_gap),
        simulation("visible share of isotropic directions is 1/L", share_deviation),
        counterexample("a CLS pool: same c, other loss", lambda key: loss_gap(first_token_pool, key)),
    ),
)
