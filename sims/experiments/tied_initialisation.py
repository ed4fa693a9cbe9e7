"""Attention by distance before any training: query and key maps tied, or independent.   [C14]

Heads with sinusoidal encodings at several scales of initialisation, many draws. Theory: the mean score
of tied maps, exact; and attention ~ E exp S, to leading order in 1/k for k features of a head.
"""

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

import theory
from sims.runs.config_validation import at_least
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare_all
from sims.statistics.intervals import Interval, mean_interval
from theory.probes.proximity import proximity_index
from theory.reconstruction.masked_loss import Scalar

DESCRIPTION = "attention by distance before training, query and key maps tied or independent"
SECONDS = 22

SCALES = {"linear": 1 / 3, "joint_xavier": 1 / 2, "linear_normalised": 1 / 3, "xavier": 1.0}
"""Width times the variance of a map's entries. `linear` is PyTorch's nn.Linear; `joint_xavier` is the joint
matrix (3 width, width) of nn.MultiheadAttention; `xavier` is a square one; `linear_normalised` is nn.Linear
on encodings that went through LayerNorm."""
_UNTIED = ("linear", "xavier")  # where independent maps are drawn too: the smallest and the largest scores
_STATEMENT = (
    4.0  # "4x the uniform mass on |i - j| <= 1", measured once at L = 1024, width 512, 8 heads   [C14]
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Attention by distance at initialisation, for tied and independent query and key maps."""

    length: int = 1024
    """L, tokens per sequence."""
    width: int = 512
    """Width of the sinusoidal encodings."""
    heads: int = 8
    """Attention heads; each has width / heads features."""
    window: int = 1
    """Half-width of the window whose attention mass is compared with the uniform one."""
    distances: int = 32
    """Number of distances |i - j| reported, from 0."""
    draws: int = 20
    """Independent heads per scale."""

    def __post_init__(self) -> None:
        at_least(2, length=self.length, width=self.width, draws=self.draws, distances=self.distances)
        at_least(1, heads=self.heads, window=self.window)
        if self.width % 2 or self.width % self.heads:
            raise UserError(
                f"width must be even and heads must divide it: got width={self.width}, heads={self.heads}; "
                f"try heads=1, width={self.width + self.width % 2}"
            )
        if self.distances > self.length:
            raise UserError(
                f"distances must be at most length={self.length}: got {self.distances}; try {self.length}"
            )

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=48, width=64, heads=2, distances=8, draws=64)

    @property
    def features(self) -> int:
        """k, columns of a head's maps."""
        return self.width // self.heads


@dataclasses.dataclass(frozen=True)
class WindowMass(Interval):
    """Attention's mass near the query over the uniform one, with its 99 % interval over draws."""

    theory: float = dataclasses.field(kw_only=True)
    mean_score_on_itself: float = dataclasses.field(kw_only=True)
    per_draw: tuple[float, float] = dataclasses.field(kw_only=True)
    """Its smallest and largest value in single draws."""


@dataclasses.dataclass(frozen=True)
class Statement(Stored):
    """The mass that was once measured, and which settings reach it."""

    mass: float
    in_interval: tuple[str, ...]
    in_single_draws: tuple[str, ...]
    mean_score_needed: float | None


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve, and the mass near the query by setting."""

    inside: dict[str, BandVerdict]
    proximity: dict[str, WindowMass]
    window: int
    statement: Statement


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Mean scores, attention by distance and mass near the query; each scale, tied and independent."""
    exact, leading, mass = {}, {}, {}
    for index, name in enumerate(reported(SCALES, report)):
        keys = jax.random.split(jax.random.fold_in(key, index), config.draws)
        positions = encodings(name, config)
        variance = SCALES[name] / config.width
        for tie in ("tied", "independent") if name in _UNTIED else ("tied",):
            quantities = _draws(positions, jnp.asarray(variance), tie == "tied", config, keys)
            measured = {quantity: np.asarray(each) for quantity, each in quantities.items()}
            quantities = laws(_kernel_of(positions), variance, tie == "tied", config)
            law = {quantity: np.asarray(each) for quantity, each in quantities.items()}
            exact[f"{name}_{tie}_score"] = measured["score"], law["score"]
            leading[f"{name}_{tie}_attention"] = measured["attention"], law["attention"]
            leading[f"{name}_{tie}_mass"] = measured["mass"][:, None], law["mass"][None]
            mass[f"{name}_{tie}"] = WindowMass(
                **vars(mean_interval(measured["mass"], 0.99)),
                theory=float(law["mass"]),
                mean_score_on_itself=float(law["score"][0]),
                per_draw=(float(measured["mass"].min()), float(measured["mass"].max())),
            )
    verdicts, arrays = compare_all(exact)
    more, further = compare_all(leading, exact=False)
    arrays |= further | {"distances": np.arange(config.distances)}
    return Values(verdicts | more, mass, config.window, statement(mass, config)), arrays


def statement(mass: Mapping[str, WindowMass], config: Config) -> Statement:
    """Which settings reach the mass that was once measured, and the mean score tau on itself that does."""
    tied = {name: interval for name, interval in mass.items() if name.endswith("_tied")}
    within = lambda low, high: low <= _STATEMENT <= high
    kernel = theory.sinusoidal_kernel(config.length, config.width)
    per_score = 1 / (config.features**0.5 * kernel[0])
    weight = lambda score: theory.tied_log_weight(kernel, score * per_score, config.features)
    scores = jnp.linspace(0.0, 4.0, 81)
    masses = jax.lax.map(lambda score: theory.proximity(weight(score), config.window), scores)
    return Statement(
        _STATEMENT,
        tuple(name for name, interval in tied.items() if within(interval.low, interval.high)),
        tuple(name for name, interval in tied.items() if within(*interval.per_draw)),
        mean_score_needed=float(np.interp(_STATEMENT, masses, scores, right=np.nan)),
    )


def encodings(scale: str, config: Config) -> Float[Array, "length width"]:
    """Sinusoidal encodings, through LayerNorm where the scale says so."""
    positions = np.asarray(theory.sinusoidal_positions(config.length, config.width))
    if scale == "linear_normalised":
        positions = positions - positions.mean(axis=1, keepdims=True)
        positions = positions / positions.std(axis=1, keepdims=True)
    return jnp.asarray(positions)


def _kernel_of(positions: Float[Array, "length width"]) -> Float[Array, " lag"]:
    """mean_i p_i . p_{i+r}: the kernel itself for sinusoids; for normalised ones its mean over queries."""
    gram = np.asarray(positions @ positions.T)
    return jnp.asarray([np.trace(gram, offset=lag) / (len(gram) - lag) for lag in range(len(gram))])


@functools.partial(jax.jit, static_argnames=("tied", "config"))
def laws(
    kernel: Float[Array, " lag"], variance: Scalar, tied: bool, config: Config
) -> dict[str, Float[Array, "..."]]:
    """Mean score, attention over uniform, and mass in the window, of the claim."""
    weight = theory.independent_log_weight(kernel, variance, config.features)
    score = jnp.zeros_like(kernel)
    if tied:
        weight = theory.tied_log_weight(kernel, variance, config.features)
        score = theory.tied_score_mean(kernel, variance, config.features)
    lags = jnp.arange(config.length)
    attention = jax.nn.softmax(weight[jnp.abs(lags[:, None] - lags[None, :])], axis=1)
    return {
        "score": score[: config.distances],
        "attention": _by_distance(attention, config.distances) * config.length,
        "mass": theory.proximity(weight, config.window),
    }


def _by_distance(matrix: Float[Array, "query key"], distances: int) -> Float[Array, " distance"]:
    """The mean of a matrix over the pairs at each distance |i - j|."""
    length = len(matrix)
    both = lambda lag: (jnp.trace(matrix, offset=lag) + jnp.trace(matrix, offset=-lag)) / (2 * (length - lag))
    return jnp.stack([both(lag) for lag in range(distances)])


@functools.partial(jax.jit, static_argnames=("tied", "config"))
def _draws(
    positions: Float[Array, "length width"],
    variance: Float[Array, ""],
    tied: bool,
    config: Config,
    keys: Key[Array, " draw"],
) -> dict[str, Float[Array, "draw ..."]]:
    shape = (2, config.width, config.features)
    bound = jnp.sqrt(3 * variance)

    def one(key: PRNGKeyArray) -> dict[str, Float[Array, "..."]]:
        maps = jax.random.uniform(key, shape, minval=-bound, maxval=bound)
        scores = theory.position_scores(positions, maps[0], maps[0] if tied else maps[1])
        weights = theory.attention_weights(scores)
        return {
            "score": _by_distance(scores, config.distances),
            "attention": _by_distance(weights, config.distances) * config.length,
            "mass": proximity_index(weights, config.window),
        }

    return jax.lax.map(one, keys)
