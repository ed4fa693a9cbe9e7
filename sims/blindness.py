"""What labels and reconstruction say to the scores of the same minimal model at the same point.

Exact where the theory is exact (label gradients, label losses along circulant directions, ranks);
sampled reconstruction gradients carry intervals over seeds.   [C1, C2, C3, C9, C10]
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.flows import shifted_task
from sims.intervals import mean_interval
from sims.processes import Process, ar1, sample, spectrum
from sims.score_gradients import (
    alignment,
    mean_label_loss,
    paired_key_bias_share,
    proximity_direction,
    second_moments,
    uniform_value,
)

Progress = Callable[[int, int], None] | None
Arrays = dict[str, np.ndarray]


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
    """Standard deviation of the random head's entries."""
    labelled: int = 64
    """Labelled sequences in a batch."""
    sequences: int = 4096
    """Unlabelled sequences in each of the two independent halves of a seed."""
    seeds: int = 8
    """Independent draws of data and head."""
    lengths: tuple[int, ...] = (4, 8, 16, 32, 64)
    """Lengths at which the rank of the label gradients is measured."""
    width: int = 4
    """d, token width of the rank measurement."""
    magnitudes: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
    """Multiples of a direction of mean square 1 along which losses are measured."""

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurements in seconds."""
        return cls(length=8, labelled=16, sequences=1024, seeds=3, lengths=(4, 8), magnitudes=(0.0, 1.0, 3.0))


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[dict[str, object], Arrays]:
    """Gradient maps, ranks, losses along directions, and the toy half of the comparison."""
    rank_key, map_key, line_key, toy_key = jax.random.split(key, 4)
    process = ar1(config.length, config.correlation)
    parts: list[Callable[[], Arrays]] = [
        lambda: visible_ranks(config, key=rank_key),
        lambda: gradient_maps(process, config, key=map_key),
        lambda: losses_along(process, config, key=line_key),
        lambda: toy_numbers(process, config, key=toy_key),
    ]
    found: list[Arrays] = []
    for part in parts:
        found.append(part())
        if report:
            report(len(found), len(parts))
    arrays = found[0] | found[1] | found[2]
    values = {
        "toy": {name: mean_interval(per_seed).as_json() for name, per_seed in found[3].items()},
        "length": config.length,
        "rho": config.correlation,
        "proximity_alignment_predicted": predicted_alignment(process),
        "loss_range": {
            name: mean_interval(np.ptp(arrays[name], axis=1)).as_json()
            for name in ("label_loss", "label_loss_control", "reconstruction_loss")
        },
    }
    return values, arrays


def predicted_alignment(process: Process) -> float:
    """Cosine of the exact with the leading-order proximity law: below 1 by order 1/L.   [C10]"""
    law = theory.proximity_law(uniform_value(process.autocovariance), process.autocovariance)
    return float(alignment(-theory.circulant(law), proximity_direction(process.autocovariance)))


def visible_ranks(config: Config, *, key: PRNGKeyArray) -> Arrays:
    """Rank of per-sample label gradients at random scores, over L(L-1), beside 1/L.   [C1]"""
    lengths = np.array(config.lengths)
    ranks = np.array([visible_rank(n, config.width, key=jax.random.fold_in(key, n)) for n in config.lengths])
    return {
        "lengths": lengths,
        "visible_rank": ranks,
        "visible_share_measured": ranks / (lengths * (lengths - 1)),
        "visible_share_predicted": np.array([theory.isotropic_visible_share(n) for n in config.lengths]),
    }


def visible_rank(length: int, width: int, *, key: PRNGKeyArray) -> int:
    """Rank of the label gradients of more samples than directions can be visible.   [C1]"""
    score_key, token_key, value_key, head_key = jax.random.split(key, 4)
    count = length + 8
    gradients = jax.jit(jax.vmap(theory.label_score_gradient, in_axes=(None, 0, None, 0)))(
        jax.random.normal(score_key, (length, length)),
        jax.random.normal(token_key, (count, length, width)),
        jax.random.normal(value_key, (width, width)),
        jax.random.normal(head_key, (count, width)),
    )
    return int(np.linalg.matrix_rank(np.asarray(gradients).reshape(count, -1)))


def gradient_maps(process: Process, config: Config, *, key: PRNGKeyArray) -> Arrays:
    """dl/dS at S = 0 of a labelled batch and of the reconstruction population, in parts.   [C2, C9]"""
    origin, arrays = jnp.zeros((config.length, config.length)), {}
    value, covariance = uniform_value(process.autocovariance), theory.circulant(process.autocovariance)
    power = spectrum(process.autocovariance)
    gradients = {
        "label": jax.jit(label_gradient, static_argnums=1)(power, config, key),
        "reconstruction": theory.reconstruction_score_gradient(origin, value, covariance),
    }
    for name, gradient in gradients.items():
        parts = jax.jit(theory.decompose)(gradient)
        arrays |= {
            f"{name}_gradient": gradient,
            f"{name}_key_bias": parts.key_bias,
            f"{name}_doubly_centred": parts.doubly_centred,
        }
    return {name: np.asarray(array) for name, array in arrays.items()}


def label_gradient(
    power: Float[Array, " frequency"], config: Config, key: PRNGKeyArray
) -> Float[Array, "query key"]:
    """dl/dS at S = 0 on one labelled batch with a random head, by automatic differentiation.   [C2]"""
    data_key, head_key = jax.random.split(key)
    tokens, labels = shifted_task(power, config.labelled, config.label_shift, key=data_key)
    head = config.head_scale * jax.random.normal(head_key, (2, 1))
    return jax.grad(mean_label_loss)(jnp.zeros((config.length, config.length)), tokens, head, labels)


def losses_along(process: Process, config: Config, *, key: PRNGKeyArray) -> Arrays:
    """Label and reconstruction loss along the proximity direction, labels also along a random one.   [C3]"""
    proximity = proximity_direction(process.autocovariance)
    power, value = spectrum(process.autocovariance), uniform_value(process.autocovariance)
    sizes = jnp.asarray(config.magnitudes)

    def one_seed(seed: PRNGKeyArray) -> dict[str, Float[Array, " magnitude"]]:
        data_key, head_key, random_key, token_key = jax.random.split(seed, 4)
        batch, labels = shifted_task(power, config.labelled, config.label_shift, key=data_key)
        head = config.head_scale * jax.random.normal(head_key, (2, 1))
        anywhere = jax.random.normal(random_key, proximity.shape)
        moments = second_moments(sample(power, config.sequences, key=token_key))
        labelled = jax.vmap(lambda size, way: mean_label_loss(size * way, batch, head, labels), (0, None))
        hidden = jax.vmap(lambda size: theory.reconstruction_loss(size * proximity, value, moments))
        return {
            "label_loss": labelled(sizes, proximity),
            "label_loss_control": labelled(sizes, anywhere),
            "reconstruction_loss": hidden(sizes),
        }

    losses = jax.jit(jax.vmap(one_seed))(jax.random.split(key, config.seeds))
    return {name: np.asarray(loss) for name, loss in losses.items()} | {"magnitudes": np.asarray(sizes)}


def toy_numbers(process: Process, config: Config, *, key: PRNGKeyArray) -> Arrays:
    """Per seed: visible share and proximity alignment of label and sampled reconstruction gradients."""
    power, value = spectrum(process.autocovariance), uniform_value(process.autocovariance)
    proximity, origin = proximity_direction(process.autocovariance), jnp.zeros((config.length, config.length))

    def one_seed(seed: PRNGKeyArray) -> dict[str, Float[Array, ""]]:
        label_key, *half_keys = jax.random.split(seed, 3)
        label = label_gradient(power, config, label_key)
        halves = [
            theory.reconstruction_score_gradient(
                origin, value, second_moments(sample(power, config.sequences, key=half_key))
            )
            for half_key in half_keys
        ]
        return {
            "visible_share": theory.key_bias_share(label),
            "visible_share_reconstruction": paired_key_bias_share(halves[0], halves[1]),
            "proximity_alignment": alignment(halves[0] + halves[1], proximity),
            "proximity_alignment_label": alignment(label, proximity),
        }

    numbers = jax.jit(jax.vmap(one_seed))(jax.random.split(key, config.seeds))
    return {name: np.asarray(per_seed) for name, per_seed in numbers.items()}
