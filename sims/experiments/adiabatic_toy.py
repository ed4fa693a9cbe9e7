"""Label and reconstruction gradients once everything but attention has settled.   [C19]

Task: a cyclic AR(1) sequence (label 0) against one with its positions permuted (label 1). Both have the
same law of bags, so at uniform attention the best label head is 0. Readouts are fitted to the optimum on a
sample; gradients in the scores are taken on held-out sequences.

The best head of a *finite* sample is not 0 but noise of size N^-1/2 and random direction, and mean^2 / var
on one fit does not feel its size. The signal here is what independent fits agree on: the mean over
fits of the standard score, squared. The value for single fits is stored beside it as `per_fit`.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sims.processes import ar1, permutation_task, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, score_snr, score_snr_ratio
from sims.toy_models.residual_layer import (
    Sample,
    draw_layer,
    fit_head,
    fit_reader,
    label_gradients_along,
    pooled_batch,
    reconstruction_gradients_along,
)
from theory.probes.signal import standard_score, unbiased_square

DESCRIPTION = "signal-to-noise of both losses once everything but attention has settled"
SECONDS = 16

Fits = Arrays
LOSSES = ("label", "reconstruction")


@dataclasses.dataclass(frozen=True)
class Config:
    """Score gradients at the adiabatic point of a residual layer on an order task."""

    length: int = 32
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    features: int = 16
    """Number of random features."""
    feature_scale: float = 1.5
    """Standard deviation of the random features' slopes; their offsets have 1."""
    mask_probability: float = 0.5
    """Share of masked tokens in reconstruction."""
    train_sizes: tuple[int, ...] = (500, 2000)
    """Training sequences of the linear readouts, increasing; the last is the main one."""
    held_out: int = 600
    """Held-out sequences on which gradients are measured."""
    ridge: float = 1e-3
    """Ridge penalty on the readouts' standardised weights."""
    seeds: int = 64
    """Independent repetitions, each with its own data and random features."""
    control_scale: float = 1.2
    """Control: factor on the permuted sequences, so that the bag of tokens partly tells the class."""

    def __post_init__(self) -> None:
        at_least(3, length=self.length)
        at_least(2, seeds=self.seeds, held_out=self.held_out, train_sizes=len(self.train_sizes))
        at_least(1, features=self.features, smallest_train_size=min(self.train_sizes))
        between(-1, 1, correlation=self.correlation)
        between(0, 1, mask_probability=self.mask_probability)
        if list(self.train_sizes) != sorted(set(self.train_sizes)):
            raise UserError(f"train_sizes must increase: got {self.train_sizes}; try 500 2000")

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=8, features=8, train_sizes=(100, 800), held_out=400, seeds=12)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Intervals along lag 1, readouts fitted on the largest sample."""

    toy: dict[str, Interval]
    """What the comparison shows: the SNR of both losses, and their ratio."""
    per_fit: dict[str, Interval]
    """Mean over fits of mean^2 / var."""
    size_exponent: dict[str, Interval]
    """By loss: of the gradient's size in the number of training sequences."""
    held_out_accuracy: Interval
    control: dict[str, Interval]
    """The label's SNR and accuracy where the bag partly tells the class."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Signal-to-noise of both losses by lag, the size of their gradients, and the control."""
    task_key, control_key = jax.random.split(key)
    sizes, largest = config.train_sizes, config.train_sizes[-1:]
    total = config.seeds * (len(sizes) + 1)
    fits = _measure_fits(config, 1.0, sizes, key=task_key, report=_offset(report, 0, total))
    done = config.seeds * len(sizes)
    control = _measure_fits(
        config, config.control_scale, largest, key=control_key, report=_offset(report, done, total)
    )
    return summary(config, fits, control), curves(config, fits)


def summary(config: Config, fits: Fits, control: Fits) -> Values:
    """Intervals along lag 1, readouts fitted on the largest sample."""
    label, hidden = (fits[f"{loss}_score"][:, -1, 0] for loss in LOSSES)
    return Values(
        toy={
            "snr_label": score_snr(label),
            "snr_reconstruction": score_snr(hidden),
            "snr_ratio": score_snr_ratio(hidden, label),
        },
        per_fit={f"snr_{loss}": _per_fit_snr(fits, loss, config.held_out) for loss in LOSSES},
        size_exponent={loss: size_exponent(fits, loss, config.train_sizes) for loss in LOSSES},
        held_out_accuracy=mean_interval(fits["accuracy"][:, -1]),
        control={
            "snr_label": score_snr(control["label_score"][:, -1, 0]),
            "held_out_accuracy": mean_interval(control["accuracy"][:, -1]),
        },
    )


def curves(config: Config, fits: Fits) -> Arrays:
    """By lag on the largest sample: SNR and each fit's signed score; by training size: gradient sizes."""
    arrays = {"train_sizes": np.array(config.train_sizes)}
    for loss in LOSSES:
        scores = fits[f"{loss}_score"][:, -1]
        arrays["lags"] = np.arange(1, scores.shape[1] + 1)
        arrays[f"snr_{loss}_by_lag"] = unbiased_square(np.asarray(scores, np.float64))
        arrays[f"{loss}_scores"] = scores
        arrays[f"{loss}_size"] = fits[f"{loss}_size"]
    return arrays


def _per_fit_snr(fits: Fits, loss: str, held_out: int) -> Interval:
    """Mean over fits of mean^2 / var along lag 1 on the largest sample, without bias from `held_out`."""
    return mean_interval(fits[f"{loss}_score"][:, -1, 0] ** 2 - 1 / held_out)


def size_exponent(fits: Fits, loss: str, train_sizes: tuple[int, ...]) -> Interval:
    """d log(gradient size) / d log(training sequences) over fits: -1/2 where only noise is left, else 0."""
    sizes = np.log(np.array(train_sizes))
    return mean_interval(np.polyfit(sizes, np.log(fits[f"{loss}_size"]).T, 1)[0])


def _measure_fits(
    config: Config, scale: float, sizes: tuple[int, ...], *, key: PRNGKeyArray, report: Progress = None
) -> Fits:
    """Per fit and training size: standard scores by lag, gradient sizes along lag 1, label accuracy.

    A score is minus mean over sd of the derivative: positive when descent attends more to that lag.
    `scale` multiplies permuted sequences: 1 hides the class from the bag."""
    power = spectrum(ar1(config.length, config.correlation).autocovariance)
    fits: list[list[Fits]] = []
    for fit_key in jax.random.split(key, config.seeds):
        fits.append([])
        for size in sizes:
            numbers = _measure_fit(power, jnp.asarray(scale), jnp.asarray(size), config, fit_key)
            fits[-1].append({name: np.asarray(number) for name, number in numbers.items()})
            if report:
                report(sum(map(len, fits)), config.seeds * len(sizes))
    return {name: np.array([[size[name] for size in fit] for fit in fits]) for name in fits[0][0]}


def _draw_sample(
    power: Float[Array, " frequency"],
    count: int,
    scale: Float[Array, ""],
    config: Config,
    *,
    key: PRNGKeyArray,
) -> Sample:
    """Sequences of the order task, the permuted ones times `scale`, with i.i.d. masks."""
    task_key, mask_key = jax.random.split(key)
    tokens, labels = permutation_task(power, count, key=task_key)
    tokens = jnp.where(labels[:, None] == 1, scale * tokens, tokens)
    return Sample(tokens, labels, jax.random.bernoulli(mask_key, config.mask_probability, tokens.shape))


@functools.partial(jax.jit, static_argnames="config")
def _measure_fit(
    power: Float[Array, " frequency"],
    scale: Float[Array, ""],
    size: Int[Array, ""],
    config: Config,
    key: PRNGKeyArray,
) -> dict[str, Float[Array, "..."]]:
    layer_key, data_key = jax.random.split(key)
    layer = draw_layer(config.features, config.feature_scale, key=layer_key)
    drawn = _draw_sample(power, config.held_out + config.train_sizes[-1], scale, config, key=data_key)
    held = Sample(*(part[: config.held_out] for part in drawn))
    train = Sample(*(part[config.held_out :] for part in drawn))
    counted = (jnp.arange(config.train_sizes[-1]) < size).astype(power.dtype)
    head, reader = (fit(layer, train, counted, config.ridge) for fit in (fit_head, fit_reader))
    along = {
        "label": label_gradients_along(layer, head, held),
        "reconstruction": reconstruction_gradients_along(layer, reader, held),
    }
    right = (head(pooled_batch(layer, held.tokens)) > 0) == (held.labels == 1)
    scores = {f"{loss}_score": -standard_score(each) for loss, each in along.items()}
    sizes = {f"{loss}_size": jnp.sqrt(jnp.mean(each[:, 0] ** 2)) for loss, each in along.items()}
    return scores | sizes | {"accuracy": right.mean(dtype=power.dtype)}


def _offset(report: Progress, done: int, total: int) -> Progress:
    return (lambda more, _: report(done + more, total)) if report else None
