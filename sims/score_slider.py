"""What a reader moves: attention and both losses along four directions of the scores, and the contrast.

The minimal model on a ring. Labels are told by a few positions alone, so that a key bias helps them; masked
reconstruction sees the same ring without class signal. Exact but for reconstruction's sampling error, and
beside each curve its law: the label loss through received attention alone, reconstruction's closed form.
[C1, C2, C3, C7, C8, C9, C16]
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

import theory
from sims.bands import compare_all
from sims.contrast_dial import contrast_dial
from sims.flows import shifted_task
from sims.limits import at_least, between
from sims.processes import ar1, sample
from sims.score_gradients import mean_label_loss, uniform_value
from sims.store import UserError
from theory.reconstruction import off_diagonal

Progress = Callable[[int, int], None] | None
Arrays = dict[str, np.ndarray]
DIRECTIONS = ("neighbours", "key_bias", "random", "row_shift")


@dataclasses.dataclass(frozen=True)
class Config:
    """Losses and attention along directions of the scores; sequences needed over the contrast of classes."""

    length: int = 16
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the ring."""
    told: int = 3
    """How many positions, from the first, carry the class."""
    shift: float = 2.0
    """Half the distance of the classes' means there."""
    head_scale: float = 1.0
    """The head is +- this: on the right side of the boundary, not fitted."""
    sequences: int = 256
    """Sequences of each loss and seed."""
    seeds: int = 16
    """Independent draws."""
    reach: float = 3.0
    """Largest multiple of a direction, either way; directions have mean square 1."""
    steps: int = 31
    """Places along a direction; odd, so that uniform attention is one of them."""
    middle: float = 0.5
    """Mean of the classes' rho in the contrast dial."""
    contrasts: tuple[float, ...] = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.21, 0.25)
    """Half the distance of the classes' rho in the contrast dial."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, sequences=self.sequences, contrasts=len(self.contrasts))
        at_least(3, steps=self.steps)
        between(0, 1, told_share=self.told / self.length, widest_contrast=self.middle + max(self.contrasts))
        between(-1, 1, correlation=self.correlation)
        if self.steps % 2 == 0:
            raise UserError(f"steps must be odd: got {self.steps}; try {self.steps + 1}")

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurements, smaller."""
        return cls(length=8, sequences=128, seeds=8, steps=7, contrasts=(0.0, 0.1, 0.2))


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[dict[str, object], Arrays]:
    """Attention, losses and their laws along every direction; n* over the contrast."""
    direction_key, seed_key = jax.random.split(key)
    process, ways = ar1(config.length, config.correlation), directions(config, key=direction_key)
    sizes = np.linspace(-config.reach, config.reach, config.steps)
    places = ways[:, None] * sizes[None, :, None, None]
    value = uniform_value(process.autocovariance)
    found = {
        name: np.asarray(each)
        for name, each in _losses(
            process.power, value, places, config, jax.random.split(seed_key, config.seeds)
        ).items()
    }
    attention, expected, pulls = laws(ways, places, value, theory.circulant(process.autocovariance))
    curves = {
        "label": (found["label"], found["through_received"].mean(axis=0)),
        "reconstruction": (found["reconstruction"], np.asarray(expected)),
    }
    verdicts, arrays = compare_all(curves)
    arrays |= {"magnitudes": sizes, "attention": np.asarray(attention)}
    slopes = {"label": found["label_slope"].mean(axis=0), "reconstruction": pulls}
    if report:
        report(1, 1)
    values: dict[str, object] = {
        "directions": list(DIRECTIONS),
        "length": config.length,
        "rho": config.correlation,
        "told": config.told,
        "middle": config.middle,
        "inside": verdicts,
        "slope": {
            loss: dict(zip(DIRECTIONS, map(float, each), strict=True)) for loss, each in slopes.items()
        },
    }
    return values, arrays | contrast_dial(config.length, config.middle, config.contrasts)


@functools.partial(jax.jit, static_argnames="config")
def directions(config: Config, *, key: PRNGKeyArray) -> Float[Array, "direction query key"]:
    """`DIRECTIONS`, with mean square 1: cyclic lag 1; the keys that tell the class; drawn; a row shift."""
    length = config.length
    told = (jnp.arange(length) < config.told).astype(float)
    bias = jnp.broadcast_to(told - told.mean(), (length, length))
    parts = theory.decompose(jax.random.normal(key, (length, length)))
    ways = jnp.stack([theory.lag_direction(length, 1), bias, parts.doubly_centred, parts.gauge])
    return ways / jnp.sqrt(jnp.mean(ways**2, axis=(1, 2), keepdims=True))


@jax.jit
def laws(
    ways: Float[Array, "direction query key"],
    places: Float[Array, "direction magnitude query key"],
    value: Float[Array, ""],
    covariance: Float[Array, "query key"],
) -> tuple[
    Float[Array, "direction magnitude query key"],
    Float[Array, "direction magnitude"],
    Float[Array, " direction"],
]:
    """Attention and population reconstruction loss at every place; the loss's slope at uniform attention.

    The gradient is circulant: along a key bias the slope is 0.   [C8, C9]
    """
    everywhere = lambda law: jax.vmap(jax.vmap(law))(places)
    gradient = theory.reconstruction_score_gradient(jnp.zeros_like(covariance), value, covariance)
    return (
        everywhere(theory.attention_weights),
        everywhere(lambda scores: theory.reconstruction_loss(scores, value, covariance)),
        jnp.sum(ways * gradient[None], axis=(1, 2)),
    )


@functools.partial(jax.jit, static_argnames="config")
@functools.partial(jax.vmap, in_axes=(None, None, None, None, 0))
def _losses(
    power: Float[Array, " frequency"],
    value: Float[Array, ""],
    places: Float[Array, "direction magnitude query key"],
    config: Config,
    key: PRNGKeyArray,
) -> dict[str, Float[Array, "..."]]:
    """One seed's losses at every place, and the label loss's slopes at uniform attention."""
    label_key, token_key = jax.random.split(key)
    plain, labels = shifted_task(power, config.sequences, 0.0, key=label_key)
    sides = (2 * labels - 1).astype(plain.dtype)
    told = (jnp.arange(config.length) < config.told).astype(plain.dtype)
    tokens = plain + config.shift * sides[:, None, None] * told[None, :, None]
    head = config.head_scale * jnp.array([[-1.0], [1.0]])
    hidden = sample(power, config.sequences, key=token_key)
    everywhere = lambda loss: jax.lax.map(jax.vmap(loss), places)
    labelled = lambda scores: mean_label_loss(scores, tokens, head, labels)
    slope = jax.grad(labelled)(jnp.zeros_like(places[0, 0]))
    step = places[:, -1] / config.reach
    return {
        "label": everywhere(labelled),
        "through_received": everywhere(lambda scores: received_loss(scores, tokens, head, labels)),
        "reconstruction": everywhere(lambda scores: masked_loss(scores, value, hidden)),
        "label_slope": jnp.sum(slope[None] * step, axis=(1, 2)),
    }


def received_loss(
    scores: Float[Array, "query key"],
    tokens: Float[Array, "batch key width"],
    head: Float[Array, "classes width"],
    labels: Int[Array, " batch"],
) -> Float[Array, ""]:
    """Cross entropy of head X^T c(S): the label loss from the L numbers that each key receives.   [C1]"""
    received = theory.received(theory.attention_weights(scores))
    logits = jnp.einsum("nkd,k,cd->nc", tokens, received, head)
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1).mean()


def masked_loss(
    scores: Float[Array, "query key"], value: Float[Array, ""], tokens: Float[Array, "batch key"]
) -> Float[Array, ""]:
    """1/2 mean of (x_i - v sum_{k != i} A_ik x_k)^2: every position masked in turn.   [C8]"""
    predicted = tokens @ (value * off_diagonal(theory.attention_weights(scores))).T
    return 0.5 * jnp.mean((tokens - predicted) ** 2)
