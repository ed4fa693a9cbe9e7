"""C18, causal pretraining. Exact for every L at uniform causal attention, scalar tokens."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.causal import (
    causal_weights,
    fitted_readout,
    next_token_lag_law,
    next_token_law,
    next_token_loss,
    next_token_residual,
    next_token_score_gradient,
)
from theory.causal_labels import causal_label_gradient, causal_overlap, causal_visible_share
from theory.claims import c18_symbols
from theory.claims.check import (
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
from theory.claims.draws import correlation_draw, gaussian_scores, gaussian_sequences

LENGTH = 8
VALUE, SKIP = 0.7, 0.4
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
    along = jnp.stack([jnp.trace(pull, offset=1 - lag) for lag in (1, 2, LENGTH - 1)])
    claimed = next_token_lag_law(VALUE, autocovariance, SKIP)[jnp.asarray([1, 2, LENGTH - 1])]
    return jnp.maximum(relative_gap(pull, law), relative_gap(along, claimed))


def gradient_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The closed form at any scores, for data of any covariance, against jax."""
    scores_key, root_key = jax.random.split(key)
    scores, root = gaussian_scores(scores_key, LENGTH), gaussian_scores(root_key, LENGTH)
    by_jax = jax.grad(next_token_loss)(scores, VALUE, root @ root.T, SKIP)
    return relative_gap(next_token_score_gradient(scores, VALUE, root @ root.T, SKIP), by_jax)


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
    """<D, G> for a mean-pooled label by jax against n.s; its closed form; its visible share against 1."""
    direction_key, token_key = jax.random.split(key)
    direction, per_key = gaussian_scores(direction_key, LENGTH), jax.random.normal(token_key, (LENGTH,))
    label = jax.grad(lambda scores: mean_pool(causal_weights(scores), per_key))(flat_scores(key))
    one = jnp.ones((1, 1))
    closed = causal_label_gradient(flat_scores(key), per_key[:, None], one, one[0])
    found = jnp.vdot(direction, label)[None]
    overlap = relative_gap(causal_overlap(direction) @ per_key[:, None], found)
    whole = jnp.abs(causal_visible_share(label) - 1)
    return jnp.stack([overlap, relative_gap(closed, label), whole]).max()


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """The law against central differences of the loss."""
    process, direction_key = jax.random.split(key)
    autocovariance = oscillating(process)
    loss = lambda scores: next_token_loss(scores, VALUE, on_a_line(autocovariance), SKIP)
    law = -next_token_law(VALUE, autocovariance, SKIP)
    return finite_difference_gap(loss, law, flat_scores(key), key=direction_key)


def sampled_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Gradients of single AR(1) sequences, summed along lags, against the law."""
    process, noise = jax.random.split(key)
    autocovariance = decaying(process)
    sequences = gaussian_sequences(noise, on_a_line(autocovariance), SEQUENCES)

    def pull(sequence):
        moments = jnp.outer(sequence, sequence)
        slope = next_token_score_gradient(flat_scores(key), VALUE, moments, SKIP)
        return -jnp.stack([jnp.trace(slope, offset=1 - lag) for lag in range(1, LENGTH)])

    return standard_errors_off(jax.vmap(pull)(sequences), next_token_lag_law(VALUE, autocovariance, SKIP)[1:])


CLAIM = Claim(
    label="C18",
    title="Causal pretraining",
    statement=(
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
        finite_difference("the law against central differences", difference_gap),
        simulation("gradients of sampled AR(1) sequences", sampled_deviation),
        counterexample("data that are not stationary", lambda key: law_gap(flat_scores, growing, key)),
        counterexample("a longer memory is not silent", lambda key: silence_gap(oscillating, key)),
        counterexample(
            "mean-pooled labels are not orthogonal", lambda key: orthogonality_gap(mean_pool, key)
        ),
    ),
)
