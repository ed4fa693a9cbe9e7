"""C18, causal pretraining. Exact for every L at uniform causal attention, scalar tokens."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c18_causal_pretraining import symbolic as c18_symbols
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
    correlation_draw,
    gaussian_scores,
    gaussian_sequences,
    labelled_sequence,
)
from theory.label_blindness.causal_labels import causal_label_gradient, causal_overlap, causal_visible_share
from theory.label_blindness.centring import doubly_centred, key_bias, row_centred
from theory.label_blindness.subspaces import decompose
from theory.reconstruction.causal import (
    causal_weights,
    fitted_readout,
    next_token_lag_law,
    next_token_law,
    next_token_loss,
    next_token_residual,
    next_token_score_gradient,
)

LENGTH = 8
VALUE, SKIP = 0.7, 0.4
STRONG_SKIP = -2.0  # most of the law, so that a tenth of it is nearly a tenth of the law
SEQUENCES = 10_000


def decaying(key: PRNGKeyArray) -> Float[Array, " lag"]:
    """C(r) = rho^r: AR(1) on a line."""
    return correlation_draw(key) ** jnp.arange(1.0 * LENGTH)


def oscillating(key: PRNGKeyArray) -> Float[Array, " lag"]:
    """C(r) = rho^r cos(r): a memory longer than one token."""
    return decaying(key) * jnp.cos(jnp.arange(1.0 * LENGTH))


def on_a_line(autocovariance: Float[Array, " lag"]) -> Float[Array, "query key"]:
    """C_ij = C(|i - j|)."""
    lags = jnp.arange(len(autocovariance))
    return autocovariance[jnp.abs(lags[:, None] - lags[None, :])]


def growing(autocovariance: Float[Array, " lag"]) -> Float[Array, "query key"]:
    """The same correlations with a variance that grows along the line: not stationary."""
    sizes = jnp.linspace(1.0, 2.0, len(autocovariance))
    return on_a_line(autocovariance) * jnp.outer(sizes, sizes)


def flat_scores(key: PRNGKeyArray) -> Float[Array, "query key"]:
    """Uniform over the keys that are seen."""
    return jnp.zeros((LENGTH, LENGTH))


def law_gap(scores_of, covariance_of, key: PRNGKeyArray) -> Float[Array, ""]:
    """Minus jax's gradient against the law, and its sum along lags, for a random process."""
    process, scores_key = jax.random.split(key)
    autocovariance = oscillating(process)
    loss = lambda scores: next_token_loss(scores, VALUE, covariance_of(autocovariance), SKIP)
    pull, law = -jax.grad(loss)(scores_of(scores_key)), next_token_law(VALUE, autocovariance, SKIP)
    along = jnp.stack([jnp.trace(pull, offset=1 - lag) for lag in range(LENGTH)])
    claimed = next_token_lag_law(VALUE, autocovariance, SKIP)
    return jnp.maximum(relative_gap(pull, law), relative_gap(along, claimed))


def gradient_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The closed form at any scores, for data of any covariance, against jax; no slope at the fitted readout."""
    scores_key, root_key = jax.random.split(key)
    scores, root = gaussian_scores(scores_key, LENGTH), gaussian_scores(root_key, LENGTH)
    by_jax = jax.grad(next_token_loss)(scores, VALUE, root @ root.T, SKIP)
    gap = relative_gap(next_token_score_gradient(scores, VALUE, root @ root.T, SKIP), by_jax)
    autocovariance = oscillating(root_key)
    skip, value = fitted_readout(autocovariance)
    slopes = jax.grad(next_token_loss, argnums=(1, 3))(
        flat_scores(key), value, on_a_line(autocovariance), skip
    )
    return jnp.maximum(gap, jnp.abs(jnp.stack(slopes)).max())


def silence_gap(process, key: PRNGKeyArray) -> Float[Array, ""]:
    """At the fitted skip and value: the residual's covariance with the past and the value, over C(0)."""
    autocovariance = process(key)
    skip, value = fitted_readout(autocovariance)
    residual = next_token_residual(value, autocovariance, skip)
    return jnp.maximum(jnp.abs(residual).max(), jnp.abs(value)) / autocovariance[0]


def last_token(weights, per_key) -> Float[Array, ""]:
    """What the head reads at the last position."""
    return weights[-1] @ per_key


def mean_pool(weights, per_key) -> Float[Array, ""]:
    """What the head reads from the mean over positions."""
    return (weights @ per_key).mean()


def orthogonality_gap(pool, key: PRNGKeyArray) -> Float[Array, ""]:
    """|cosine| of a label gradient by jax with the next-token gradient by jax, at uniform attention."""
    process, token_key = jax.random.split(key)
    per_key, covariance = jax.random.normal(token_key, (LENGTH,)), on_a_line(decaying(process))
    label = jax.grad(lambda scores: pool(causal_weights(scores), per_key))(flat_scores(key))
    pretraining = jax.grad(next_token_loss)(flat_scores(key), VALUE, covariance, SKIP)
    return jnp.abs(jnp.vdot(label, pretraining)) / jnp.linalg.norm(label) / jnp.linalg.norm(pretraining)


def overlap_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """<D, G> for a mean-pooled label by jax against n.s; its closed form at any scores; the visible share.

    Of a label 1, of any direction that of its projection on the label gradients of single keys.
    """
    direction_key, token_key = jax.random.split(key)
    direction = gaussian_scores(direction_key, LENGTH)
    tokens, value_map, head, _ = labelled_sequence(token_key, LENGTH)
    per_key = tokens @ value_map.T @ head[0]
    by_jax = jax.grad(lambda scores: mean_pool(causal_weights(scores), per_key))
    label, steep = by_jax(flat_scores(key)), by_jax(direction)
    key_label = lambda one: jax.grad(lambda scores: mean_pool(causal_weights(scores), one))(flat_scores(key))
    closed = causal_label_gradient(direction, tokens, value_map, head[0])
    slope = jnp.vdot(direction, label)[None]
    overlap = relative_gap(causal_overlap(direction) @ per_key[:, None], slope)
    basis = jnp.linalg.svd(jax.vmap(key_label)(jnp.eye(LENGTH)).reshape(LENGTH, -1), full_matrices=False)[2]
    projected = jnp.sum((basis[: LENGTH - 1] @ direction.ravel()) ** 2) / jnp.sum(
        row_centred(direction, causal=True) ** 2
    )
    shares = jnp.stack([causal_visible_share(label), causal_visible_share(direction) / projected])
    return jnp.stack([overlap, relative_gap(closed, steep), jnp.abs(shares - 1).max()]).max()


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences of the loss."""
    process, direction_key = jax.random.split(key)
    autocovariance = oscillating(process)
    loss = lambda scores: next_token_loss(scores, VALUE, on_a_line(autocovariance), SKIP)
    law = -next_token_law(VALUE, autocovariance, SKIP)
    return finite_difference_gap(loss, law, flat_scores(key), key=direction_key)


def sampled_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Gradients of single AR(1) sequences, summed along lags, against the law.

    At w < 0 the residual is large, so that few sequences show its covariance with the keys.
    """
    process, noise = jax.random.split(key)
    autocovariance = decaying(process)
    sequences = gaussian_sequences(noise, on_a_line(autocovariance), SEQUENCES)

    def pull(sequence):
        moments = jnp.outer(sequence, sequence)
        slope = next_token_score_gradient(flat_scores(key), VALUE, moments, STRONG_SKIP)
        return -jnp.stack([jnp.trace(slope, offset=1 - lag) for lag in range(1, LENGTH)])

    law = next_token_lag_law(VALUE, autocovariance, STRONG_SKIP)[1:]
    return standard_errors_off(jax.vmap(pull)(sequences), law)


def parts_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Gauge, key bias and rest where attention is causal: they add up, and the rest has no row or column sum.

    Without the causal mask they are the parts of `decompose`, and a key bias always adds up to 0.
    """
    stack = jax.random.normal(key, (2, 3, LENGTH, LENGTH))
    gaps = []
    for causal in (False, True):
        inside, rest = row_centred(stack, causal), doubly_centred(stack, causal)
        bias = key_bias(inside.sum(axis=-2), causal)[..., None, :]
        key_biases = row_centred(jnp.broadcast_to(bias, inside.shape), causal)
        gaps += [relative_gap(key_biases + rest, inside)]
        gaps += [
            relative_gap(rest.sum(axis=axis), jnp.zeros((2, 3, LENGTH)), scale=rest) for axis in (-1, -2)
        ]
    whole = jax.vmap(jax.vmap(decompose))(stack).doubly_centred
    gaps += [relative_gap(doubly_centred(stack), whole)]
    any_columns = key_bias(stack.sum(axis=-2), causal=False)  # also where columns do not add up to 0
    gaps += [relative_gap(any_columns.sum(axis=-1), jnp.zeros((2, 3)), scale=any_columns)]
    return jnp.max(jnp.stack(gaps))


CLAIM = Claim(
    label="C18",
    title="Causal pretraining",
    statement=(
        "Predict x_{i+1} by w x_i + v sum_{k <= i} A_ik x_k: the negative gradient at uniform causal "
        "attention is the residual's covariance with the keys, centred, and sees the past alone. For "
        "AR(1) the fitted readout is w = rho, v = 0, and attention has exactly nothing to learn, "
        "where masking goes on pulling to both neighbours. The orthogonality of C9 is lost for a mean "
        "pool, and kept for a head on the last token."
    ),
    details=(
        "Predict x_{i+1} by w x_i + v sum_{k <= i} A_ik x_k. At uniform causal attention the negative "
        "gradient of query i (m = i + 1 keys) along the lag r = m - j from target to key is (v/((L-1) m)) "
        "(D_m(r) - mean D_m), D_m(r) = C(r) - w C(r-1) - (v/m) sum_{s=1}^m C(s-r), the residual's "
        "covariance with the key; along a kernel of lags these add up over m = r..L-1, so near lags weigh "
        "log(L/r)/L where masking has 1/L. Only the past is seen, and lag 1 is the query's own token, "
        "which a skip reads as well: for AR(1) the fitted readout is w = rho, v = 0, and the residual is "
        "uncorrelated with the whole past, so that attention has exactly nothing to learn, where masking "
        "(C19) goes on pulling to the neighbours on both sides. A memory longer than one token breaks "
        "this silence. Labels: under a causal mask the mean pool sees L - 1 of L(L-1)/2 directions, a "
        "share of 2/L. The orthogonality of C9 is lost: at small v and w = 0 a next-token gradient is "
        "orthogonal to every label only when it is 0, and its visible share tends to a constant (0.3 "
        "for AR(1), rho = 1/2), since early queries with few keys weigh most. It is kept for a head on the "
        "last token, which sees the last query alone, the only one that predicts nothing."
    ),
    regime=(
        "Exact for every L at uniform causal attention for stationary scalar tokens on a line; the gradient "
        "itself at any scores and any covariance. Symbolic number of keys for one query; every covariance "
        "spelled out for L = 2..6; certificates in rationals, of the overlap for L = 3..9 and of the "
        "label's rank for L = 2..9, and in symbols for AR(1) at every lag. Leading order in 1/L only for the "
        "weight log(L/r)/L; the constant share is measured."
    ),
    formula=(
        r"-\frac{\partial \ell}{\partial S_{i, i + 1 - r}} = \frac{v}{(L - 1) m} \left( D_m(r) "
        r"- \overline{D_m} \right), \quad D_m(r) = C(r) - w\, C(r - 1) - \frac{v}{m} \sum_{s = 1}^{m} "
        r"C(s - r), \quad m = i + 1"
    ),
    checks=(
        symbolic("one query, symbolic number of keys", c18_symbols.one_query),
        symbolic(
            "residual covariance, L = 2..6 with every covariance spelled out",
            c18_symbols.residual_for_each_length,
        ),
        symbolic("certificate: AR(1) leaves no residual", c18_symbols.markov_residual_ignores_the_past),
        symbolic(
            "certificate: orthogonal to every label only for equal C(r), L = 3..9",
            c18_symbols.only_equal_covariances_are_orthogonal,
        ),
        symbolic("certificate: labels see L - 1, L = 2..9", c18_symbols.labels_see_one_number_per_key),
        autodiff("the law against jax.grad", lambda key: law_gap(flat_scores, on_a_line, key)),
        autodiff("the gradient at any scores and covariance", gradient_gap),
        autodiff("AR(1): nothing left at the fitted readout", lambda key: silence_gap(decaying, key)),
        autodiff("orthogonal to last-token labels", lambda key: orthogonality_gap(last_token, key)),
        autodiff("overlap with mean-pooled labels", overlap_gap),
        autodiff("gauge, key bias and the rest, causal or not", parts_gap),
        finite_difference("the law against central differences", difference_gap),
        simulation("gradients of sampled AR(1) sequences", sampled_deviation),
        counterexample("data that are not stationary", lambda key: law_gap(flat_scores, growing, key)),
        counterexample("a longer memory is not silent", lambda key: silence_gap(oscillating, key)),
        counterexample(
            "mean-pooled labels are not orthogonal", lambda key: orthogonality_gap(mean_pool, key)
        ),
    ),
)
