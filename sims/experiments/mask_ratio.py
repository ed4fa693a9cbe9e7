"""How much of a sequence to mask: the pull on the scores and the final kernel over the masking rate.   [C8]

Scalar tokens, mask token 0, every position hidden with probability p independently, and each hidden one
predicted. Theory: the loss in closed form over masks and sequences, descended in the scores on the
kernel's clock; training: the same on batches drawn for each step. Time = learning rate x steps.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.processes import ar1, sample, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL, BandVerdict, compare_all
from sims.statistics.intervals import Interval, mean_interval
from sims.toy_models.flows import Clock, Gradient, State, descend

DESCRIPTION = "pull on the scores and final attention over the masking rate"
SECONDS = 11


@dataclasses.dataclass(frozen=True)
class Config:
    """Reconstruction's gradient and its final kernel over the masking rate."""

    length: int = 16
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    rates: tuple[float, ...] = (0.0, 0.15, 0.3, 0.5, 0.7, 0.9)
    """Masking rates p: probability that a position beside the predicted one is masked; increasing."""
    learning_rate: float = 0.5
    """Learning rate of gradient descent (time per step)."""
    steps: int = 600
    """Steps of training."""
    batch: int = 64
    """Fresh sequences per step."""
    sequences: int = 2000
    """Sequences per seed for the gradient at initialisation."""
    seeds: int = 16
    """Independent training runs."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, rates=len(self.rates), sequences=self.sequences)
        at_least(1, batch=self.batch, steps=self.steps)
        between(-1, 1, correlation=self.correlation)
        between(0, 2, learning_rate=self.learning_rate)
        if not 0 <= min(self.rates) <= max(self.rates) < 1 or list(self.rates) != sorted(set(self.rates)):
            raise UserError(f"rates must increase within [0, 1): got {self.rates}; try 0 0.3 0.6")

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=8, rates=(0.0, 0.5), steps=60, batch=32, sequences=400, seeds=8)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve, and the final attention on both neighbours over p."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]
    rates: tuple[float, ...]
    mass: tuple[Interval, ...]
    """By rate."""
    relative_miss: dict[str, float]
    """Largest distance of the leading order, over itself."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Pulls at uniform attention, final kernels and values, over p."""
    process = ar1(config.length, config.correlation)
    power, measured = spectrum(process.autocovariance), {}
    law = jax.tree.map(np.asarray, _law(process.autocovariance, config))
    seeds = jax.random.split(key, config.seeds)
    by_rate = []
    for rate in reported(config.rates, report):
        by_rate.append(_measured(power, jnp.asarray(rate), config, seeds))
    measured = {name: np.stack([np.asarray(each[name]) for each in by_rate], axis=1) for name in by_rate[0]}
    return summary(config, measured, law)


def batch_loss(
    scores: Float[Array, "query key"],
    value: Float[Array, ""],
    tokens: Float[Array, "batch key"],
    hidden: Array,
    position: Array,
) -> Float[Array, ""]:
    """Mean of `theory.masked_error` over a batch: one predicted position each, mask token 0.   [C8]"""
    one = lambda ring, mask, query: theory.masked_error(
        scores, value[None, None], ring[:, None], query, mask, jnp.zeros(1)
    )
    return jax.vmap(one)(tokens, hidden, position).mean()


def _drawn_batch(
    power: Float[Array, " frequency"], rate: Float[Array, ""], count: int, *, key: PRNGKeyArray
) -> tuple[Array, Array, Array]:
    """Sequences, what is hidden in each, and the position to predict, which always is."""
    token_key, mask_key, place_key = jax.random.split(key, 3)
    tokens = sample(power, count, key=token_key)
    position = jax.random.randint(place_key, (count,), 0, len(power))
    hidden = jax.random.bernoulli(mask_key, rate, tokens.shape)
    return tokens, hidden | (jnp.arange(len(power))[None] == position[:, None]), position


def _sampled_gradient(power: Float[Array, " frequency"], rate: Float[Array, ""], batch: int) -> Gradient:
    """(L dl/dS, dl/dv) of `batch_loss` on a fresh batch."""

    def gradient(state: State, key: PRNGKeyArray) -> State:
        drawn = _drawn_batch(power, rate, batch, key=key)
        slope, value_slope = jax.grad(batch_loss, argnums=(0, 1))(*state, *drawn)
        return len(slope) * slope, value_slope

    return gradient


def _population_gradient(autocovariance: Float[Array, " lag"], rate: Float[Array, ""]) -> Gradient:
    """(dl/dg, dl/dv) of `theory.masked_loss` at circulant scores: every row pulls alike."""
    covariance = theory.circulant(autocovariance)[:, None, :, None]

    def loss(kernel: Float[Array, " lag"], value: Float[Array, ""]) -> Float[Array, ""]:
        return theory.masked_loss(theory.circulant(kernel), value[None, None], covariance, rate, jnp.zeros(1))

    return lambda state, _: jax.grad(loss, argnums=(0, 1))(*state)


@functools.partial(jax.jit, static_argnames="config")
def _law(autocovariance: Float[Array, " lag"], config: Config) -> dict[str, Float[Array, "rate ..."]]:
    """Kernel, value and first pull at every p by descent of the closed form."""

    def one(rate: Float[Array, ""]) -> dict[str, Float[Array, "..."]]:
        start = jnp.zeros(config.length), jnp.ones(())
        gradient = _population_gradient(autocovariance, rate)
        scores, value = descend(gradient, start, clock(config), key=jax.random.key(0))
        return _observables(gradient(start, jax.random.key(0))[0], jax.nn.softmax(scores[-1]), value[-1])

    return jax.lax.map(one, jnp.asarray(config.rates))


@functools.partial(jax.jit, static_argnames="config")
@functools.partial(jax.vmap, in_axes=(None, None, None, 0))
def _measured(
    power: Float[Array, " frequency"], rate: Float[Array, ""], config: Config, key: PRNGKeyArray
) -> dict[str, Float[Array, "..."]]:
    pull_key, train_key = jax.random.split(key)
    start = jnp.zeros((config.length,) * 2), jnp.ones(())
    pull = _sampled_gradient(power, rate, config.sequences)(start, pull_key)[0]
    gradient = _sampled_gradient(power, rate, config.batch)
    scores, value = descend(gradient, start, clock(config), key=train_key)
    kernel = theory.circulant_kernel(theory.attention_weights(scores[-1]))
    return _observables(theory.circulant_kernel(pull), kernel, value[-1])


def _observables(
    slope: Float[Array, " lag"], kernel: Float[Array, " lag"], value: Float[Array, ""]
) -> dict[str, Float[Array, "..."]]:
    """What is compared: the first pull to the neighbours, final attention on them and by lag, v."""
    return {"pull": -(slope[1] + slope[-1]), "mass": kernel[1] + kernel[-1], "kernel": kernel, "value": value}


def clock(config: Config) -> Clock:
    """Steps of training, of which the first and the last are kept."""
    return Clock(config.learning_rate, config.steps, 2)


def summary(config: Config, measured: Arrays, law: Arrays) -> tuple[Values, Arrays]:
    """Verdicts on pull, kernel and value over p, and where the pull is strongest."""
    verdicts, bands = compare_all({"pull": (measured["pull"], law["pull"])})
    leading, more = compare_all(
        {name: (measured[name], law[name]) for name in ("mass", "kernel", "value")}, exact=False
    )
    values = Values(
        verdicts | leading,
        WHERE_THEORY_LEAVES,
        config.rates,
        tuple(mean_interval(row, LEVEL) for row in measured["mass"].T),
        {
            name: float(np.abs(measured[name].mean(axis=0) / law[name] - 1).max())
            for name in ("mass", "value")
        },
    )
    return values, bands | more | {"rates": np.array(config.rates)}


WHERE_THEORY_LEAVES = dict.fromkeys(
    ("mass", "kernel", "value"),
    "training on batches ends around the closed form's end, and off it by an amount that falls with the "
    "learning rate",
)
