"""How many score directions labels see through each pool, mask and family of scores: measured ranks.   [C15]

Rank of per-sample gradients by `theory.probe`, for each row of `theory.VISIBILITY`, at uniform attention
and at generic scores, over seeds of tokens and scores. Theory: the table, exact for every L and width.
"""

import dataclasses
import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.runs.config_validation import at_least
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare_all
from sims.statistics.intervals import Interval, proportion_interval
from theory.claims.checks.tolerances import EXACT_FLOAT64

DESCRIPTION = "how many score directions labels see through each pool, mask and family of scores"
SECONDS = 19

POINTS = ("uniform", "general")


@dataclasses.dataclass(frozen=True)
class Config:
    """Visible dimensions of every pool, mask and family of scores in the table."""

    lengths: tuple[int, ...] = (4, 8)
    """Sequence lengths L."""
    width: int = 3
    """d, token width: content-dependent scores have d^2 parameters."""
    samples_per_direction: int = 6
    """Sequences per score direction: enough for each query to be the largest of a max pool often enough."""
    noise: float = 0.5
    """Standard deviation of generic scores around 3 on the diagonal, where each query can be the largest."""
    seeds: int = 3
    """Independent tokens and scores."""

    def __post_init__(self) -> None:
        at_least(2, shortest_length=min(self.lengths, default=0), width=self.width, seeds=self.seeds)
        at_least(2, samples_per_direction=self.samples_per_direction)

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(lengths=(4,), width=2, seeds=2, samples_per_direction=8)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts at both points, and which rows of the table have another rank."""

    inside: dict[str, BandVerdict]
    rows: tuple[str, ...]
    agreement: Interval
    """Share of the measured ranks that are the table's."""
    disagreeing_rows: tuple[str, ...]


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Ranks (seed, row, length) at both points beside the table."""
    return measure(theory.VISIBILITY, config, key=key, report=report)


def measure(
    rows: tuple[theory.Row, ...], config: Config, *, key: PRNGKeyArray, report: Progress = None
) -> tuple[Values, Arrays]:
    """The same for any rows."""
    shape = (config.seeds, len(rows), len(config.lengths))
    ranks = {point: np.zeros(shape) for point in POINTS}
    for index, row in enumerate(reported(rows, report)):
        for number, length in enumerate(config.lengths):
            for seed, seed_key in enumerate(jax.random.split(jax.random.fold_in(key, length), config.seeds)):
                observed = visible_ranks(row, length, config, key=seed_key)
                for point in POINTS:
                    ranks[point][seed, index, number] = observed[point]
    table = {point: _table_of(rows, point, config) for point in POINTS}
    verdicts, arrays = compare_all({point: (ranks[point], table[point]) for point in POINTS})
    equal = np.stack([ranks[point] == table[point][None] for point in POINTS])
    arrays |= {"lengths": np.array(config.lengths), "uniform_ranks": ranks["uniform"]}
    arrays["general_ranks"] = ranks["general"]
    agreement = proportion_interval(int(equal.sum()), equal.size, 0.99)
    names = tuple(row.name for row in rows)
    wrong = tuple(name for name, fine in zip(names, equal.all(axis=(0, 1, 3)), strict=True) if not fine)
    return Values(verdicts, names, agreement, wrong), arrays


def _table_of(rows: tuple[theory.Row, ...], point: str, config: Config) -> np.ndarray:
    """The table's dimensions (row, length)."""
    size = lambda row, length: getattr(row, point)(length, config.width)
    return np.array([[size(row, length) for length in config.lengths] for row in rows], float)


def visible_ranks(row: theory.Row, length: int, config: Config, *, key: PRNGKeyArray) -> dict[str, int]:
    """Ranks at parameters 0 and at generic ones, of one draw of tokens and scores.

    Gradients that are rounding alone, below 1e-12 beside tokens of size 1, span nothing."""
    token_key, score_key = jax.random.split(key)
    tokens = _draw_tokens(row.tokens, length, config, key=token_key)
    shape = row.parameters(length, config.width)
    scores = 3 * jnp.eye(length) + config.noise * jax.random.normal(score_key, (length, length))
    generic = jnp.resize(scores, (math.prod(shape),)).reshape(shape)
    ranks = {}
    for point, at in zip(POINTS, (jnp.zeros_like(generic), generic), strict=True):
        probed = theory.probe(objective(row.read, shape), None, tokens, bias=square(at))
        silent = np.trace(probed.gram) < probed.samples * EXACT_FLOAT64**2
        ranks[point] = 0 if silent else int(probed.spectrum.rank)
    return ranks


@functools.cache
def objective(read: Callable[..., Array], shape: tuple[int, ...]) -> Callable[..., Array]:
    """The mean of a row's reading over sequences; one object per row and shape, hence compiled once."""

    def loss(bias: Array, _: None, batch: Array) -> Array:
        return jax.vmap(lambda one: read(parameters(bias, shape), one))(batch).mean()

    return loss


def _draw_tokens(
    kind: str, length: int, config: Config, *, key: PRNGKeyArray
) -> Float[Array, "sample key width"]:
    """Gaussian tokens, "free", "centred" over each sequence, or "padded" to every number of real ones."""
    samples = config.samples_per_direction * max(length * (length - 1), config.width**2)
    tokens = jax.random.normal(key, (samples, length, config.width))
    if kind == "centred":
        return tokens - tokens.mean(axis=1, keepdims=True)
    if kind == "padded":
        real = 1 + jnp.arange(samples) % length
        return tokens * (jnp.arange(length)[None, :, None] < real[:, None, None]).astype(tokens.dtype)
    return tokens


def square(at: Float[Array, "..."]) -> Float[Array, "query key"]:
    """The parameters as a square matrix, which a probe asks for; a vector becomes its first row."""
    return at if at.ndim == 2 else jnp.zeros((len(at), len(at))).at[0].set(at)


def parameters(matrix: Float[Array, "query key"], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """The inverse of `square`."""
    return matrix if len(shape) == 2 else matrix[0]
