"""What a reader moves: attention and both losses along four directions of the scores, and the contrast.

The minimal model on a ring. A few positions alone carry the class, so that a key bias helps them; masked
reconstruction sees the same ring without class signal. Exact but for reconstruction's sampling error, and
beside each curve its law: the label loss through received attention alone, reconstruction's closed form. A second
part moves what one pixel of an image attends to.
[C1, C2, C3, C7, C8, C9, C16, C30]
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

import theory
from sims.experiments.score_slider.contrast_dial import contrast_dial
from sims.experiments.score_slider.image_pixel import image_pixel
from sims.processes import ar1, sample
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import BandVerdict, compare_all
from sims.toy_models.flows import shifted_task
from sims.toy_models.score_gradients import mean_label_loss, uniform_value
from theory.reconstruction.masked_loss import off_diagonal

DESCRIPTION = "attention and both losses along four directions of the scores: what the page's slider shows"
SECONDS = 8

DIRECTIONS = ("neighbours", "key_bias", "random", "row_shift")


@dataclasses.dataclass(frozen=True)
class Config:
    """Losses and attention along directions of the scores; sequences needed over the contrast of classes."""

    length: int = 16
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the ring."""
    class_positions: int = 3
    """Number of positions, from the first, that carry the class."""
    shift: float = 2.0
    """Half the distance between the class means at those positions."""
    head_scale: float = 1.0
    """Weight of the fixed label head: +this or -this, by class."""
    sequences: int = 256
    """Sequences per loss and seed."""
    seeds: int = 16
    """Independent repetitions."""
    largest_step: float = 3.0
    """Largest step along a direction, both ways; directions have mean square 1."""
    steps: int = 31
    """Number of steps along a direction; odd, so that uniform attention is one of them."""
    middle: float = 0.5
    """Mean rho of the two classes in the contrast dial."""
    contrasts: tuple[float, ...] = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.21, 0.25)
    """Half the difference of the classes' rho in the contrast dial."""
    image_side: int = 15
    """Rows and columns of the image, whose pixel in the middle is moved."""
    image_down: float = 0.7
    """Correlation of a pixel with the one below it."""
    image_right: float = 0.8
    """Correlation of a pixel with the one to its right."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, sequences=self.sequences, contrasts=len(self.contrasts))
        at_least(3, steps=self.steps)
        between(
            0,
            1,
            class_share=self.class_positions / self.length,
            widest_contrast=self.middle + max(self.contrasts),
        )
        between(-1, 1, correlation=self.correlation, down=self.image_down, right=self.image_right)
        at_least(4, image_side=self.image_side)
        if self.steps % 2 == 0:
            raise UserError(f"steps must be odd: got {self.steps}; try {self.steps + 1}")

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurements, smaller."""
        return cls(length=8, sequences=128, seeds=8, steps=7, contrasts=(0.0, 0.1, 0.2), image_side=9)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """What the curves are of, verdicts on both losses, and their slopes by direction."""

    directions: tuple[str, ...]
    length: int
    rho: float
    class_positions: int
    """Number of positions that carry the class."""
    middle: float
    inside: dict[str, BandVerdict]
    slope: dict[str, dict[str, float]]
    image: dict[str, float] | None = None
    """Correlations down and right of the image whose middle pixel is moved; results of before have none."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Attention, losses and their laws along every direction; n* over the contrast."""
    direction_key, seed_key = jax.random.split(key)
    process, ways = ar1(config.length, config.correlation), directions(config, key=direction_key)
    sizes = np.linspace(-config.largest_step, config.largest_step, config.steps)
    score_points = ways[:, None] * sizes[None, :, None, None]
    value = uniform_value(process.autocovariance)
    losses = {
        name: np.asarray(each)
        for name, each in _losses(
            process.power, value, score_points, config, jax.random.split(seed_key, config.seeds)
        ).items()
    }
    attention, expected, gradient_slopes = laws(
        ways, score_points, value, theory.circulant(process.autocovariance)
    )
    curves = {
        "label": (losses["label"], losses["through_received"].mean(axis=0)),
        "reconstruction": (losses["reconstruction"], np.asarray(expected)),
    }
    verdicts, arrays = compare_all(curves)
    arrays |= {"magnitudes": sizes, "attention": np.asarray(attention)}
    slopes = {"label": losses["label_slope"].mean(axis=0), "reconstruction": gradient_slopes}
    if report:
        report(1, 1)
    by_direction = {
        loss: dict(zip(DIRECTIONS, map(float, each), strict=True)) for loss, each in slopes.items()
    }
    values = Values(
        DIRECTIONS, config.length, config.correlation, config.class_positions, config.middle,
        inside=verdicts, slope=by_direction, image={"down": config.image_down, "right": config.image_right},
    )  # fmt: skip
    arrays |= image_pixel(
        config.image_side, config.image_down, config.image_right, sizes[config.steps // 2 :]
    )
    return values, arrays | contrast_dial(config.length, config.middle, config.contrasts)


@functools.partial(jax.jit, static_argnames="config")
def directions(config: Config, *, key: PRNGKeyArray) -> Float[Array, "direction query key"]:
    """`DIRECTIONS`, with mean square 1: cyclic lag 1; the keys that tell the class; drawn; a row shift."""
    length = config.length
    class_keys = (jnp.arange(length) < config.class_positions).astype(float)
    bias = jnp.broadcast_to(class_keys - class_keys.mean(), (length, length))
    parts = theory.decompose(jax.random.normal(key, (length, length)))
    ways = jnp.stack([theory.contrast_direction(length, 1), bias, parts.doubly_centred, parts.gauge])
    return ways / jnp.sqrt(jnp.mean(ways**2, axis=(1, 2), keepdims=True))


@jax.jit
def laws(
    ways: Float[Array, "direction query key"],
    score_points: Float[Array, "direction magnitude query key"],
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
    everywhere = lambda law: jax.vmap(jax.vmap(law))(score_points)
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
    score_points: Float[Array, "direction magnitude query key"],
    config: Config,
    key: PRNGKeyArray,
) -> dict[str, Float[Array, "..."]]:
    """One seed's losses at every place, and the label loss's slopes at uniform attention."""
    label_key, token_key = jax.random.split(key)
    plain, labels = shifted_task(power, config.sequences, 0.0, key=label_key)
    sides = (2 * labels - 1).astype(plain.dtype)
    class_keys = (jnp.arange(config.length) < config.class_positions).astype(plain.dtype)
    tokens = plain + config.shift * sides[:, None, None] * class_keys[None, :, None]
    head = config.head_scale * jnp.array([[-1.0], [1.0]])
    hidden = sample(power, config.sequences, key=token_key)
    everywhere = lambda loss: jax.lax.map(jax.vmap(loss), score_points)
    labelled = lambda scores: mean_label_loss(scores, tokens, head, labels)
    slope = jax.grad(labelled)(jnp.zeros_like(score_points[0, 0]))
    step = score_points[:, -1] / config.largest_step
    return {
        "label": everywhere(labelled),
        "through_received": everywhere(lambda scores: _received_loss(scores, tokens, head, labels)),
        "reconstruction": everywhere(lambda scores: masked_loss(scores, value, hidden)),
        "label_slope": jnp.sum(slope[None] * step, axis=(1, 2)),
    }


def _received_loss(
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


__all__ = [
    "DESCRIPTION", "DIRECTIONS", "SECONDS", "Config", "Values", "directions", "laws",
    "masked_loss", "run",
]  # fmt: skip
