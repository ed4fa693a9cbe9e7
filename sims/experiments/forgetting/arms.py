"""Label training of a pretrained kernel: as free scores, as a product, and where labels see it.   [C22]"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.processes import permutation_task
from sims.toy_models.flows import Gradient, State, descend, label_gradient, shifted_task
from sims.toy_models.score_gradients import mean_label_loss

FACTORS = {"free": 1, "product": 2, "seen": 1}
TEST = 1000  # sequences on which the label loss is read


@functools.partial(jax.jit, static_argnames=("arm", "config"))
@functools.partial(jax.vmap, in_axes=(None, None, None, None, 0))
def label_training(
    arm: str,
    power: Float[Array, " frequency"],
    kernel: Float[Array, " lag"],
    config,
    key: PRNGKeyArray,
) -> dict[str, Float[Array, "decay ..."]]:
    """Share of the kernel kept, decays x time, and label losses at the end with it and with flat scores."""
    head_key, step_key, test_key = jax.random.split(key, 3)
    scores = theory.circulant(kernel)
    head = jax.random.normal(head_key, (2, 1)) if arm != "seen" else jnp.zeros(2)
    fast = (jnp.ones((1, 1)), head) if arm != "seen" else (head,)
    start = (scores, *fast)
    if arm == "product":
        size = jnp.sqrt(jnp.linalg.norm(kernel))
        start = (scores / size, size * jnp.eye(config.length), *fast)
    gradient = _GRADIENTS[arm](power, config)

    def trained(decay: Float[Array, ""]) -> dict[str, Float[Array, "..."]]:
        states = descend(_with_decay(gradient, decay, FACTORS[arm]), start, config.clock, key=step_key)
        reached = jax.vmap(scores_of)(states)
        retained = jax.vmap(theory.circulant_kernel)(reached) @ kernel / (kernel @ kernel)
        return {
            "kept": retained,
            "noticed": _loss_difference(arm, reached[-1], states, power, config, test_key),
        }

    return jax.lax.map(trained, jnp.asarray(config.decays))


def scores_of(state: State) -> Float[Array, "query key"]:
    """S, or Q K^T where there are two square factors."""
    if len(state) > 1 and state[1].shape == state[0].shape:
        return state[0] @ state[1].T
    return state[0]


def _with_decay(gradient: Gradient, decay: Float[Array, ""], factors: int) -> Gradient:
    """Decoupled decay of the first `factors` entries: p <- (1 - eta lambda) p - eta dl/dp."""

    def decayed(state: State, key: PRNGKeyArray) -> State:
        slopes = gradient(state, key)
        worn = tuple(
            slope + decay * old for slope, old in zip(slopes[:factors], state[:factors], strict=True)
        )
        return worn + tuple(slopes[factors:])

    return decayed


def _free_gradient(power: Float[Array, " frequency"], config) -> Gradient:
    """Of the label loss of the minimal model in free scores."""
    return label_gradient(power, config.batch, config.label_shift)


def product_gradient(power: Float[Array, " frequency"], config) -> Gradient:
    """The same where the scores are Q K^T."""
    of_scores = _free_gradient(power, config)

    def gradient(state: State, key: PRNGKeyArray) -> State:
        queries, keys, *fast = state
        slope, *rest = of_scores((queries @ keys.T, *fast), key)
        return (slope @ keys, slope.T @ queries, *rest)

    return gradient


def _squares_loss(state: State, tokens: Float[Array, "batch key"], labels: Array) -> Float[Array, ""]:
    """Mean cross-entropy of z = mean_i (x_i + H_i)^2 at v = 1: it sees circulant scores."""
    scores, head = state
    pool = lambda ring: theory.pooled_features(scores, ring[:, None], jnp.ones((1, 1)), jnp.square)[0]
    logits = head[0] * (jax.vmap(pool)(tokens) - 1) + head[1]
    return jnp.mean(jax.nn.softplus(logits) - labels.astype(logits.dtype) * logits)


def _seen_gradient(power: Float[Array, " frequency"], config) -> Gradient:
    """Of `_squares_loss` on a fresh batch in order against permuted; scores on the kernel's clock."""

    def gradient(state: State, key: PRNGKeyArray) -> State:
        slope, head = jax.grad(_squares_loss)(state, *permutation_task(power, config.batch, key=key))
        return len(slope) * slope, head

    return gradient


_GRADIENTS = {"free": _free_gradient, "product": product_gradient, "seen": _seen_gradient}


def _loss_difference(arm, scores, states, power, config, key: PRNGKeyArray) -> Float[Array, ""]:
    """Label loss with flat scores less that with the scores reached, same readout, on fresh sequences."""
    flat, readout = jnp.zeros_like(scores), [part[-1] for part in states]
    if arm == "seen":
        tokens, labels = permutation_task(power, TEST, key=key)
        return _squares_loss((flat, readout[1]), tokens, labels) - _squares_loss(
            (scores, readout[1]), tokens, labels
        )
    tokens, labels = shifted_task(power, TEST, config.label_shift, key=key)
    loss = lambda at: mean_label_loss(at, tokens, readout[-1] @ readout[-2], labels)
    return loss(flat) - loss(scores)
