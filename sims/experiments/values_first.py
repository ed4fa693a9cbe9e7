"""Values first, scores later: two time scales of reconstruction over the length.   [C11]

Gradient flow of the value and of all L^2 scores together, from v = 0 and uniform attention, on sampled
sequences. Time = learning rate x steps on the value and on each score alike. Two theories stand beside
it: the reduced flow of the population loss [C12], exact; and the closed forms 1/kappa and
(unit of score)/law(v*), exact to first order in the scores.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

import theory
from sims.processes import ar1, sample, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare, compare_all
from sims.statistics.exponents import Fitted, exponent, powers
from sims.toy_models.score_gradients import second_moments

DESCRIPTION = "how long values take to settle and scores to move, over the length"
SECONDS = 11

State = tuple[Float[Array, "..."], Float[Array, ""]]
LOOKED_AT = (1, 6, 8)  # in value times; after 6 of them the value lacks e^-6 of its way
_STAGES = ((0.0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1.0, 1 / 6))  # Runge and Kutta: how far ahead, weight
NAMES = ("value_time", "score_time", "ratio")


@dataclasses.dataclass(frozen=True)
class Config:
    """The time a value takes to settle, and a score to move by one, over the length."""

    lengths: tuple[int, ...] = (16, 32, 64, 128)
    """Sequence lengths L, at least two."""
    correlation: float = 0.5
    """rho of the AR(1) process."""
    sequences: int = 1024
    """Sequences per seed; the flow uses their second moments."""
    seeds: int = 32
    """Independent draws of the sequences."""
    steps_per_time: int = 5
    """Runge-Kutta steps in one value time."""

    def __post_init__(self) -> None:
        at_least(3, shortest_length=min(self.lengths, default=0))
        at_least(2, lengths=len(self.lengths), seeds=self.seeds)
        at_least(1, sequences=self.sequences, steps_per_time=self.steps_per_time)
        between(-1, 1, correlation=self.correlation)
        if self.correlation == 0:
            raise UserError("correlation must not be 0, where nothing moves: got 0.0; try 0.5")

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(lengths=(8, 16), sequences=256, seeds=8)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts, exponents in L and the distance from first order, by time."""

    inside: dict[str, BandVerdict]
    exponents: dict[str, Fitted]
    distance_from_first_order: dict[str, tuple[float, ...]]
    """By length, over first order itself."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Both times and their ratio by length, measured, by the reduced flow and in closed form."""
    measured, reduced, closed = [], [], []
    for index, length in enumerate(reported(config.lengths, report)):
        autocovariance = ar1(length, config.correlation).autocovariance
        keys = jax.random.split(jax.random.fold_in(key, index), config.seeds)
        measured.append(np.asarray(measure(autocovariance, config, keys)))
        reduced.append(np.asarray(reduced_times(autocovariance, config)))
        closed.append(np.asarray(_closed_times(autocovariance)))
    return summary(config, np.stack(measured, axis=-1), np.stack(reduced, axis=-1), np.stack(closed, axis=-1))


def summary(
    config: Config, measured: np.ndarray, reduced: np.ndarray, closed: np.ndarray
) -> tuple[Values, Arrays]:
    """Verdicts and exponents of all quantities; arrays ([seed,] quantity, length)."""
    lengths = np.array(config.lengths, float)
    verdicts, arrays = compare_all({n: (measured[:, i], reduced[i]) for i, n in enumerate(NAMES)})
    arrays["lengths"] = np.array(config.lengths)
    exponents = {}
    for i, (name, limit) in enumerate(zip(NAMES, (1.0, 2.0, 1.0), strict=True)):
        verdicts[f"{name}_first_order"], _ = compare(measured[:, i], closed[i], exact=False)
        arrays[f"{name}_first_order"] = closed[i]
        fit = exponent(lengths, measured[:, i], reduced[i], limit)
        exponents[name] = dataclasses.replace(fit, first_order=float(powers(lengths, closed[i])))
    gap = np.abs(measured.mean(axis=0) / closed - 1)
    distance = {name: tuple(gap[i].tolist()) for i, name in enumerate(NAMES)}
    return Values(verdicts, exponents, distance), arrays


@jax.jit
def _closed_times(autocovariance: Float[Array, " lag"]) -> Float[Array, " quantity"]:
    """1/kappa, what a unit of score at lag 1 takes once the value has settled, and their ratio.   [C11]"""
    ratio = theory.time_ratio(autocovariance)[1]
    value_time = 1 / theory.value_rate(autocovariance)
    return jnp.stack([value_time, ratio * value_time, ratio])


@functools.partial(jax.jit, static_argnames="config")
def reduced_times(autocovariance: Float[Array, " lag"], config: Config) -> Float[Array, " quantity"]:
    """The same by the flow of L + 1 numbers under the population loss, per-score clock.   [C12]"""
    length = len(autocovariance)

    def descent(kernel: Float[Array, " lag"], value: Float[Array, ""]) -> State:
        by_kernel = theory.reconstruction_kernel_gradient(kernel, value, autocovariance) / length
        return -by_kernel, -theory.reduced_value_gradient(kernel, value, autocovariance)

    return times(descent, jnp.zeros(length), lambda kernel: kernel[1] - kernel.mean(), autocovariance, config)


def measure(
    autocovariance: Float[Array, " lag"], config: Config, keys: Key[Array, " seed"]
) -> Float[Array, "seed quantity"]:
    """The same by the flow of all scores on each seed's own sequences."""
    return _measure(autocovariance, spectrum(autocovariance), config, keys)


@functools.partial(jax.jit, static_argnames="config")
def _measure(
    autocovariance: Float[Array, " lag"],
    power: Float[Array, " frequency"],
    config: Config,
    keys: Key[Array, " seed"],
) -> Float[Array, "seed quantity"]:
    length = len(power)

    def one(key: PRNGKeyArray) -> Float[Array, " quantity"]:
        moments = second_moments(sample(power, config.sequences, key=key))

        def descent(scores: Float[Array, "query key"], value: Float[Array, ""]) -> State:
            by_scores = theory.reconstruction_score_gradient(scores, value, moments)
            return -by_scores, -theory.reconstruction_value_gradient(scores, value, moments)

        neighbours = lambda scores: theory.circulant_kernel(scores)[1] - scores.mean()
        return times(descent, jnp.zeros((length, length)), neighbours, autocovariance, config)

    return jax.lax.map(one, keys)


def times(
    descent: Callable[..., State],
    scores: Float[Array, "..."],
    neighbours: Callable[[Float[Array, "..."]], Float[Array, ""]],
    autocovariance: Float[Array, " lag"],
    config: Config,
) -> Float[Array, " quantity"]:
    """Both times as a flow shows them: 1/kappa from how far v is then, and the time per unit of a
    neighbour's score, from 6/kappa to 8/kappa."""
    unit = 1 / theory.value_rate(autocovariance)
    per = config.steps_per_time

    def advance(state: State, _: None) -> tuple[State, tuple[Array, Array]]:
        after = runge_kutta_step(descent, state, unit / per)
        return after, (after[1], neighbours(after[0]))

    _, (value, score) = jax.lax.scan(advance, (scores, jnp.zeros(())), length=LOOKED_AT[-1] * per)
    first, middle, last = (number * per - 1 for number in LOOKED_AT)
    value_time = -unit / jnp.log1p(-value[first] / theory.fitted_value(autocovariance))
    score_time = (LOOKED_AT[2] - LOOKED_AT[1]) * unit / (score[last] - score[middle])
    return jnp.stack([value_time, score_time, score_time / value_time])


def runge_kutta_step(descent: Callable[..., State], state: State, duration: Float[Array, ""]) -> State:
    """One step of the classical fourth-order method; its error here is far below any band."""

    def stage(carry: tuple[State, State], ahead_weight: Array) -> tuple[tuple[State, State], None]:
        speed, total = carry
        ahead, weight = ahead_weight
        speed = descent(*jax.tree.map(lambda at, one: at + ahead * duration * one, state, speed))
        return (speed, jax.tree.map(lambda old, one: old + weight * one, total, speed)), None

    still = jax.tree.map(jnp.zeros_like, state)
    (_, mean_speed), _ = jax.lax.scan(stage, (still, still), jnp.asarray(_STAGES))
    return jax.tree.map(lambda at, one: at + duration * one, state, mean_speed)
