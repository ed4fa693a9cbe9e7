"""C22, weight decay forgets. Exact for every L, in the population over sequences.

Proof. At circulant S the pooled vector is z = V X^T 1/L, which no rotation of the sequence changes, so
neither does u = dl/dz. The label gradient of a sample is G_ij = (A_ij / L)(s_j - sum_k A_ik s_k), s_j =
u^T V x_j. Averaged over the L rotations of the sequence, s_j becomes u^T V times the mean token, whatever
j: both terms are equal and G is 0. Data that are cyclically stationary in every class are mixtures of
such orbits with one label each. So circulant scores do not move under labels whatever the head, the loss,
V and their training, and only decay is left: dS/dt = -lambda S. With S = P W_Q W_K^T P^T / sqrt(k) both
factors have gradients P^T G (...) = 0, and each decays.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.c22_weight_decay import symbolic as c22_symbols
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
from theory.claims.checks.draws import WIDTH, LabelledSequence, labelled_sequence, ring_sequences
from theory.dynamics.forgetting import forgotten_kernel, half_life
from theory.label_blindness.labels import label_score_gradient
from theory.minimal_model.attention import cross_entropy, mixed, pooled
from theory.reconstruction.circulant import circulant

LENGTH = 8
SEQUENCES = 20_000
STEPS, RATE, DECAY = 30, 0.4, 0.1


def orbit(tokens: Float[Array, "key width"]) -> Float[Array, "sample key width"]:
    """All rotations of a sequence: the smallest cyclically stationary population."""
    positions = jnp.arange(len(tokens))
    return tokens[(positions[:, None] + positions[None, :]) % len(tokens)]


def alone(tokens: Float[Array, "key width"]) -> Float[Array, "sample key width"]:
    """The sequence itself: its positions differ."""
    return tokens[None]


def linear(scores, tokens, value_map) -> Float[Array, " width"]:
    """The minimal model."""
    return pooled(scores, tokens, value_map)


def tanh_pool(scores, tokens, value_map) -> Float[Array, " width"]:
    """A token-wise nonlinearity before the pool: the loss is no longer constant in the kernel."""
    return jnp.tanh(mixed(scores, tokens, value_map)).mean(axis=0)


def population_loss(population, model, sequence: LabelledSequence):
    """Mean label loss of two sequences of different classes, each with its population."""
    tokens = jnp.concatenate([population(sequence.tokens), population(-2 * sequence.tokens[::-1] ** 2)])
    labels = jnp.repeat(jnp.arange(2), len(tokens) // 2)

    def loss(scores, value_map, head):
        one = lambda each, label: cross_entropy(head @ model(scores, each, value_map), label)
        return jax.vmap(one)(tokens, labels).mean()

    return loss


def start(key: PRNGKeyArray) -> tuple[LabelledSequence, Float[Array, " lag"]]:
    """A sequence with a model to read it, and a pretrained kernel."""
    draw, kernel_key = jax.random.split(key)
    return labelled_sequence(draw, LENGTH), jax.random.normal(kernel_key, (LENGTH,))


def gradient_gap(population, model, key: PRNGKeyArray) -> Float[Array, ""]:
    """jax's population label gradient at circulant scores, over that of one sequence."""
    sequence, kernel = start(key)
    loss = population_loss(population, model, sequence)
    slope = jax.grad(loss)(circulant(kernel), sequence.value_map, sequence.head)
    return relative_gap(slope, jnp.zeros_like(slope), scale=sequence.score_gradient(circulant(kernel)))


def descended(loss, parameters):
    """Gradient descent with decoupled decay on all parameters."""
    move = lambda parameter, slope: (1 - RATE * DECAY) * parameter - RATE * slope
    gradient = jax.grad(lambda each: loss(*each))
    step = lambda _, state: jax.tree.map(move, state, gradient(state))
    return jax.lax.fori_loop(0, STEPS, step, parameters)


def free_decay_gap(population, key: PRNGKeyArray) -> Float[Array, ""]:
    """Scores trained on labels, with head and value map, against the pretrained kernel decayed."""
    sequence, kernel = start(key)
    loss = population_loss(population, linear, sequence)
    trained = descended(loss, (circulant(kernel), sequence.value_map, sequence.head))[0]
    return relative_gap(trained, circulant(forgotten_kernel(kernel, RATE, DECAY, STEPS)))


def factored_decay_gap(population, key: PRNGKeyArray) -> Float[Array, ""]:
    """The same with S = W_Q W_K^T, both trained: twice as fast."""
    sequence, kernel = start(key)
    loss = population_loss(population, linear, sequence)
    of_factors = lambda queries, keys, *others: loss(queries @ keys.T, *others)
    factors = (circulant(kernel), circulant(jnp.roll(kernel, 1)))
    trained = descended(of_factors, (*factors, sequence.value_map, sequence.head))
    begun = (factors[0] @ factors[1].T)[0]
    return relative_gap(
        trained[0] @ trained[1].T, circulant(forgotten_kernel(begun, RATE, DECAY, STEPS, factors=2))
    )


def half_life_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """What is left of a kernel after its half-life, for scores and for products, against half of it."""
    kernel = jax.random.normal(key, (LENGTH,))
    left = [forgotten_kernel(kernel, RATE, DECAY, half_life(RATE, DECAY, n), n) for n in (1, 2)]
    return relative_gap(jnp.stack(left), jnp.stack([kernel / 2] * 2))


def difference_gap(key: PRNGKeyArray) -> Float[Array, ""]:
    """Central differences of the population label loss along eight directions are 0."""
    sequence, kernel = start(key)
    loss = population_loss(orbit, linear, sequence)
    scores = circulant(kernel)
    size = jnp.linalg.norm(sequence.score_gradient(scores))
    of_scores = lambda each: loss(each, sequence.value_map, sequence.head)
    return finite_difference_gap(of_scores, jnp.zeros_like(scores), scores, key=key, scale=size)


def sampled_deviation(key: PRNGKeyArray) -> Float[Array, ""]:
    """Label gradients of sampled AR(1) rings, each class with a correlation of its own: mean 0."""
    noise, kernel_key = jax.random.split(key)
    rings = ring_sequences(noise, LENGTH, jnp.asarray(0.6), SEQUENCES)[..., None]
    labels = jnp.arange(SEQUENCES) % 2
    tokens = jnp.where(labels[:, None, None] == 1, rings, jnp.roll(rings, 1, axis=1) - rings)
    scores, value_map = circulant(jax.random.normal(kernel_key, (LENGTH,))), jnp.ones((WIDTH, 1))
    head = jnp.stack([jnp.arange(1.0, WIDTH + 1), -jnp.ones(WIDTH)])

    def slope(each, label):
        vector = pooled(scores, each, value_map)
        at_head = jax.grad(lambda z: cross_entropy(head @ z, label))(vector)
        return label_score_gradient(scores, each, value_map, at_head)

    return standard_errors_off(jax.vmap(slope)(tokens, labels), jnp.zeros_like(scores))


CLAIM = Claim(
    label="C22",
    title="Weight decay forgets",
    statement=(
        "If the data are cyclically stationary in every class, the population label gradient of the "
        "minimal model is exactly 0 at every circulant S, whatever head, loss and V: not only along "
        "circulants (C3) but in every direction. A pretrained kernel is therefore a fixed point of label "
        "training of scores, values and head, and with decoupled weight decay it only decays: g(t) = (1 - "
        "eta lambda)^t g(0), or g(0) e^{-lambda t} in the limit, and twice as fast, (1 - eta lambda)^{2t}, "
        "where scores are a product of queries and keys that both decay. Labels neither hold nor restore "
        "what pretraining wrote, and their loss does not notice its loss."
    ),
    regime=(
        "Exact for every L >= 2, in the population over sequences, at any magnitude of g; sptlab's own "
        "statement. Needs stationarity within every class, the ring, and a linear pool: with a token-wise "
        "nonlinearity the gradient is circulant but not 0. A finite sample adds noise of mean 0 at S "
        "itself. Exact arithmetic for L = 2..6."
    ),
    formula=(
        r"S_{ij} = g\left( (j - i) \bmod L \right) \;\Rightarrow\; "
        r"\mathbb{E} \frac{\partial \ell}{\partial S} = 0, \quad "
        r"g(t) = (1 - \eta \lambda)^{n t} g(0), \quad n = 1 \text{ or } 2"
    ),
    checks=(
        symbolic("certificate: mean over an orbit is 0, L = 2..6", c22_symbols.orbit_gradient_vanishes),
        symbolic("decay of scores and of products", c22_symbols.only_decay_is_left),
        autodiff("jax's population gradient is 0", lambda key: gradient_gap(orbit, linear, key)),
        autodiff("free scores decay alone", lambda key: free_decay_gap(orbit, key)),
        autodiff("products decay twice as fast", lambda key: factored_decay_gap(orbit, key)),
        autodiff("half is left after the half-life", half_life_gap),
        finite_difference("no slope in any direction", difference_gap),
        simulation("label gradients of sampled rings", sampled_deviation),
        counterexample("data that are not stationary", lambda key: free_decay_gap(alone, key)),
        counterexample("a nonlinearity before the pool", lambda key: gradient_gap(orbit, tanh_pool, key)),
    ),
)
