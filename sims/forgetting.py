"""What fine-tuning on labels does to a pretrained proximity kernel, with and without weight decay.   [C22]

The kernel comes from the reconstruction flow on an AR(1) process. Labels then train scores, values and head
of the minimal model on sampled batches, as free scores and as a product of queries and keys. What is
kept of the kernel is its projection on itself. The control is a model whose labels do see the kernel:
residual and squares before the pool, sequences in order against permuted ones.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.bands import LEVEL, compare_all
from sims.exponents import fitted, slopes
from sims.flows import Clock, Gradient, State, descend, label_gradient, reduced_gradient, shifted_task
from sims.intervals import mean_interval
from sims.limits import at_least, between
from sims.processes import ar1, order_task, spectrum
from sims.score_gradients import mean_label_loss
from sims.store import UserError

Progress = Callable[[int, int], None] | None
Arrays = dict[str, np.ndarray]
FACTORS = {"free": 1, "product": 2, "seen": 1}


@dataclasses.dataclass(frozen=True)
class Config:
    """A pretrained kernel under label training with decoupled weight decay."""

    length: int = 16
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    pretraining_steps: int = 800
    """Steps of the reconstruction flow, at rate 0.25."""
    learning_rate: float = 0.1
    """eta of label training."""
    decays: tuple[float, ...] = (0.0, 0.01, 0.03)
    """lambda; increasing from 0, which is fine-tuning without decay."""
    steps: int = 600
    """Steps of label training."""
    records: int = 13
    """Moments recorded, the start included; records - 1 must divide steps."""
    batch: int = 64
    """Fresh labelled sequences per step."""
    label_shift: float = 0.3
    """Half the distance between the class means: the bag tells the class."""
    seeds: int = 16
    """Independent runs of label training."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, decays=len(self.decays))
        at_least(1, batch=self.batch, pretraining_steps=self.pretraining_steps)
        between(-1, 1, correlation=self.correlation)
        between(0, 2, learning_rate=self.learning_rate)
        if self.decays[0] != 0 or list(self.decays) != sorted(set(self.decays)):
            raise UserError(f"decays must increase from 0: got {self.decays}; try 0 0.01 0.03")
        between(-1, 1, learning_rate_times_largest_decay=self.learning_rate * max(self.decays))
        self.clock.require_even()

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=8, pretraining_steps=200, steps=60, records=4, batch=16, seeds=6, decays=(0.0, 0.1))

    @property
    def clock(self) -> Clock:
        """When label training is recorded."""
        return Clock(self.learning_rate, self.steps, self.records)


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[dict[str, object], Arrays]:
    """What is kept of the kernel under labels, by arm and decay, and what the label loss notices."""
    tell = report or (lambda done, total: None)
    process = ar1(config.length, config.correlation)
    kernel = pretrained_kernel(process.autocovariance, config.pretraining_steps)
    power, found = spectrum(process.autocovariance), {}
    for done, (arm, one) in enumerate(zip(FACTORS, jax.random.split(key, len(FACTORS)), strict=True)):
        seeds = jax.random.split(one, config.seeds)
        found[arm] = jax.tree.map(np.asarray, _label_training(arm, power, kernel, config, seeds))
        tell(done + 1, len(FACTORS))
    return summary(config, np.asarray(kernel), found)


def pretrained_kernel(autocovariance: Float[Array, " lag"], steps: int) -> Float[Array, " lag"]:
    """g where the reduced reconstruction flow has come to, centred: softmax ignores its mean."""
    start = jnp.zeros_like(autocovariance), jnp.asarray(0.1)
    clock = Clock(0.25, steps, 2)
    kernel = descend(reduced_gradient(autocovariance), start, clock, key=jax.random.key(0))[0][-1]
    return kernel - kernel.mean()


@functools.partial(jax.jit, static_argnames=("arm", "config"))
@functools.partial(jax.vmap, in_axes=(None, None, None, None, 0))
def _label_training(
    arm: str,
    power: Float[Array, " frequency"],
    kernel: Float[Array, " lag"],
    config: Config,
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
    gradient = GRADIENTS[arm](power, config)

    def trained(decay: Float[Array, ""]) -> dict[str, Float[Array, "..."]]:
        states = descend(with_decay(gradient, decay, FACTORS[arm]), start, config.clock, key=step_key)
        reached = jax.vmap(scores_of)(states)
        kept = jax.vmap(theory.circulant_kernel)(reached) @ kernel / (kernel @ kernel)
        return {"kept": kept, "noticed": noticed(arm, reached[-1], states, power, config, test_key)}

    return jax.lax.map(trained, jnp.asarray(config.decays))


def scores_of(state: State) -> Float[Array, "query key"]:
    """S, or Q K^T where there are two square factors."""
    if len(state) > 1 and state[1].shape == state[0].shape:
        return state[0] @ state[1].T
    return state[0]


def with_decay(gradient: Gradient, decay: Float[Array, ""], factors: int) -> Gradient:
    """Decoupled decay of the first `factors` entries: p <- (1 - eta lambda) p - eta dl/dp."""

    def decayed(state: State, key: PRNGKeyArray) -> State:
        slopes = gradient(state, key)
        worn = tuple(
            slope + decay * old for slope, old in zip(slopes[:factors], state[:factors], strict=True)
        )
        return worn + tuple(slopes[factors:])

    return decayed


def free_gradient(power: Float[Array, " frequency"], config: Config) -> Gradient:
    """Of the label loss of the minimal model in free scores."""
    return label_gradient(power, config.batch, config.label_shift)


def product_gradient(power: Float[Array, " frequency"], config: Config) -> Gradient:
    """The same where the scores are Q K^T."""
    of_scores = free_gradient(power, config)

    def gradient(state: State, key: PRNGKeyArray) -> State:
        queries, keys, *fast = state
        slope, *rest = of_scores((queries @ keys.T, *fast), key)
        return (slope @ keys, slope.T @ queries, *rest)

    return gradient


def squares_loss(state: State, tokens: Float[Array, "batch key"], labels: Array) -> Float[Array, ""]:
    """Mean cross-entropy of z = mean_i (x_i + H_i)^2 at v = 1: it sees circulant scores."""
    scores, head = state
    pool = lambda ring: theory.pooled_features(scores, ring[:, None], jnp.ones((1, 1)), jnp.square)[0]
    logits = head[0] * (jax.vmap(pool)(tokens) - 1) + head[1]
    return jnp.mean(jax.nn.softplus(logits) - labels.astype(logits.dtype) * logits)


def seen_gradient(power: Float[Array, " frequency"], config: Config) -> Gradient:
    """Of `squares_loss` on a fresh batch in order against permuted; scores on the kernel's clock."""

    def gradient(state: State, key: PRNGKeyArray) -> State:
        slope, head = jax.grad(squares_loss)(state, *order_task(power, config.batch, key=key))
        return len(slope) * slope, head

    return gradient


GRADIENTS = {"free": free_gradient, "product": product_gradient, "seen": seen_gradient}


def noticed(arm, scores, states, power, config: Config, key: PRNGKeyArray) -> Float[Array, ""]:
    """Label loss with flat scores less that with the scores reached, same readout, on fresh sequences."""
    flat, readout = jnp.zeros_like(scores), [part[-1] for part in states]
    if arm == "seen":
        tokens, labels = order_task(power, TEST, key=key)
        return squares_loss((flat, readout[1]), tokens, labels) - squares_loss(
            (scores, readout[1]), tokens, labels
        )
    tokens, labels = shifted_task(power, TEST, config.label_shift, key=key)
    loss = lambda at: mean_label_loss(at, tokens, readout[-1] @ readout[-2], labels)
    return loss(flat) - loss(scores)


TEST = 1000  # sequences on which the label loss is read


def summary(config: Config, kernel: np.ndarray, found: dict[str, Arrays]) -> tuple[dict[str, object], Arrays]:
    """Verdicts on (1 - eta lambda)^(n t), fitted exponents n, and the losses that notice."""
    moments = np.linspace(0, config.steps, config.records)
    law = {
        arm: np.stack([kept_by_law(config, decay, moments, factors) for decay in config.decays])
        for arm, factors in FACTORS.items()
    }
    curves = {f"kept_{arm}": (found[arm]["kept"], law[arm]) for arm in FACTORS}
    control = {name: curves.pop(name) for name in WHERE_THEORY_LEAVES}
    verdicts, bands = compare_all(curves)
    outside, more = compare_all(control, exact=False)
    clock = moments[None] * np.log1p(-config.learning_rate * np.asarray(config.decays))[1:, None]
    fits = {
        arm: [
            fitted(slopes(axis, np.log(np.abs(found[arm]["kept"][:, place]))), float(factors))
            for place, axis in enumerate(clock, start=1)
        ]
        for arm, factors in FACTORS.items()
    }
    values: dict[str, object] = {
        "inside": verdicts | outside,
        "where_theory_leaves": WHERE_THEORY_LEAVES,
        "decays": list(config.decays),
        "fitted_n": fits,
        "half_life_steps": [
            float(theory.half_life(config.learning_rate, decay)) for decay in config.decays[1:]
        ],
        "loss_without_the_kernel_minus_with": {
            arm: [mean_interval(row, LEVEL).as_json() for row in one["noticed"].T]
            for arm, one in found.items()
        },
    }
    return values, bands | more | {"steps": moments, "decays": np.array(config.decays), "kernel": kernel}


def kept_by_law(config: Config, decay: float, moments: np.ndarray, factors: int) -> np.ndarray:
    """(1 - eta lambda)^(n t) at every moment: `theory.forgotten_kernel` of a kernel of ones."""
    ones = jnp.ones(2)
    return np.array(
        [
            float(theory.forgotten_kernel(ones, config.learning_rate, decay, float(at), factors)[0])
            for at in moments
        ]
    )


WHERE_THEORY_LEAVES = {
    "kept_product": "a step moves both factors; the product of both moves is of second order in a batch's "
    "noise, with a mean that is not 0: the miss falls like one over the batch",
    "kept_seen": "the control: with a residual and squares before the pool labels see the kernel, outside "
    "the claim's regime",
}
