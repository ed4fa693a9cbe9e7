"""What fine-tuning on labels does to a pretrained proximity kernel, with and without weight decay.   [C22]

The kernel comes from the reconstruction flow on an AR(1) process. Labels then train scores, values and head
of the minimal model on sampled batches, as free scores and as a product of queries and keys. What is
kept of the kernel is its projection on itself. The control is a model whose labels do see the kernel:
residual and squares before the pool, sequences in order against permuted ones.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.experiments.forgetting.arms import FACTORS, label_training
from sims.processes import ar1, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.store import UserError
from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL, BandVerdict, compare_all
from sims.statistics.exponents import Fitted, fitted, slopes
from sims.statistics.intervals import Interval, mean_interval
from sims.toy_models.flows import Clock, descend, reduced_gradient

DESCRIPTION = "what label fine-tuning and weight decay leave of a pretrained kernel"
SECONDS = 17


@dataclasses.dataclass(frozen=True)
class Config:
    """A pretrained kernel under label training with decoupled weight decay."""

    length: int = 16
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    pretraining_steps: int = 800
    """Steps of the reconstruction flow, at rate 0.25."""
    learning_rate: float = 0.1
    """Learning rate eta of label training."""
    decays: tuple[float, ...] = (0.0, 0.01, 0.03)
    """Weight decays lambda, increasing from 0 (fine-tuning without decay)."""
    steps: int = 600
    """Steps of label training."""
    records: int = 13
    """Number of recorded steps, the start included; records - 1 must divide steps."""
    batch: int = 64
    """Fresh labelled sequences per step."""
    label_shift: float = 0.3
    """Half the distance between the class means: the bag tells the class."""
    seeds: int = 16
    """Independent runs of label training."""

    def __post_init__(self) -> None:
        at_least(4, length=self.length)
        at_least(2, seeds=self.seeds, decays=len(self.decays))
        at_least(1, batch=self.batch, pretraining_steps=self.pretraining_steps)
        between(-1, 1, correlation=self.correlation)
        between(0, 2, learning_rate=self.learning_rate)
        if self.decays[0] != 0 or list(self.decays) != sorted(set(self.decays)):
            raise UserError(f"decays must increase from 0: got {self.decays}; try 0 0.01 0.03")
        between(-1, 1, learning_rate_times_largest_decay=self.learning_rate * max(self.decays))
        self.clock.require_even()

    @classmethod
    def smoke(cls) -> "Config":
        """The same measurement in seconds."""
        return cls(length=8, pretraining_steps=200, steps=60, records=4, batch=16, seeds=6, decays=(0.0, 0.1))

    @property
    def clock(self) -> Clock:
        """When label training is recorded."""
        return Clock(self.learning_rate, self.steps, self.records)


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """Verdicts by curve; by arm, fitted exponents n and the losses that notice."""

    inside: dict[str, BandVerdict]
    where_theory_leaves: dict[str, str]
    decays: tuple[float, ...]
    fitted_n: dict[str, tuple[Fitted, ...]]
    """At each decay but 0."""
    half_life_steps: tuple[float, ...]
    """At each decay but 0."""
    loss_without_the_kernel_minus_with: dict[str, tuple[Interval, ...]]
    """At each decay."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """What is kept of the kernel under labels, by arm and decay, and what the label loss notices."""
    progress = report or (lambda done, total: None)
    process = ar1(config.length, config.correlation)
    kernel = _pretrained_kernel(process.autocovariance, config.pretraining_steps)
    power, by_arm = spectrum(process.autocovariance), {}
    for done, (arm, one) in enumerate(zip(FACTORS, jax.random.split(key, len(FACTORS)), strict=True)):
        seeds = jax.random.split(one, config.seeds)
        by_arm[arm] = jax.tree.map(np.asarray, label_training(arm, power, kernel, config, seeds))
        progress(done + 1, len(FACTORS))
    return summary(config, np.asarray(kernel), by_arm)


def _pretrained_kernel(autocovariance: Float[Array, " lag"], steps: int) -> Float[Array, " lag"]:
    """g where the reduced reconstruction flow has come to, centred: softmax ignores its mean."""
    start = jnp.zeros_like(autocovariance), jnp.asarray(0.1)
    clock = Clock(0.25, steps, 2)
    kernel = descend(reduced_gradient(autocovariance), start, clock, key=jax.random.key(0))[0][-1]
    return kernel - kernel.mean()


def summary(config: Config, kernel: np.ndarray, by_arm: dict[str, Arrays]) -> tuple[Values, Arrays]:
    """Verdicts on (1 - eta lambda)^(n t), fitted exponents n, and the losses that notice."""
    moments = np.linspace(0, config.steps, config.records)
    law = {
        arm: np.stack([kept_by_law(config, decay, moments, factors) for decay in config.decays])
        for arm, factors in FACTORS.items()
    }
    curves = {f"kept_{arm}": (by_arm[arm]["kept"], law[arm]) for arm in FACTORS}
    control = {name: curves.pop(name) for name in WHERE_THEORY_LEAVES}
    verdicts, bands = compare_all(curves)
    outside, more = compare_all(control, exact=False)
    clock = moments[None] * np.log1p(-config.learning_rate * np.asarray(config.decays))[1:, None]
    fits = {
        arm: tuple(
            fitted(
                slopes(axis, np.log(np.abs(by_arm[arm]["kept"][:, index]))),
                float(factors),
                leaves=WHERE_THEORY_LEAVES.get(f"kept_{arm}", ""),
            )
            for index, axis in enumerate(clock, start=1)
        )
        for arm, factors in FACTORS.items()
    }
    by_decay = {
        arm: tuple(mean_interval(row, LEVEL) for row in one["noticed"].T) for arm, one in by_arm.items()
    }
    half_lives = tuple(float(theory.half_life(config.learning_rate, decay)) for decay in config.decays[1:])
    values = Values(verdicts | outside, WHERE_THEORY_LEAVES, config.decays, fits, half_lives, by_decay)
    return values, bands | more | {"steps": moments, "decays": np.array(config.decays), "kernel": kernel}


def kept_by_law(config: Config, decay: float, moments: np.ndarray, factors: int) -> np.ndarray:
    """(1 - eta lambda)^(n t) at every moment: `theory.forgotten_kernel` of a kernel of ones."""
    ones = jnp.ones(2)
    return np.array(
        [
            float(theory.forgotten_kernel(ones, config.learning_rate, decay, float(at), factors)[0])
            for at in moments
        ]
    )


WHERE_THEORY_LEAVES = {
    "kept_product": "a step moves both factors; the product of both moves is of second order in a batch's "
    "noise, with a mean that is not 0: the miss falls like one over the batch",
    "kept_seen": "the control: with a residual and squares before the pool labels see the kernel, outside "
    "the claim's regime",
}

__all__ = [
    "DESCRIPTION", "SECONDS", "WHERE_THEORY_LEAVES", "Config", "Values", "kept_by_law",
    "run", "summary",
]  # fmt: skip
