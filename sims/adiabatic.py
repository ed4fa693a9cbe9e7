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
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sims.intervals import mean_interval, score_snr, score_snr_ratio, unbiased_square
from sims.processes import ar1, order_task, spectrum
from sims.residual_layer import (
    Sample,
    draw_layer,
    fit_head,
    fit_reader,
    label_gradients_along,
    pooled_batch,
    reconstruction_gradients_along,
)

Progress = Callable[[int, int], None] | None
Fits = dict[str, np.ndarray]
LOSSES = ("label", "reconstruction")


@dataclasses.dataclass(frozen=True)
class Config:
    """Score gradients at the adiabatic point of a residual layer on an order task."""

    length: int = 32
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    features: int = 16
    """Width of phi."""
    feature_scale: float = 1.5
    """Standard deviation of phi's random slopes; its offsets have 1."""
    mask_probability: float = 0.5
    """Share of masked tokens in reconstruction."""
    train_sizes: tuple[int, ...] = (500, 2000, 8000)
    """Sequences the readouts are fitted on, increasing; the last is the main one."""
    held_out: int = 2000
    """Sequences the gradients are measured on."""
    ridge: float = 1e-3
    """Penalty on the readouts' standardised weights."""
    seeds: int = 24
    """Independent fits, each with its own data and phi."""
    control_scale: float = 1.2
    """In the control permuted sequences are larger by this factor: the bag tells the class, in part."""

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=8, features=8, train_sizes=(200, 800), held_out=400, seeds=12)


def run(
    config: Config, *, key: PRNGKeyArray, report: Progress = None
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Signal-to-noise of both losses by lag, the size of their gradients, and the control."""
    task_key, control_key = jax.random.split(key)
    fits = measure_fits(config, 1.0, key=task_key)
    if report:
        report(1, 2)
    control = measure_fits(config, config.control_scale, key=control_key)
    if report:
        report(2, 2)
    label, hidden = (fits[f"{loss}_score"][:, -1] for loss in LOSSES)
    values = {
        "toy": {
            "snr_label": score_snr(label[:, 0]).as_json(),
            "snr_reconstruction": score_snr(hidden[:, 0]).as_json(),
            "snr_ratio": score_snr_ratio(hidden[:, 0], label[:, 0]).as_json(),
        },
        "per_fit": {f"snr_{loss}": per_fit_snr(fits, loss, config.held_out) for loss in LOSSES},
        "size_exponent": {loss: size_exponent(fits, loss, config.train_sizes) for loss in LOSSES},
        "held_out_accuracy": mean_interval(fits["accuracy"]).as_json(),
        "control": {
            "snr_label": score_snr(control["label_score"][:, -1, 0]).as_json(),
            "held_out_accuracy": mean_interval(control["accuracy"]).as_json(),
        },
    }
    arrays = {
        "lags": np.arange(1, label.shape[1] + 1),
        "snr_label_by_lag": unbiased_square(label),
        "snr_reconstruction_by_lag": unbiased_square(hidden),
        "train_sizes": np.array(config.train_sizes),
        "label_size": fits["label_size"],
        "reconstruction_size": fits["reconstruction_size"],
        "label_scores": label,
        "reconstruction_scores": hidden,
    }
    return values, arrays


def per_fit_snr(fits: Fits, loss: str, held_out: int) -> dict[str, object]:
    """Mean over fits of mean^2 / var along lag 1 on the largest sample, without bias from `held_out`."""
    return mean_interval(fits[f"{loss}_score"][:, -1, 0] ** 2 - 1 / held_out).as_json()


def size_exponent(fits: Fits, loss: str, train_sizes: tuple[int, ...]) -> dict[str, object]:
    """d log(gradient size) / d log(training sequences) over fits: -1/2 where only noise is left, else 0."""
    sizes = np.log(np.array(train_sizes))
    return mean_interval(np.polyfit(sizes, np.log(fits[f"{loss}_size"]).T, 1)[0]).as_json()


def measure_fits(config: Config, scale: float, *, key: PRNGKeyArray) -> Fits:
    """Per fit and training size: standard scores by lag, gradient sizes along lag 1; and label accuracy.

    A score is minus mean over sd of the derivative: positive when descent attends more to that lag.
    `scale` multiplies permuted sequences: 1 hides the class from the bag."""
    power = spectrum(ar1(config.length, config.correlation).autocovariance)
    one_fit = functools.partial(_measure_fit, power, scale, config)
    found = jax.jit(functools.partial(jax.lax.map, one_fit))(jax.random.split(key, config.seeds))
    return {name: np.asarray(array) for name, array in found.items()}


def draw_sample(
    power: Float[Array, " frequency"], count: int, scale: float, config: Config, *, key: PRNGKeyArray
) -> Sample:
    """Sequences of the order task, the permuted ones times `scale`, with i.i.d. masks."""
    task_key, mask_key = jax.random.split(key)
    tokens, labels = order_task(power, count, key=task_key)
    tokens = jnp.where(labels[:, None] == 1, scale * tokens, tokens)
    return Sample(tokens, labels, jax.random.bernoulli(mask_key, config.mask_probability, tokens.shape))


def _measure_fit(
    power: Float[Array, " frequency"], scale: float, config: Config, key: PRNGKeyArray
) -> dict[str, Float[Array, "..."]]:
    layer_key, data_key = jax.random.split(key)
    layer = draw_layer(config.features, config.feature_scale, key=layer_key)
    drawn = draw_sample(power, config.train_sizes[-1] + config.held_out, scale, config, key=data_key)
    held = Sample(*(part[: config.held_out] for part in drawn))
    train = Sample(*(part[config.held_out :] for part in drawn))
    sizes = [
        _measure_size(layer, Sample(*(part[:size] for part in train)), held, config.ridge)
        for size in config.train_sizes
    ]
    head = fit_head(layer, train, config.ridge)
    right = (head(pooled_batch(layer, held.tokens)) > 0) == (held.labels == 1)
    stacked = {name: jnp.stack([size[name] for size in sizes]) for name in sizes[0]}
    return stacked | {"accuracy": jnp.mean(right, dtype=float)}


def _measure_size(layer, seen: Sample, held: Sample, ridge: float) -> dict[str, Float[Array, "..."]]:
    along = {
        "label": label_gradients_along(layer, fit_head(layer, seen, ridge), held),
        "reconstruction": reconstruction_gradients_along(layer, fit_reader(layer, seen, ridge), held),
    }
    scores = {f"{loss}_score": -each.mean(axis=0) / each.std(axis=0, ddof=1) for loss, each in along.items()}
    sizes = {f"{loss}_size": jnp.sqrt(jnp.mean(each[:, 0] ** 2)) for loss, each in along.items()}
    return scores | sizes
