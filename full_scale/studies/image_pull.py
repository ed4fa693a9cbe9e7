"""Where does reconstruction's first gradient pull attention on real images, beside the law of a torus?   [C30]

CIFAR-10 in grey, one token per pixel, uniform attention: the gradient of masked reconstruction follows from second
moments in closed form (C8), so that nothing is trained. Real images have borders and are not stationary; the law
asks for neither.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from full_scale.tasks.image import SIDE, Image
from full_scale.tasks.task import load
from sims.runs.config_validation import at_least, between
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval

description = "where reconstruction first pulls attention on CIFAR-10, beside the law of a torus [C30]"
seconds = 60.0
stored = "image_pull"
LARGEST = 6  # displacements and lags that are named

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class Config:
    """What the study reads."""

    cifar: Path | None = None
    """CIFAR-10 in any form that `sptlab data list` names; default: data/image.npz."""
    side: int = SIDE
    """Rows and columns after averaging over blocks; a divisor of 32."""
    groups: int = 20
    """Groups of training images, each of which gives every number once; intervals are over groups."""
    value: float = 0.5
    """v, the value at which the gradient is taken."""
    drawn: int = 0
    """Draw so many images from a stationary torus instead of reading any; 0 reads CIFAR-10."""

    def __post_init__(self) -> None:
        at_least(2, groups=self.groups, side=self.side)
        between(0, 1, value=self.value)
        if self.cifar is not None:
            object.__setattr__(self, "cifar", Path(self.cifar))
        if self.drawn and self.drawn < 2 * self.groups:
            raise UserError(
                f"drawn must be 0 or at least 2 per group: got {self.drawn} for {self.groups} groups"
            )

    @classmethod
    def smoke(cls) -> "Config":
        """Seconds, on drawn images, to see that all runs; its numbers mean nothing."""
        return cls(side=4, groups=2, drawn=400)

    def images(self) -> Float[np.ndarray, "image pixel"]:
        """Grey values less their mean, over their standard deviation; training images alone."""
        if self.drawn:
            images = drawn_images(self.side, self.drawn)
        else:
            images = load(Image(data=self.cifar, side=self.side)).train.tokens.astype(np.float64)
        flat = images.reshape(len(images), -1)
        return (flat - flat.mean()) / flat.std()


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """What was measured, with intervals over groups of images; displacements as (rows, columns)."""

    images: int
    correlation_right: Interval
    """Correlation of a pixel with the one to its right."""
    correlation_below: Interval
    correlation_diagonal: Interval
    cosine_torus: Interval
    """Of the gradient with the law of a torus, its autocovariance taken with rows and columns closed."""
    cosine_borders: Interval
    """The same where the law knows of the borders, and images count as stationary within."""
    visible_share: Interval
    """Of the gradient's squared norm, what labels see: 0 on a torus, 1/L of a direction drawn at random."""
    visible_share_borders: Interval
    """The same of the law that knows of the borders."""
    displacement_share: Interval
    """What scores of displacements alone hold of it, borders closed."""
    raster_share: Interval
    """What scores of raster lags alone hold of it."""
    raster_share_predicted: Interval
    """The same by the torus' law: `displacement_share` times that of the mean at each displacement."""
    largest_displacements: tuple[tuple[int, int], ...]
    """Where the mean pull is largest."""
    largest_raster_lags: tuple[int, ...]


def run(
    config: Config,
    *,
    key: PRNGKeyArray,
    report: Progress | None = None,
    checkpoint: Path | None = None,
) -> tuple[Values, dict[str, np.ndarray]]:
    """Every number of each group of images, and mean pull and autocovariance by displacement."""
    images = config.images()
    each: list[dict[str, float]] = []
    kernels = []
    for done, group in enumerate(np.array_split(images, config.groups), 1):
        numbers, kernel = measured(jnp.asarray(group.T @ group / len(group)), config)
        each.append(numbers)
        kernels.append(kernel)
        if report:
            report(done, config.groups)
    intervals = {name: mean_interval(np.array([one[name] for one in each])) for name in each[0]}
    pull, autocovariance = (np.mean(part, axis=0) for part in zip(*kernels, strict=True))
    raster = np.asarray(theory.raster_kernel(jnp.asarray(pull)))
    values = Values(
        images=len(images),
        largest_displacements=tuple(signed(lag, config.side) for lag in largest(pull.ravel())),
        largest_raster_lags=tuple(largest(raster)),
        **intervals,
    )
    return values, {"pull": pull, "autocovariance": autocovariance, "raster_pull": raster}


def measured(
    moments: Float[Array, "pixel pixel"], config: Config
) -> tuple[dict[str, float], tuple[np.ndarray, np.ndarray]]:
    """One group's numbers, and its pull and autocovariance by displacement on the torus."""
    side, value = config.side, config.value
    flat = jnp.zeros_like(moments)
    pull = -theory.reconstruction_score_gradient(flat, value, moments)
    closed, opened = theory.torus_kernel(moments, side, side), within_borders(moments, side)
    on_torus = theory.torus_circulant(theory.torus_proximity_law(value, closed))
    bordered = -theory.reconstruction_score_gradient(flat, value, opened)
    by_displacement = theory.torus_kernel(pull, side, side)
    whole = jnp.sum(pull**2)
    numbers = {
        "correlation_right": opened[0, 1] / opened[0, 0],
        "correlation_below": opened[0, side] / opened[0, 0],
        "correlation_diagonal": opened[0, side + 1] / opened[0, 0],
        "cosine_torus": cosine(pull, on_torus),
        "cosine_borders": cosine(pull, bordered),
        "visible_share": theory.key_bias_share(pull),
        "visible_share_borders": theory.key_bias_share(bordered),
        "displacement_share": len(pull) * jnp.sum(by_displacement**2) / whole,
        "raster_share": len(pull) * jnp.sum(theory.circulant_kernel(pull) ** 2) / whole,
    }
    held = numbers["displacement_share"] * theory.raster_share(by_displacement)
    numbers |= {"raster_share_predicted": held}
    return {name: float(each) for name, each in numbers.items()}, (
        np.asarray(by_displacement),
        np.asarray(closed),
    )


def within_borders(moments: Float[Array, "pixel pixel"], side: int) -> Float[Array, "pixel pixel"]:
    """Every moment replaced by its mean over all pairs of that displacement that lie inside the image."""
    rows, columns = np.divmod(np.arange(side**2), side)
    between = lambda along: along[None, :] - along[:, None] + side - 1
    pairs = between(rows) * (2 * side - 1) + between(columns)
    sums = np.bincount(pairs.ravel(), np.asarray(moments).ravel())
    return jnp.asarray((sums / np.bincount(pairs.ravel()))[pairs])


def cosine(one: Float[Array, "query key"], other: Float[Array, "query key"]) -> Float[Array, ""]:
    """The cosine of the angle between two matrices."""
    return jnp.vdot(one, other) / (jnp.linalg.norm(one) * jnp.linalg.norm(other))


def largest(kernel: Float[np.ndarray, " lag"]) -> list[int]:
    """The lags of the largest entries, lag 0 left out, largest first."""
    order = np.argsort(-kernel[1:], kind="stable")[:LARGEST] + 1
    return [int(lag) for lag in order]


def signed(lag: int, side: int) -> tuple[int, int]:
    """A displacement of a torus by the shorter way, upwards and to the left negative."""
    short = lambda steps: steps - side if steps > side // 2 else steps
    return short(lag // side), short(lag % side)


def drawn_images(side: int, number: int) -> Float[np.ndarray, "image row column"]:
    """White noise averaged with its four neighbours on a torus."""
    noise = np.random.default_rng(0).normal(size=(number, side, side))
    near = [np.roll(noise, step, axis) for axis in (1, 2) for step in (-1, 1)]
    return noise + sum(near)


def result_text(values: Values) -> str:
    """The study's numbers as text."""
    rows = [f"{name:24} {each.text(4)}" for name, each in vars(values).items() if isinstance(each, Interval)]
    displacements = ", ".join(f"({row}, {column})" for row, column in values.largest_displacements)
    return "\n".join(
        [
            *rows,
            f"{'largest pull at':24} {displacements}",
            f"{'in raster order at lags':24} {', '.join(map(str, values.largest_raster_lags))}",
        ]
    )
