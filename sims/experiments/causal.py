"""The pull on attention along each lag: next-token prediction against masking, on sampled sequences.   [C18]

Gradients by automatic differentiation of the sampled losses at uniform attention; theory: the exact law
of C18 for causal attention on a line, and that of C10 for masking on a ring. Lags count from the target,
towards the past for causal attention, both ways together for masking. Pulls are per unit of value,
-(dl/dS)/v, so that a fitted value of 0 does not make silence trivial.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

import theory
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL, BandVerdict, compare_all
from sims.statistics.intervals import Interval, mean_interval
from sims.toy_models.flows import masked_batch_loss
from sims.toy_models.score_gradients import uniform_value

DESCRIPTION = "the pull along each lag: next-token prediction against masking"
SECONDS = 7

MEMORIES = ("short", "long")
_ZERO_VALUE_SUBSTITUTE = (
    1e-3  # the value in place of a fitted one of 0, where pulls per unit of value are a limit
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Pulls along each lag under causal and masked pretraining, for short and for long memory."""

    length: int = 32
    """L, tokens per sequence."""
    correlation: float = 0.6
    """rho: short memory is AR(1), C(r) = rho^r."""
    turn: float = 0.8
    """Long memory is C(r) = rho^r cos(turn r), in radians."""
    value: float = 0.5
    """Value v before training, where the skip is 0."""
    lags: int = 8
    """Number of lags reported, from 1."""
    sequences: int = 256
    """Sequences per seed."""
    seeds: int = 128
    """Independent draws of the sequences."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, sequences=self.sequences, seeds=self.seeds)
        at_least(1, lags=self.lags)
        between(0, 1, correlation=self.correlation)
        if self.lags > (self.length - 1) // 2:
            highest = (self.length - 1) // 2
            raise UserError(f"lags must be at most half the ring, {highest}: got {self.lags}; try {highest}")

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=10, lags=4, sequences=64, seeds=24)


@dataclasses.dataclass(frozen=True)
class Readout(Stored):
    """What is fitted beside attention, with one memory."""

    skip: float
    value: float
    masked_value: float


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts and largest pulls by curve, fitted readouts by memory."""

    inside: dict[str, BandVerdict]
    readouts: dict[str, Readout]
    visible_share_of_law: float
    """Share of the next-token law that causal labels see."""
    largest_pull: dict[str, Interval]


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Pulls at the start and at the fitted readout, both memories, both losses."""
    curves, readouts = {}, {}
    for index, memory in enumerate(reported(MEMORIES, report)):
        line, ring = autocovariances(memory, config)
        skip, value = (float(each) for each in jax.jit(theory.fitted_readout)(line))
        masked_value = float(jax.jit(uniform_value)(ring))
        readouts[memory] = Readout(skip, value, masked_value)
        still = value if abs(value) > _ZERO_VALUE_SUBSTITUTE else _ZERO_VALUE_SUBSTITUTE
        points = jnp.asarray([[0.0, config.value, config.value], [skip, still, masked_value]])
        keys = jax.random.split(jax.random.fold_in(key, index), config.seeds)
        measured = _sampled_slopes(line, ring, points, config, keys)
        predicted = _laws(line, ring, points, config.lags)
        for (loss, samples), law in zip(measured.items(), predicted, strict=True):
            for at, moment in enumerate(("start", "fitted")):
                curves[f"{memory}_{loss}_{moment}"] = (np.asarray(samples[:, at]), np.asarray(law[at]))
    verdicts, arrays = compare_all(curves)
    arrays["lags"] = np.arange(1, config.lags + 1)
    return Values(verdicts, readouts, visible_share_of_law(config), largest_pull(curves)), arrays


@functools.partial(jax.jit, static_argnames=("memory", "config"))
def autocovariances(memory: str, config: Config) -> tuple[Float[Array, " lag"], Float[Array, " lag"]]:
    """C(r) on a line, and on a ring: the same, wrapped, with the far side added."""
    lags = jnp.arange(float(config.length))
    turn = config.turn if memory == "long" else 0.0
    at = lambda distance: config.correlation**distance * jnp.cos(turn * distance)
    wrapped = at(lags) + jnp.where(lags > 0, at(config.length - lags), 0.0)
    return at(lags), wrapped


def visible_share_of_law(config: Config) -> float:
    """Share of the next-token law, early in training and without a skip, that causal labels see."""
    line, _ = autocovariances("short", config)
    share = jax.jit(lambda kernel: theory.causal_visible_share(theory.next_token_law(1e-6, kernel)))
    return float(share(line))


def largest_pull(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Interval]:
    """The pull at the lag where the law's is largest, with its 99% interval, for each curve."""
    at = {name: np.abs(law).argmax() for name, (_, law) in curves.items()}
    return {name: mean_interval(curves[name][0][:, lag], LEVEL) for name, lag in at.items()}


@functools.partial(jax.jit, static_argnames="lags")
def _laws(
    line: Float[Array, " lag"], ring: Float[Array, " lag"], points: Float[Array, "point 3"], lags: int
) -> tuple[Float[Array, "point shown"], Float[Array, "point shown"]]:
    causal = lambda point: theory.next_token_lag_law(point[1], line, point[0])[1 : lags + 1] / point[1]
    both_ways = lambda point: 2 * len(ring) / point[2] * theory.proximity_law(point[2], ring)[1 : lags + 1]
    return jax.vmap(causal)(points), jax.vmap(both_ways)(points)


@functools.partial(jax.jit, static_argnames="config")
def _sampled_slopes(
    line: Float[Array, " lag"],
    ring: Float[Array, " lag"],
    points: Float[Array, "point 3"],
    config: Config,
    keys: Key[Array, " seed"],
) -> dict[str, Float[Array, "seed point shown"]]:
    root = jnp.linalg.cholesky(theory.toeplitz(line))
    around = jnp.linalg.cholesky(theory.circulant(ring))
    flat = jnp.zeros_like(root)

    def one(key: PRNGKeyArray) -> dict[str, Float[Array, "point shown"]]:
        line_key, ring_key, hidden_key = jax.random.split(key, 3)
        shape = (config.sequences, config.length)
        tokens = jax.random.normal(line_key, shape) @ root.T
        wrapped = jax.random.normal(ring_key, shape) @ around.T
        hidden = jax.random.randint(hidden_key, shape[:1], 0, config.length)

        def at(point: Float[Array, " 3"]) -> dict[str, Float[Array, " lag"]]:
            ahead = jax.grad(_next_token_batch_loss)(flat, point[1], point[0], tokens)
            masked = jax.grad(masked_batch_loss)(flat, point[2], wrapped, hidden)
            circular = config.length * theory.circulant_kernel(masked)
            near = jnp.arange(1, config.lags + 1)
            past = jnp.stack([jnp.trace(ahead, offset=1 - lag) for lag in range(1, config.lags + 1)])
            return {
                "causal": -past / point[1],
                "masked": -(circular[near] + circular[-near]) / point[2],
            }

        return jax.lax.map(at, points)

    return jax.lax.map(one, keys)


def _next_token_batch_loss(
    scores: Float[Array, "query key"],
    value: Float[Array, ""],
    skip: Float[Array, ""],
    tokens: Float[Array, "batch length"],
) -> Float[Array, ""]:
    """1/2 mean over sequences and queries i < L-1 of (x_{i+1} - w x_i - v sum_k A_ik x_k)^2.   [C18]"""
    written = value * tokens @ theory.causal_weights(scores).T + skip * tokens
    return 0.5 * jnp.mean((tokens[:, 1:] - written[:, :-1]) ** 2)
