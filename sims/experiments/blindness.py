"""What labels and reconstruction say to the scores of the same minimal model at the same point.

Exact where the theory is exact (label gradients, label losses along circulant directions, ranks);
sampled reconstruction gradients carry intervals over seeds.   [C1, C2, C3, C9, C10]
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.processes import Process, ar1, sample, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.typed import Stored
from sims.statistics.intervals import ROUNDING_DIGITS, Interval, mean_interval
from sims.toy_models.flows import shifted_task
from sims.toy_models.score_gradients import (
    alignment,
    label_gradient_rank,
    mean_label_loss,
    proximity_direction,
    second_moments,
    uniform_value,
)
from theory.label_blindness.subspaces import paired_key_bias_share

DESCRIPTION = "what labels and reconstruction see of the scores: gradients, ranks, losses along directions"
SECONDS = 12


@dataclasses.dataclass(frozen=True)
class Config:
    """Gradient decomposition, visible ranks and losses along directions in the minimal model."""

    length: int = 32
    """L of the gradients and of the losses along directions."""
    correlation: float = 0.8
    """rho of the cyclic AR(1) process."""
    label_shift: float = 0.3
    """Half the distance between the class means: the bag tells the class, so labels have a gradient."""
    head_scale: float = 2.0
    """Weight of the fixed label head: +this or -this, by class."""
    labelled: int = 64
    """Labelled sequences in a batch."""
    sequences: int = 4096
    """Unlabelled sequences in each of the two independent halves of a seed."""
    seeds: int = 8
    """Independent draws of data and of the random direction."""
    lengths: tuple[int, ...] = (4, 8, 16, 32, 64)
    """Lengths at which the rank of the label gradients is measured."""
    width: int = 4
    """d, token width of the rank measurement."""
    magnitudes: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
    """Step sizes along a score direction of mean square 1, at which losses are measured."""

    def __post_init__(self) -> None:
        at_least(3, length=self.length)
        at_least(2, seeds=self.seeds, shortest_length=min(self.lengths, default=0))
        at_least(1, labelled=self.labelled, sequences=self.sequences, width=self.width)
        at_least(2, magnitudes=len(self.magnitudes))
        between(-1, 1, correlation=self.correlation)

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurements in seconds."""
        return cls(length=8, labelled=16, sequences=1024, seeds=3, lengths=(4, 8), magnitudes=(0.0, 1.0, 3.0))


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """What both losses see of the scores."""

    toy: dict[str, Interval]
    """What the comparison shows, over seeds."""
    length: int
    rho: float
    proximity_alignment_population: float
    loss_range: dict[str, Interval]
    """By loss and direction: the largest less the smallest loss along it."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Gradient maps, ranks, losses along directions, and the toy half of the comparison."""
    rank_key, seed_key = jax.random.split(key)
    process = ar1(config.length, config.correlation)
    arrays = visible_ranks(config, key=rank_key)
    if report:
        report(1, 3)
    losses, toy, label_gradients = measure_seeds(process, config, key=seed_key)
    if report:
        report(2, 3)
    value, covariance = uniform_value(process.autocovariance), theory.circulant(process.autocovariance)
    origin = jnp.zeros((config.length, config.length))
    population = theory.reconstruction_score_gradient(origin, value, covariance)
    arrays |= losses | split("label", label_gradients[0]) | split("reconstruction", population)
    arrays["magnitudes"] = np.array(config.magnitudes)
    if report:
        report(3, 3)
    means = {name: mean_interval(per_seed) for name, per_seed in toy.items()}
    ranges = {name: mean_interval(np.ptp(loss, axis=1)) for name, loss in losses.items()}
    return Values(means, config.length, config.correlation, _population_alignment(process), ranges), arrays


def visible_ranks(config: Config, *, key: PRNGKeyArray) -> Arrays:
    """Rank of per-sample label gradients at random scores, over L(L-1), beside 1/L.   [C1]"""
    lengths = np.array(config.lengths)
    longest, width, spare = max(config.lengths), config.width, 8
    score_key, token_key, value_key, head_key = jax.random.split(key, 4)
    scores = jax.random.normal(score_key, (longest, longest))
    tokens = jax.random.normal(token_key, (longest + spare, longest, width))
    value_map = jax.random.normal(value_key, (width, width))
    heads = jax.random.normal(head_key, (longest + spare, width))
    ranks = [
        label_gradient_rank(scores[:n, :n], tokens[: n + spare, :n], value_map, heads[: n + spare])
        for n in config.lengths
    ]
    return {
        "lengths": lengths,
        "visible_rank": np.array(ranks),
        "visible_share_measured": np.array(ranks) / (lengths * (lengths - 1)),
        "visible_share_predicted": np.array([theory.isotropic_visible_share(n) for n in config.lengths]),
    }


def split(name: str, gradient: Float[Array, "query key"]) -> Arrays:
    """A score gradient and its two parts that softmax can feel, under the names they are stored by."""
    parts = theory.decompose(gradient)
    named = {"gradient": gradient, "key_bias": parts.key_bias, "doubly_centred": parts.doubly_centred}
    return {f"{name}_{part}": np.asarray(array) for part, array in named.items()}


def _population_alignment(process: Process) -> float:
    """`alignment` of the exact proximity law with the proximity direction: 1 at the settled value.   [C10]"""
    law = theory.proximity_law(uniform_value(process.autocovariance), process.autocovariance)
    return float(alignment(-theory.circulant(law), proximity_direction(process.autocovariance)))


def measure_seeds(
    process: Process, config: Config, *, key: PRNGKeyArray
) -> tuple[Arrays, Arrays, Float[Array, "seed query key"]]:
    """Over seeds: losses along directions, the toy's numbers, and the label gradients at S = 0."""
    power, proximity = spectrum(process.autocovariance), proximity_direction(process.autocovariance)
    value, keys = uniform_value(process.autocovariance), jax.random.split(key, config.seeds)
    losses, toy, label_gradients = _measure_seeds(power, proximity, value, config, keys)
    return (
        {name: np.asarray(loss) for name, loss in losses.items()},
        {name: np.asarray(number).round(ROUNDING_DIGITS) for name, number in toy.items()},
        label_gradients,
    )


@functools.partial(jax.jit, static_argnames="config")
@functools.partial(jax.vmap, in_axes=(None, None, None, None, 0))
def _measure_seeds(
    power: Float[Array, " frequency"],
    proximity: Float[Array, "query key"],
    value: Float[Array, ""],
    config: Config,
    key: PRNGKeyArray,
) -> tuple[dict[str, Array], dict[str, Array], Float[Array, "query key"]]:
    batch_key, random_key, token_key = jax.random.split(key, 3)
    batch, labels = shifted_task(power, config.labelled, config.label_shift, key=batch_key)
    head = config.head_scale * jnp.array([[-1.0], [1.0]])
    anywhere = jax.random.normal(random_key, proximity.shape)
    tokens = sample(power, 2 * config.sequences, key=token_key)
    halves = second_moments(tokens[: config.sequences]), second_moments(tokens[config.sequences :])

    def labelled(scores: Float[Array, "query key"]) -> Float[Array, ""]:
        return mean_label_loss(scores, batch, head, labels)

    def hidden(scores: Float[Array, "query key"]) -> Float[Array, ""]:
        return theory.reconstruction_loss(scores, value, halves[0])

    origin, sizes = jnp.zeros_like(proximity), jnp.asarray(config.magnitudes)
    label = jax.grad(labelled)(origin)
    first, second = (theory.reconstruction_score_gradient(origin, value, half) for half in halves)
    losses = {
        "label_loss": jax.lax.map(lambda size: labelled(size * proximity), sizes),
        "label_loss_control": jax.lax.map(lambda size: labelled(size * anywhere), sizes),
        "reconstruction_loss": jax.lax.map(lambda size: hidden(size * proximity), sizes),
    }
    toy = {
        "visible_share": theory.key_bias_share(label),
        "visible_share_reconstruction": paired_key_bias_share(first, second),
        "proximity_alignment": alignment(first + second, proximity),
        "proximity_alignment_label": alignment(label, proximity),
    }
    return losses, toy, label
