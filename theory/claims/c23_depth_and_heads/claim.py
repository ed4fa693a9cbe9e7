"""C23, depth and heads. Exact for every L, per sample, at any finite scores.

Proof, heads. z = sum_h V_h X^T c(S_h), so the gradient in S_h is the softmax pull-back of s^h_j = u^T V_h
x_j. Over all tokens and heads of the network the vectors (s^1_j, .., s^H_j) fill, for each key on its
own, the space E of all (u^T V_1 x, .., u^T V_H x), whose dimension is rho = dim span{V_h}. Pull-backs are
one-to-one up to a constant per head (C1), so the gradients fill rho L - rho = rho (L - 1) dimensions.

Proof, depth. Let z answer to what layer 1 writes at position i by M_i. It is free of the tokens because
the layers above are linear and their scores fixed. Then G_ij = A_ij (t_ij - sum_k A_ik t_ik), t_ij = u^T
M_i x_j. For each key the vectors (u^T M_i x_j)_i fill a space of dimension rho = dim span{M_1, .., M_L};
G vanishes exactly if t_ij is constant in j for every i; so the gradients fill rho (L - 1) dimensions.
Paths through the layers above give M_i = sum_T w_T(i) V_T V_1 over the 2^(l-1) subsets T, with w_T^T =
(1/L) 1^T prod A_m: rho <= 2^(l-1), and S_1 enters through the column sums w_T^T A_1. For l = 2: M_i =
(1/L) V_1 + c(S_2)_i V_2 V_1, so rho = 2 exactly if c(S_2) is not uniform and V_1, V_2 V_1 are linearly
independent. At uniform c(S_2), as at every circulant S_2, depth adds nothing.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c23_depth_and_heads import symbolic as c23_symbols
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
from theory.label_blindness.depth import (
    heads_pooled,
    stack_pooled,
    stack_score_gradient,
    visible_dimension,
    visible_dimension_share,
)
from theory.minimal_model.attention import mixed

LENGTH, WIDTH, LAYERS = 6, 3, 3
SAMPLES = 40  # more than L^2 - L directions that are no gauge
DIRECTIONS = 4000
STACKS = (  # layers present, scores above the first times this, rho
    ((1.0, 1.0, 0.0), 1.0, 2),
    ((1.0, 1.0, 0.0), 0.0, 1),
    ((1.0, 1.0, 1.0), 1.0, 4),
)
NEGLIGIBLE = 1e-10  # singular value over the largest, for a rank


def drawn(key: PRNGKeyArray) -> tuple[Float[Array, "layer query key"], Float[Array, "layer width width"]]:
    """Scores and value maps of three layers or heads."""
    rows = jax.random.normal(key, (LAYERS, LENGTH + WIDTH, LENGTH))
    return 2 * rows[:, :LENGTH], rows[:, LENGTH:, :WIDTH]


def samples(key: PRNGKeyArray) -> Float[Array, "sample row width"]:
    """Tokens, and in the last row u = dl/dz, of many sequences."""
    return jax.random.normal(key, (SAMPLES, LENGTH + 1, WIDTH))


def rank_gap(model, scores, value_maps, rank, key: PRNGKeyArray) -> Float[Array, ""]:
    """|rank of jax's gradients in the scores over many samples - rho (L - 1)|."""
    read = lambda scores, sample: sample[-1] @ model(scores, sample[:-1], value_maps)
    gradients = jax.vmap(jax.grad(read), (None, 0))(scores, samples(key)).reshape(SAMPLES, -1)
    sizes = jnp.linalg.svd(gradients, compute_uv=False)
    measured = jnp.sum(sizes > NEGLIGIBLE * sizes[0])
    return jnp.abs(measured - visible_dimension(LENGTH, rank)).astype(sizes.dtype)


def heads_gap(tied: bool, key: PRNGKeyArray) -> Float[Array, ""]:
    """Three heads, each with a value map of its own or all with one."""
    scores, value_maps = drawn(key)
    maps = jnp.broadcast_to(value_maps[:1], value_maps.shape) if tied else value_maps
    return rank_gap(heads_pooled, scores, maps, LAYERS, key)


def depth_gap(model, key: PRNGKeyArray) -> Float[Array, ""]:
    """Worst rank gap of the first layer over `STACKS`; a layer with V = 0 only passes its stream on."""
    scores, value_maps = drawn(key)

    def gap(stack):
        present, opened, rank = stack
        above = opened * scores[1:]
        first = lambda scores, *others: model(jnp.concatenate([scores[None], above]), *others)
        return rank_gap(first, scores[0], present[:, None, None] * value_maps, rank, key)

    return jax.lax.map(gap, tuple(map(jnp.asarray, zip(*STACKS, strict=True)))).max()


def normalised_pooled(scores, tokens, value_maps) -> Float[Array, " width"]:
    """Each layer followed by LayerNorm without gain."""
    stream = tokens
    for each, value_map in zip(scores, value_maps, strict=True):
        stream = stream + mixed(each, stream, value_map)
        centred = stream - stream.mean(axis=1, keepdims=True)
        stream = centred / jnp.sqrt(jnp.mean(centred**2, axis=1, keepdims=True) + 1e-5)
    return stream.mean(axis=0)


def side_by_side_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """What three heads write, pooled, against sum_h V_h X^T c(S_h)."""
    (scores, value_maps), tokens = drawn(key), samples(key)[0, :-1]
    attended = jax.nn.softmax(scores, axis=2).mean(axis=1)
    claimed = jnp.einsum("hab,jb,hj->a", value_maps, tokens, attended)
    return relative_gap(heads_pooled(scores, tokens, value_maps), claimed)


def gradient_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The closed form for three layers against jax's."""
    (scores, value_maps), sample = drawn(key), samples(key)[0]
    read = lambda scores: sample[-1] @ stack_pooled(scores, sample[:-1], value_maps)
    closed = stack_score_gradient(scores, sample[:-1], value_maps, sample[-1])
    return relative_gap(closed, jax.grad(read)(scores)[0])


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The closed form for three layers against central differences."""
    (scores, value_maps), sample = drawn(key), samples(key)[0]
    joined = lambda first: jnp.concatenate([first[None], scores[1:]])
    read = lambda first: sample[-1] @ stack_pooled(joined(first), sample[:-1], value_maps)
    closed = stack_score_gradient(scores, sample[:-1], value_maps, sample[-1])
    return finite_difference_gap(read, closed, scores[0], key=key)


def share_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Isotropic directions: visible energy against the share, 2/L or 1/(3L), of what is no gauge.

    Of the first of two layers, and of three heads that share a value map.
    """
    (scores, value_maps), drawn_samples = drawn(key), samples(key)
    one_map = jnp.broadcast_to(value_maps[:1], value_maps.shape)
    layer = lambda sample: stack_score_gradient(scores[:2], sample[:-1], value_maps[:2], sample[-1])
    head = lambda sample: jax.grad(lambda s: sample[-1] @ heads_pooled(s, sample[:-1], one_map))(scores)
    directions, off = jax.random.normal(key, (DIRECTIONS, LAYERS, LENGTH, LENGTH)), []
    for gradient, rank, heads in ((layer, 2, 1), (head, 1, LAYERS)):
        gradients = jax.vmap(gradient)(drawn_samples).reshape(SAMPLES, -1)
        basis = jnp.linalg.svd(gradients, full_matrices=False)[2][: visible_dimension(LENGTH, rank)]
        chosen = directions[:, :heads]
        visible = jnp.sum((chosen.reshape(DIRECTIONS, -1) @ basis.T) ** 2, axis=1)
        felt = jnp.sum((chosen - chosen.mean(axis=3, keepdims=True)) ** 2, axis=(1, 2, 3))
        off.append(visible - visible_dimension_share(rank, heads, LENGTH) * felt)
    return standard_errors_off(jnp.stack(off, axis=1), jnp.zeros(2))


CLAIM = Claim(
    label="C23",
    title="Depth and heads",
    statement=(
        "Heads side by side: z = sum_h V_h X^T c(S_h), and label gradients of all data and losses span rho "
        "(L - 1) of the H L (L - 1) directions that are no gauge, rho = dim span{V_1..V_H}: the share is "
        "1/L if the V_h are linearly independent and less if they are not. Layers above each other, linear "
        "and with residuals: those of the first layer's scores span rho (L - 1) of L (L - 1), rho = dim "
        "span{M_1..M_L}, where M_i is the answer of z to what layer 1 writes at i: at most 2^{l - 1} "
        "weighted column sums of A_1 for l layers. Two layers: M_i = V_1 / L + c(S_2)_i V_2 V_1, so the "
        "label sees 2 (L - 1) numbers if c(S_2) is not uniform (and V_1, V_2 V_1 are independent), and L - "
        "1 if it is: at uniform or circulant attention above, depth opens nothing."
    ),
    regime=(
        "Exact for every L >= 2, any finite scores, per sample; sptlab's own statement. Scores as "
        "parameters, linear layers, mean pool, width d with d^2 >= rho. One LayerNorm, MLP or "
        "content-dependent score after a residual makes M_i a function of the data, and more is seen. "
        "Symbolic L for what the first of two layers is seen through; ranks in exact arithmetic for L = "
        "3..6."
    ),
    formula=(
        r"z = \frac{1}{L} \sum_{i} X_{l, i}, \quad X_m = X_{m - 1} + A_m X_{m - 1} V_m^{\top}, \quad "
        r"\dim \mathrm{span} \left\{ \frac{\partial \ell}{\partial S_1} \right\} = "
        r"(L - 1) \dim \mathrm{span} \left\{ M_1, \ldots, M_L \right\} \leq 2^{l - 1} (L - 1)"
    ),
    checks=(
        symbolic("two layers: two weighted column sums, symbolic L", c23_symbols.slope_of_two_layers),
        symbolic("certificate: 2 (L - 1) or L - 1 for two layers, L = 3..6", c23_symbols.ranks_of_two_layers),
        symbolic("certificate: rho (L - 1) for heads, L = 3..6", c23_symbols.ranks_of_heads),
        autodiff("heads side by side add up", side_by_side_gap),
        autodiff("first layer of three: closed form against jax.grad", gradient_gap),
        autodiff("three heads, rank of jax's gradients", lambda key: heads_gap(False, key), tolerance=0.0),
        autodiff(
            "two layers, two under a uniform one, three: ranks 2, 1, 4",
            lambda key: depth_gap(stack_pooled, key),
            tolerance=0.0,
        ),
        finite_difference("closed form against central differences", difference_gap),
        simulation(
            "visible share of isotropic directions: 2/L for a layer, 1/(3L) for tied heads", share_deviation
        ),
        counterexample("heads that share a value map", lambda key: heads_gap(True, key), tolerance=0.0),
        counterexample(
            "LayerNorm in the stack", lambda key: depth_gap(normalised_pooled, key), tolerance=0.0
        ),
    ),
)
