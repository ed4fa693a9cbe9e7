"""A trainable layer's plateau: its approach with attention frozen, its length once it is not.   [C19, C20]

A residual layer with tanh features on rings in order against the same bags permuted. Frozen at uniform
attention the head decays to 0 and the label's score gradient with it, while reconstruction's settles at
the law of C19. Released, everything trains from that point and small random scores; the length of the
plateau is predicted from the saddle of each seed's own set.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sims.experiments.plateau.phases import PlateauTask, frozen_labels, frozen_reconstruction, train_unfrozen
from sims.processes import ar1, permute_positions, sample, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress, reported
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL, BandVerdict, compare_all
from sims.statistics.exponents import Fitted, fitted, slopes
from sims.statistics.intervals import Interval, mean_interval
from sims.toy_models.residual_layer import draw_layer

DESCRIPTION = "a trainable layer's plateau: approach with attention frozen, predicted and measured length"
SECONDS = 14


@dataclasses.dataclass(frozen=True)
class Config:
    """Approach to the plateau and escape from it, over class contrast, scale and learning rate."""

    length: int = 8
    """L, tokens per sequence."""
    features: int = 8
    """Number of random features."""
    feature_scale: float = 3.0
    """Standard deviation of the random features' slopes."""
    value: float = -2.0
    """Value v of the label model; at -2 the mean token weighs no more than any other."""
    pairs: int = 48
    """Bags of tokens per data set; each gives an ordered and a permuted sequence."""
    correlations: tuple[float, ...] = (0.3, 0.5, 0.7)
    """rho of the ordered class, which sets the class contrast."""
    scales: tuple[float, ...] = (3e-3, 1e-2)
    """Standard deviation of the scores when attention starts to train."""
    learning_rates: tuple[float, ...] = (1.0, 2.0)
    """Learning rates of gradient descent on all parameters."""
    penalty: float = 1e-3
    """Ridge penalty of the label head."""
    size: float = 0.05
    """Root mean square of the scores at which the plateau counts as left."""
    loss_drop: float = 0.005
    """Fall of the label loss, in nats, at which its plateau ends."""
    head_scale: float = 0.3
    """Standard deviation of the initial label head."""
    moments: int = 9
    """Number of recorded times in the frozen phase, equally spaced."""
    frozen_time: float = 400.0
    """Length of the frozen phase, in time = learning rate x steps."""
    seeds: int = 12
    """Independent layers, sets and starts."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, pairs=self.pairs, moments=self.moments)
        at_least(1, features=self.features, correlations=len(self.correlations))
        between(0, 1, size=self.size, loss_drop=self.loss_drop)
        for correlation in self.correlations:
            between(-1, 1, correlation=correlation)
        for rate in self.learning_rates:
            between(0, 4, learning_rate=rate)
        if not 0 < max(self.scales) < self.size / 2:
            raise UserError(
                f"scales must lie between 0 and half of size={self.size}: got {max(self.scales)}; "
                f"try {self.size / 5}"
            )

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(
            length=5, features=2, pairs=24, correlations=(0.6,), scales=(1e-2,), learning_rates=(2.0,),
            moments=4, seeds=8,
        )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve; measured plateau lengths over predicted ones."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]
    plateau_time: Interval
    """Until the scores have left it."""
    plateau_time_of_loss: Interval
    """Until the loss has fallen."""
    longest_over_shortest_plateau: float
    label_gradient_left: Interval
    """Of the label's score gradient, at the end of the frozen phase."""
    log_log_slope: Fitted | None = None
    """Over settings; of a single one there is none."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """Frozen phase and release at every correlation, each beside its law."""
    samples: dict[str, list[np.ndarray]] = {}
    seeds = jax.random.split(key, config.seeds)
    for correlation in reported(config.correlations, report):
        power = spectrum(ar1(config.length, correlation).autocovariance)
        for name, array in _measured(power, config, seeds).items():
            samples.setdefault(name, []).append(np.asarray(array))
    return summary(config, {name: np.stack(arrays, axis=1) for name, arrays in samples.items()})


@functools.partial(jax.jit, static_argnames="config")
@functools.partial(jax.vmap, in_axes=(None, None, 0))
def _measured(power, config: Config, key: PRNGKeyArray) -> dict[str, Float[Array, "..."]]:
    layer_key, data_key, order_key, start_key, head_key = jax.random.split(key, 5)
    layer = draw_layer(config.features, config.feature_scale, key=layer_key)
    ordered = sample(power, config.pairs, key=data_key)
    tokens = jnp.concatenate([ordered, permute_positions(ordered, key=order_key)])
    labels = jnp.repeat(jnp.asarray([0.0, 1.0]), config.pairs)
    task = PlateauTask(config, layer, tokens, labels)
    noise = jax.random.normal(start_key, (config.length,) * 2)
    head = config.head_scale * jax.random.normal(head_key, (config.features + 1,)).at[-1].set(0.0)
    return train_unfrozen(task, noise) | frozen_labels(task, head) | frozen_reconstruction(task)


def summary(config: Config, samples: Arrays) -> tuple[Values, Arrays]:
    """Verdicts on both phases; measured plateau lengths against predicted ones over all settings."""
    seeds = config.seeds
    ratio = lambda name: (samples[name] / samples[f"{name}_predicted"]).reshape(seeds, -1)
    ones = np.ones(ratio("left").shape[1])
    decay = samples["frozen_label"] / samples["frozen_label_predicted"][:, :, :1]
    law = samples["frozen_label_predicted"] / samples["frozen_label_predicted"][:, :, :1]
    hidden = samples["frozen_hidden"] - samples["frozen_hidden_predicted"]
    hidden = hidden + samples["frozen_hidden_predicted"].mean(axis=0)
    verdicts, bands = compare_all(
        {
            "left": (ratio("left"), ones),
            "frozen_hidden": (hidden, samples["frozen_hidden_predicted"].mean(axis=0)),
        }
    )
    leading, more = compare_all(
        {"fell": (ratio("fell"), ones), "frozen_label": (decay - law + law.mean(axis=0), law.mean(axis=0))},
        exact=False,
    )
    values = Values(
        verdicts | leading,
        WHERE_THEORY_LEAVES,
        plateau_time=mean_interval(ratio("left").mean(axis=1), LEVEL),
        plateau_time_of_loss=mean_interval(ratio("fell").mean(axis=1), LEVEL),
        longest_over_shortest_plateau=float(samples["fell"].max() / samples["fell"].min()),
        label_gradient_left=mean_interval(decay[:, :, -1].mean(axis=1), LEVEL),
        log_log_slope=_over_settings(samples) if ones.size > 1 else None,
    )
    times = np.linspace(0, config.frozen_time, config.moments)
    return values, bands | more | samples | {"times": times}


def _over_settings(samples: Arrays) -> Fitted:
    """The exponent of measured plateau lengths in predicted ones, each seed's over all settings."""
    lengths = lambda name: np.log(samples[name]).reshape(len(samples[name]), -1)
    pairs = zip(lengths("left_predicted"), lengths("left"), strict=True)
    return fitted(np.array([slopes(law, each[None])[0] for law, each in pairs]), 1.0)


WHERE_THEORY_LEAVES = {
    "fell": "the law is that of the loss to second order, here carried to where the loss has fallen "
    "by loss_drop; other ways out than the steepest help",
    "frozen_label": "the law is first order in the head, which starts at head_scale",
}

__all__ = [
    "DESCRIPTION", "SECONDS", "WHERE_THEORY_LEAVES", "Config", "Values", "run",
    "summary",
]  # fmt: skip
