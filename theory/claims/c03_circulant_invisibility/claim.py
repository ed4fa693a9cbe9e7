"""C3, circulant invisibility. Exact for every L and any magnitude."""

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

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
from theory.claims.checks.draws import hard_lookups, labelled_sequence
from theory.minimal_model.attention import attention_weights
from theory.reconstruction.circulant import circulant
from theory.symbolic.index_sums import L, i, j

LENGTH = 10
MAGNITUDES = (0.1, 1.0, 10.0, 100.0)
LOOKUPS = 20_000
LARGEST_EXACT = 12


def columns_visit_every_lag_once():
    """Symbolic L: sum_i t((j - i) mod L), split where the ring closes, is sum_r t(r)."""
    weight, lag = sympy.IndexedBase("t"), sympy.Symbol("r", integer=True)
    before = sympy.Sum(weight[j - i], (i, 0, j)).change_index(i, j - i, lag)
    around = sympy.Sum(weight[j - i + L], (i, j + 1, L - 1)).change_index(i, j - i + L, lag)
    yield sympy.simplify(before + around - sympy.Sum(weight[lag], (lag, 0, L - 1)))


def circulant_weights_are_doubly_stochastic():
    """L = 2..12: column sums of softmax(circulant g) are 1, for symbols g."""
    for length in range(2, LARGEST_EXACT + 1):
        powers = sympy.symbols(f"t0:{length}", positive=True)  # e^g
        normaliser = sum(powers)
        for key in range(length):
            yield sum(powers[(key - query) % length] for query in range(length)) - normaliser


def ring(kernel: Float[Array, " lag"]) -> Float[Array, "query key"]:
    """S_ij = g((j - i) mod L)."""
    return circulant(kernel)


def band(kernel: Float[Array, " lag"]) -> Float[Array, "query key"]:
    """S_ij = g(|j - i|): Toeplitz, the ring cut open."""
    positions = jnp.arange(len(kernel))
    return kernel[jnp.abs(positions[None, :] - positions[:, None])]


def loss_gap(arrange, key: PRNGKeyArray) -> Float[Array, ""]:
    """Worst relative change of the label loss from uniform attention, over magnitudes of g."""
    draw, kernel_key = jax.random.split(key)
    sequence = labelled_sequence(draw, LENGTH)
    kernel = jax.random.normal(kernel_key, (LENGTH,))
    flat = sequence.loss(jnp.zeros((LENGTH, LENGTH)))
    return jnp.stack([relative_gap(sequence.loss(arrange(size * kernel)), flat) for size in MAGNITUDES]).max()


def slope_gap(arrange, key: PRNGKeyArray) -> Float[Array, ""]:
    """|dl/dg| from `jax.grad`, relative to |dl/dS| at the same point."""
    draw, kernel_key = jax.random.split(key)
    sequence, kernel = labelled_sequence(draw, LENGTH), jax.random.normal(kernel_key, (LENGTH,))
    slope = jax.grad(lambda g: sequence.loss(arrange(g)))(kernel)
    return relative_gap(slope, jnp.zeros_like(slope), scale=jax.grad(sequence.loss)(arrange(kernel)))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Central differences along every lag, relative to |dl/dS|: step 1/2, as no step is too long."""
    draw, kernel_key = jax.random.split(key)
    sequence, kernel = labelled_sequence(draw, LENGTH), jax.random.normal(kernel_key, (LENGTH,))
    rise = lambda step: sequence.loss(circulant(kernel + step)) - sequence.loss(circulant(kernel - step))
    slopes = jax.vmap(rise)(0.5 * jnp.eye(LENGTH))
    return relative_gap(slopes, jnp.zeros_like(slopes), scale=jax.grad(sequence.loss)(circulant(kernel)))


def lookup_deviation(arrange, key: PRNGKeyArray) -> Float[Array, ""]:
    """Hard attention: how often each key is looked up, against 1/L."""
    kernel_key, lookup_key = jax.random.split(key)
    scores = arrange(jax.random.normal(kernel_key, (LENGTH,)))
    hits = jax.nn.one_hot(hard_lookups(lookup_key, scores, LOOKUPS), LENGTH, dtype=scores.dtype)
    return standard_errors_off(hits.mean(axis=1), jnp.full(LENGTH, 1 / LENGTH))


def column_sum_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Column sums of the weights at circulant scores, against 1."""
    weights = attention_weights(circulant(10 * jax.random.normal(key, (LENGTH,))))
    return relative_gap(weights.sum(axis=0), jnp.ones(LENGTH))


CLAIM = Claim(
    label="C3",
    title="Circulant invisibility",
    statement=(
        "If S_ij = g((j - i) mod L) for any kernel g, the weights are doubly stochastic: every key receives "
        "exactly 1/L. The label loss is then exactly constant in g, at any magnitude and not only to first "
        "order: labels cannot feel cyclic proximity at all."
    ),
    regime=(
        "Exact for every L >= 2, per sample, at any magnitude. The ring must close: a band that is cut open "
        "at the ends of the sequence is visible through its boundary. Symbolic L for the column sums, and "
        "again in exact arithmetic for L = 2..12."
    ),
    formula=(
        r"S_{ij} = g\left( (j - i) \bmod L \right) \;\Rightarrow\; c(S) = \frac{1}{L} \mathbf{1}, \quad "
        r"\frac{\partial \ell}{\partial g} = 0"
    ),
    checks=(
        symbolic("certificate: each column visits every lag once, symbolic L", columns_visit_every_lag_once),
        symbolic(
            "certificate: columns sum to 1, L = 2..12, symbols", circulant_weights_are_doubly_stochastic
        ),
        autodiff("column sums of the weights at magnitude 10", column_sum_gap),
        autodiff("loss equals the loss at uniform attention", lambda key: loss_gap(ring, key)),
        autodiff("jax.grad in the kernel is 0", lambda key: slope_gap(ring, key)),
        finite_difference("central differences along every lag are 0", difference_gap),
        simulation("hard lookups find every key equally often", lambda key: lookup_deviation(ring, key)),
        counterexample("a Toeplitz band: the loss changes", lambda key: loss_gap(band, key)),
        counterexample("a Toeplitz band: the slope is not 0", lambda key: slope_gap(band, key)),
    ),
)
