"""C9, orthogonal supervision. Exact for every L."""

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
from theory.claims.checks.draws import (
    even_autocovariance,
    gaussian_scores,
    gaussian_sequences,
    labelled_sequence,
    open_markov_covariance,
)
from theory.label_blindness.subspaces import decompose, key_bias_share, paired_energies, paired_key_bias_share
from theory.reconstruction.circulant import circulant, circulant_kernel
from theory.reconstruction.masked_loss import reconstruction_loss, reconstruction_score_gradient
from theory.symbolic.index_sums import ring_matrix

LENGTH = 10
VALUE = 0.7
SEQUENCES = 20_000
LARGEST_EXACT = 6


def exact_gradients(length: int):
    """Both gradients at a circulant A, up to 1/L, in symbols: (reconstruction, label)."""
    free = sympy.symbols(f"a1:{length}")
    kernel = (1 - sum(free), *free)
    half = sympy.symbols(f"c0:{length // 2 + 1}")
    value, per_key = sympy.symbols("v"), sympy.symbols(f"s0:{length}")
    weights, covariance = ring_matrix(kernel), ring_matrix([half[min(r, length - r)] for r in range(length)])
    other_weights = weights - weights[0, 0] * sympy.eye(length)
    response = value**2 * other_weights * covariance - value * covariance
    response -= response[0, 0] * sympy.eye(length)
    label = sympy.Matrix(length, length, lambda p, q: per_key[q])
    return tuple(centred_rows(weights, each) for each in (response, label))


def centred_rows(weights: sympy.Matrix, response: sympy.Matrix) -> sympy.Matrix:
    """A_ij (R_ij - sum_k A_ik R_ik)."""
    means = (weights.multiply_elementwise(response)) * sympy.ones(weights.rows, 1)
    return weights.multiply_elementwise(response - means * sympy.ones(1, weights.rows))


def reconstruction_is_circulant():
    """L = 2..6: G_{i, i+r} does not depend on i, for symbols a, c, v."""
    for length in range(2, LARGEST_EXACT + 1):
        gradient, _ = exact_gradients(length)
        yield from (sympy.expand(gradient[1, (1 + r) % length] - gradient[0, r]) for r in range(length))


def gradients_are_orthogonal():
    """L = 2..5: <reconstruction, label> = 0 for symbols a, c, v, s."""
    for length in range(2, LARGEST_EXACT):
        reconstruction, label = exact_gradients(length)
        symbols = sorted((reconstruction.row_join(label)).free_symbols, key=str)
        polynomials = sympy.ring(symbols, sympy.QQ)[0].from_expr  # many times as fast as expanding
        yield sum(
            polynomials(a) * polynomials(b) for a, b in zip(reconstruction, label, strict=True)
        ).as_expr()


def ring_scores(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Circulant scores of size 1."""
    return circulant(jax.random.normal(key, (LENGTH,)))


def any_scores(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Scores with no symmetry."""
    return gaussian_scores(key, LENGTH)


def ring_covariance(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """A random cyclically stationary process."""
    return circulant(even_autocovariance(key, LENGTH))


def line_covariance(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """AR(1) on a line: its ends are not like its middle."""
    return open_markov_covariance(LENGTH, jax.random.uniform(key, minval=0.5, maxval=0.8))


def circulant_gap(scores_of, covariance_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's reconstruction gradient against its own average along cyclic diagonals."""
    scores_key, covariance_key = jax.random.split(key)
    scores, covariance = scores_of(scores_key), covariance_of(covariance_key)
    gradient = jax.grad(reconstruction_loss)(scores, VALUE, covariance)
    return relative_gap(gradient, circulant(circulant_kernel(gradient)))


def cosine(scores_of, covariance_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """|cos| between jax's reconstruction gradient and a label gradient, both at the same scores."""
    scores_key, covariance_key, draw = jax.random.split(key, 3)
    scores, covariance = scores_of(scores_key), covariance_of(covariance_key)
    by_mask = jax.grad(reconstruction_loss)(scores, VALUE, covariance)
    by_label = jax.grad(labelled_sequence(draw, LENGTH).loss)(scores)
    return jnp.abs(jnp.vdot(by_mask, by_label)) / (jnp.linalg.norm(by_mask) * jnp.linalg.norm(by_label))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Central differences of the reconstruction loss along eight label gradients are 0."""
    scores_key, covariance_key, draw = jax.random.split(key, 3)
    scores, covariance = ring_scores(scores_key), ring_covariance(covariance_key)
    gradient = lambda each: labelled_sequence(each, LENGTH).score_gradient(scores)
    directions = jax.vmap(gradient)(jax.random.split(draw, 8))
    directions *= LENGTH / jnp.linalg.norm(directions, axis=(1, 2), keepdims=True)
    size = jnp.linalg.norm(reconstruction_score_gradient(scores, VALUE, covariance))
    return finite_difference_gap(
        lambda each: reconstruction_loss(each, VALUE, covariance),
        jnp.zeros_like(scores),
        scores,
        key=key,
        directions=directions,
        scale=size,
    )


def sampled_key_bias(covariance_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Key-bias part of per-sequence reconstruction gradients at uniform attention: mean 0."""
    covariance_key, noise = jax.random.split(key)
    sequences = gaussian_sequences(noise, covariance_of(covariance_key), SEQUENCES)
    flat = jnp.zeros((LENGTH, LENGTH))

    def key_bias(sequence):
        moments = jnp.outer(sequence, sequence)
        return decompose(reconstruction_score_gradient(flat, VALUE, moments)).key_bias[0]

    return standard_errors_off(jax.vmap(key_bias)(sequences), jnp.zeros(LENGTH))


def paired_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Key-bias share of two estimates, bilinear in them: of G and its parts one, of G and H products with all of H."""
    gradient, other = jax.random.normal(key, (2, LENGTH, LENGTH))
    parts = decompose(gradient)
    squares = [jnp.sum(part**2) for part in (parts.key_bias, parts.doubly_centred)]
    products = [jnp.vdot(part, other) for part in (parts.key_bias, parts.key_bias + parts.doubly_centred)]
    gaps = [
        relative_gap(jnp.stack(paired_energies(gradient, other)), jnp.stack(products)),
        relative_gap(paired_key_bias_share(gradient, gradient), squares[0] / sum(squares)),
        relative_gap(paired_key_bias_share(gradient, parts.key_bias), jnp.ones(())),
        jnp.where(jnp.isnan(key_bias_share(jnp.zeros_like(gradient))), 0.0, 1.0),  # nothing has no share
    ]
    return jnp.max(jnp.stack(gaps))


CLAIM = Claim(
    label="C9",
    title="Orthogonal supervision",
    statement=(
        "For cyclically stationary data, at any circulant S, the population reconstruction gradient is "
        "circulant too. It lies wholly inside the label's blind space (C3) and is orthogonal to the label "
        "gradient of every sample, head and loss taken at the same S: the two kinds of supervision never "
        "push in a common direction."
    ),
    regime=(
        "Exact for every L >= 2, in the population over sequences; a single sequence has a key-bias part of "
        "mean 0. Needs cyclic stationarity and circulant scores: on a line the ends are visible. Exact "
        "arithmetic for L = 2..6 (circulant) and 2..5 (orthogonal), with symbols for kernel, covariance, "
        "value and label; for every L by invariance under a joint cyclic shift of queries and keys."
    ),
    formula=(
        r"\frac{\partial \ell_{\mathrm{rec}}}{\partial S_{ij}} = G\left( (j - i) \bmod L \right), \quad "
        r"\left\langle \nabla_S \ell_{\mathrm{rec}}, \nabla_S \ell_{\mathrm{label}} \right\rangle = 0"
    ),
    checks=(
        symbolic("certificate: reconstruction is circulant, L = 2..6", reconstruction_is_circulant),
        symbolic("certificate: orthogonal to the label's, L = 2..5", gradients_are_orthogonal),
        autodiff("jax.grad is circulant", lambda key: circulant_gap(ring_scores, ring_covariance, key)),
        autodiff("cosine with jax's label gradient", lambda key: cosine(ring_scores, ring_covariance, key)),
        finite_difference("no slope along label gradients", difference_gap),
        simulation("key-bias part of sampled sequences", lambda key: sampled_key_bias(ring_covariance, key)),
        autodiff("key-bias share of paired estimates", paired_gap),
        counterexample("data on a line", lambda key: cosine(ring_scores, line_covariance, key)),
        counterexample("scores that are not circulant", lambda key: cosine(any_scores, ring_covariance, key)),
    ),
)
