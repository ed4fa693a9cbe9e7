"""The sign of the first value decides between neighbours and their opposite: a toy on runs of +-1.   [C24]

Gradient flow of the value and of all L^2 scores from uniform attention, on sampled rings: over the share of
rings with equal counts, which moves the sum of C(r) at one C(1), from v = 0; and over the value that rings
of equal counts start from. The reduced flow of the population loss [C12], exact, stands beside it, and the
threshold in closed form. A seed's own moments differ from the population's, a bias of order 1/sequences in
what the flow ends with: the narrow bands over the start resolve it. Time = learning rate x steps on the
value and on each score alike.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.experiments.values_first import State, runge_kutta_step
from sims.processes import Process, mixed_runs
from sims.runs.config_validation import at_least
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare_all
from sims.toy_models.score_gradients import second_moments
from theory.probes.proximity import proximity_index

DESCRIPTION = "attention to neighbours or away from them, over the spread of a sum and over the first value"
SECONDS = 24

WINDOW = 2  # |i - j| <= 2 counts as near
STEP = 1.5  # well below 2.8 over the largest curvature, the variance of a token


@dataclasses.dataclass(frozen=True)
class Config:
    """Where attention goes over the spread of a sequence's sum, and over the value that it starts from."""

    length: int = 24
    """L, tokens per ring, a multiple of 8; a quarter as many runs."""
    balanced: tuple[float, ...] = (0.0, 0.2, 0.4, 0.8, 0.9, 1.0)
    """Shares of rings with equal counts; near two thirds the sum of C(r) over r != 0 is 0."""
    starts: tuple[float, ...] = (-0.5, 0.0, 0.5, 0.8, 1.25, 1.6, 2.0)
    """Initial values v(0), in units of the threshold v0*, at equal counts."""
    duration: float = 8.0
    """Training time, in units of L^(3/2)."""
    sequences: int = 65536
    """Rings per seed; the flow uses their second moments."""
    seeds: int = 8
    """Independent draws of the rings."""

    def __post_init__(self) -> None:
        at_least(2, seeds=self.seeds, balanced=len(self.balanced), starts=len(self.starts))
        at_least(1, sequences=self.sequences)
        if self.length < 8 or self.length % 8:
            fits = max(8, self.length // 8 * 8)
            raise UserError(f"length must be a multiple of 8: got {self.length}; try {fits}")
        if self.duration <= 0:
            raise UserError(f"duration must be above 0: got {self.duration}; try 8.0")

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(8, (0.0, 1.0), (0.5, 1.6), duration=4.0, sequences=4096, seeds=4)

    def rings(self, balanced: float) -> Process:
        """Rings of which this share has equal counts."""
        return mixed_runs(self.length, self.length // 4, balanced)

    @property
    def steps(self) -> int:
        """Of Runge and Kutta."""
        return int(np.ceil(self.duration * self.length**1.5 / STEP))


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve, and the first value at which attention turns."""

    inside: dict[str, BandVerdict]
    threshold: float
    length: int


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """The proximity index at the end, measured and by the reduced flow, over the dial and over the start."""
    threshold = float(theory.flip_threshold(config.rings(1.0).autocovariance))
    settings = [(share, 0.0) for share in config.balanced]
    settings += [(1.0, share * threshold) for share in config.starts]
    measured, predicted = [], []
    for index, (share, start) in enumerate(reported(settings, report)):
        rings, seeds = config.rings(share), jax.random.split(jax.random.fold_in(key, index), config.seeds)
        drawn = [second_moments(rings.sample(seed, config.sequences)) for seed in seeds]
        measured.append(np.asarray(measure(jnp.stack(drawn), jnp.asarray(start), config)))
        predicted.append(float(reduced(rings.autocovariance, jnp.asarray(start), config)))
    indices, claimed, shares = np.stack(measured, axis=1), np.array(predicted), len(config.balanced)
    verdicts, arrays = compare_all({"dial": (indices[:, :shares], claimed[:shares])})
    starts, more = compare_all({"start": (indices[:, shares:], claimed[shares:])}, exact=False)
    excess = [float(theory.sum_excess(config.rings(share).autocovariance)) for share in config.balanced]
    arrays |= more | {"sum_excess": np.array(excess), "starts": np.array(config.starts)}
    return Values(verdicts | starts, threshold, config.length), arrays


def end(descent: Callable[..., State], scores: Float[Array, "..."], start: Array, config: Config) -> State:
    """The state after the flow's whole duration."""
    step = jnp.asarray(config.duration * config.length**1.5 / config.steps)
    return jax.lax.fori_loop(
        0, config.steps, lambda _, state: runge_kutta_step(descent, state, step), (scores, start)
    )


@functools.partial(jax.jit, static_argnames="config")
def reduced(
    autocovariance: Float[Array, " lag"], start: Float[Array, ""], config: Config
) -> Float[Array, ""]:
    """The proximity index by the flow of L + 1 numbers under the population loss, per-score clock.   [C12]"""
    length = len(autocovariance)

    def descent(kernel: Float[Array, " lag"], value: Float[Array, ""]) -> State:
        by_kernel = theory.reconstruction_kernel_gradient(kernel, value, autocovariance) / length
        return -by_kernel, -theory.reduced_value_gradient(kernel, value, autocovariance)

    kernel, _ = end(descent, jnp.zeros(length), start, config)
    return proximity_index(theory.attention_weights(theory.circulant(kernel)), WINDOW, cyclic=True)


@functools.partial(jax.jit, static_argnames="config")
def measure(
    moments: Float[Array, "seed key other"], start: Float[Array, ""], config: Config
) -> Float[Array, " seed"]:
    """The same by the flow of all scores on each seed's own rings."""

    def one(moments: Float[Array, "key other"]) -> Float[Array, ""]:
        def descent(scores: Float[Array, "query key"], value: Float[Array, ""]) -> State:
            by_scores = theory.reconstruction_score_gradient(scores, value, moments)
            return -by_scores, -theory.reconstruction_value_gradient(scores, value, moments)

        scores, _ = end(descent, jnp.zeros_like(moments), start, config)
        return proximity_index(theory.attention_weights(scores), WINDOW, cyclic=True)

    return jax.lax.map(one, moments)
