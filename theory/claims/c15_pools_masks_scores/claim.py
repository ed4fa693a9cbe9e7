"""C15, other pools, masks and scores. Exact for every L: a table of what labels see through each."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c15_pools_masks_scores import pools as c15_pools
from theory.claims.c15_pools_masks_scores import symbolic as c15_symbols
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
from theory.claims.checks.draws import gaussian_scores
from theory.label_blindness.pool_visibility import VISIBILITY
from theory.minimal_model.attention import attention_weights, pooled_features
from theory.minimal_model.pools import content_mean_pool
from theory.minimal_model.score_families import (
    alibi_local_mass,
    alibi_scores,
    alibi_window_mass,
    content_score_gradient,
    rotary_scores,
)

LENGTH, WIDTH = 4, 3  # a width of 2 has a square that is its double
SEQUENCES, SAMPLES = 120, 20_000
SMALLEST = 1e-13  # eigenvalues of second moments below it are rounding


def of_kind(tokens: Float[Array, "sample key width"], kind: str) -> Float[Array, "sample key width"]:
    """Tokens as they are, "centred" over each sequence, or "padded" to every number of real ones."""
    if kind == "centred":
        return tokens - tokens.mean(axis=1, keepdims=True)
    if kind == "padded":
        real = 1 + jnp.arange(SEQUENCES) % LENGTH
        return tokens * (jnp.arange(LENGTH)[None, :, None] < real[:, None, None]).astype(tokens.dtype)
    return tokens


def gradients(read, points, tokens) -> Float[Array, "point sample parameter"]:
    """Score gradients of every sequence at every point, padded to L^2 parameters."""
    per_sequence = jax.vmap(jax.grad(read), (None, 0))
    slopes = jax.vmap(per_sequence, (0, None))(points, tokens).reshape(len(points), SEQUENCES, -1)
    return jnp.pad(slopes, ((0, 0), (0, 0), (0, LENGTH**2 - slopes.shape[2])))


def ranks(rows, key: PRNGKeyArray) -> Float[Array, " visible"]:
    """Visible dimensions as samples show them: of each row at uniform attention, then at generic scores."""
    token_key, point_key = jax.random.split(key)
    tokens = jax.random.normal(token_key, (SEQUENCES, LENGTH, WIDTH))
    scores = 3 * jnp.eye(LENGTH) + gaussian_scores(point_key, LENGTH, 0.5)  # each query can be largest
    numbers, stacks = scores.ravel(), []
    for row in rows:
        shape = row.parameters(LENGTH, WIDTH)
        generic = numbers[: math.prod(shape)].reshape(shape)
        points = jnp.stack([jnp.zeros_like(generic), generic])
        stacks.append(gradients(row.read, points, of_kind(tokens, row.tokens)))
    stacked = jnp.concatenate(stacks)
    moments = jnp.einsum("pna,pnb->pab", stacked, stacked)
    return jnp.sum((jnp.linalg.eigvalsh(moments) > SMALLEST).astype(stacked.dtype), axis=1)


def rank_errors(rows, key: PRNGKeyArray) -> Float[Array, ""]:
    """How many visible dimensions of these rows, at uniform attention and elsewhere, are not the table's."""
    expected = [size(LENGTH, WIDTH) for row in rows for size in (row.uniform, row.general)]
    wrong = jnp.abs(ranks(rows, key) - jnp.asarray(np.asarray(expected, float))) > 0.5
    return wrong.astype(float).sum()


def bent_mean_pool(scores, tokens) -> Float[Array, ""]:
    """A residual and a nonlinearity before the mean pool: another architecture than the table's first."""
    return pooled_features(scores, tokens, jnp.eye(WIDTH), jnp.tanh).mean()


def content_gap(size: float, key: PRNGKeyArray) -> Float[Array, ""]:
    """xbar (u^T V Cov) against jax, at an interaction of a given size, which the claim wants 0."""
    token_key, at_key = jax.random.split(key)
    tokens = jax.random.normal(token_key, (LENGTH, WIDTH))
    by_jax = jax.grad(content_mean_pool)(size * jax.random.normal(at_key, (WIDTH, WIDTH)), tokens)
    first = jnp.eye(WIDTH)
    return relative_gap(by_jax, content_score_gradient(tokens, first, first[0]))


def content_difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The same against central differences."""
    token_key, direction_key = jax.random.split(key)
    tokens, first = jax.random.normal(token_key, (LENGTH, WIDTH)), jnp.eye(WIDTH)
    closed = content_score_gradient(tokens, first, first[0])
    read = lambda interaction: content_mean_pool(interaction, tokens)
    return finite_difference_gap(read, closed, jnp.zeros((WIDTH, WIDTH)), key=direction_key)


def alibi_gap(scores_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Attention within a window, added up from the softmax, against the closed forms of both kinds."""
    length, window, slope = 40, 2, jax.random.uniform(key, minval=1.5, maxval=2.0)
    scores = scores_of(length, slope)
    near = jnp.tril(jnp.triu(jnp.ones_like(scores), -window), window)
    masses = (attention_weights(scores) * near).sum(axis=1)
    long = alibi_local_mass(slope, 1.0 * window)
    return jnp.maximum(
        relative_gap(masses, alibi_window_mass(length, slope, window)),
        relative_gap(masses[length // 2], long),
    )


def rotary_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The product of a query and a key pair, each turned by its position, against the closed form."""
    (query, partner), frequency = jax.random.normal(key, (2, 2)), 0.7
    angles = frequency * jnp.arange(1.0 * LENGTH)
    turn = lambda pair: jnp.stack(
        [
            pair[0] * jnp.cos(angles) - pair[1] * jnp.sin(angles),
            pair[0] * jnp.sin(angles) + pair[1] * jnp.cos(angles),
        ],
        axis=1,
    )
    parameters = jnp.stack([query @ partner, query[1] * partner[0] - query[0] * partner[1]])
    return relative_gap(rotary_scores(parameters, LENGTH, frequency), turn(query) @ turn(partner).T)


def square_bias(length: int, slope) -> Float[Array, "query key"]:
    """-m (i - j)^2: another prior than ALiBi."""
    return -(alibi_scores(length, slope) ** 2) / slope


def sampled_content(key: PRNGKeyArray) -> Float[Array, ""]:
    """Content gradients of sequences of independent Gaussian tokens against (1 - 1/L) mu u^T V Sigma."""
    centre, first = jnp.asarray([0.5, -1.0, 0.25]), jnp.eye(WIDTH)
    tokens = centre[None, None] + jax.random.normal(key, (SAMPLES, LENGTH, WIDTH))
    slopes = jax.vmap(lambda each: content_score_gradient(each, first, first[0]))(tokens)
    return standard_errors_off(slopes, (1 - 1 / LENGTH) * jnp.outer(centre, first[0]))


CLAIM = Claim(
    label="C15",
    title="Other pools, masks and scores",
    statement=(
        "Every other pool and mask shows the labels a known number of the L(L-1) directions that are "
        "not gauge: L - 1 for mean pool, CLS token and causal mask, L(L-1)/2 for padding masks, all "
        "for an attention pool on a residual stream. ALiBi is a proximity prior that needs no "
        "learning and changes no dimension. Content-dependent scores x_i^T W x_j show a sequence at W "
        "= 0 one outer product, xbar (u^T V Cov), exactly 0 where xbar = 0."
    ),
    details=(
        "Visible dimensions at uniform attention, and at generic scores, of the L(L-1) that are not gauge. "
        "Mean pool: L-1, L-1. CLS or last token: L-1, L-1, all in one query's row. Max pool: L-1 where ties "
        "share the gradient, all; its one-sided derivative max_i D_i . s feels every D that is not gauge. "
        "Attention pool with a learned query: on what attention wrote L-1, all; on the residual stream all, "
        "all. Causal mask with mean pool: L-1, L-1, of L(L-1)/2. Padding mask with every number n <= L of "
        "real tokens: L(L-1)/2 both, n-1 for a single n. RoPE without content, one pair: min(2, L-1), 1 at "
        "half a turn per position (f = pi) and odd L, and 0 for whole turns over L. ALiBi shifts scores and "
        "changes no dimension; with b = exp(-m) it puts 1 - 2 b^(w+1)/(1+b) of the attention within w keys "
        "before any learning. Scores x_i^T W x_j: all d^2, but a sequence at W = 0 gives xbar (u^T V Cov), "
        "of rank one, exactly 0 where xbar = 0."
    ),
    regime=(
        "Exact for every L >= 2: dimensions of the span over sequences of the gradients along one direction "
        "u, for sequences in general position. Content gradient: symbolic L. Linear rows: ranks in rationals "
        "for L = 2..5; the others, max pool and attention pools, by the gradients of samples in float64. "
        "Generic means all scores but a set of measure 0. The limit of ALiBi is that of a long sequence far "
        "from its ends."
    ),
    formula=(
        r"\left. \frac{\partial \ell}{\partial W} \right|_{W = 0} = \bar{x}\, u^{\top} V\, \mathrm{Cov}, "
        r"\quad "
        r"\sum_{|j - i| \leq w} A_{ij} = \frac{1 + b - b^{l + 1} - b^{r + 1}}{1 + b - b^{i + 1} - b^{L - i}} "
        r"\to 1 - \frac{2 b^{w + 1}}{1 + b}"
    ),
    checks=(
        symbolic("content-dependent scores, symbolic L", c15_symbols.content_gradient),
        symbolic(
            "certificate: whole turns of RoPE are not seen, L = 2..5", c15_symbols.whole_turns_are_never_seen
        ),
        symbolic("certificate: rank of an open RoPE pair, L = 2..5", c15_symbols.open_turns_in_rationals),
        symbolic("mass of ALiBi", c15_symbols.alibi_mass),
        symbolic("certificate: ranks of the linear rows, L = 2..5", c15_symbols.ranks_in_rationals),
        autodiff("every row of the table at L = 4", lambda key: rank_errors(VISIBILITY, key), tolerance=0.0),
        autodiff("what each pool reads", c15_pools.pooling_gap),
        autodiff("content gradient against jax.grad", lambda key: content_gap(0.0, key)),
        autodiff("RoPE of one pair, turned by position", rotary_gap),
        autodiff("mass of ALiBi against the softmax", lambda key: alibi_gap(alibi_scores, key)),
        finite_difference("content gradient against central differences", content_difference_gap),
        simulation("content gradients of sampled sequences", sampled_content),
        counterexample(
            "a residual and a nonlinearity before the mean pool",
            lambda key: rank_errors([VISIBILITY[0]._replace(read=bent_mean_pool)], key),
            tolerance=0.0,
        ),
        counterexample("content gradient away from W = 0", lambda key: content_gap(1.0, key)),
        counterexample("a prior that is not ALiBi", lambda key: alibi_gap(square_bias, key)),
    ),
)
