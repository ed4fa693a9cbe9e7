"""The flow of L kernel entries against the flow of L^2 scores against stochastic training.   [C12]

Reduced and full flow agree to rounding at every step; stochastic training follows them up to its own
noise, of order learning rate / batch. Time = learning rate x steps of the kernel (see `sims.toy_models.flows`).
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import theory
from sims.processes import Process, ar1, moving_average, require_taps, spectrum
from sims.runs.config_validation import at_least, between
from sims.runs.reporting import Arrays, Progress
from sims.runs.typed import Stored
from sims.statistics.intervals import ROUNDING_DIGITS, Interval, mean_interval
from sims.toy_models.flows import (
    Clock,
    Gradient,
    descend,
    full_gradient,
    label_gradient,
    masked_gradient,
    reduced_gradient,
)
from theory.probes.proximity import proximity_index

DESCRIPTION = "the theory's curve: reduced flow against full flow against stochastic training"
SECONDS = 11

Observed = dict[str, Float[Array, "time ..."]]


@dataclasses.dataclass(frozen=True)
class Config:
    """Reduced flow, full flow and stochastic training of the minimal model on two processes."""

    length: int = 32
    """L, tokens per sequence."""
    correlation: float = 0.8
    """rho of the AR(1) process."""
    taps: tuple[float, ...] = (1.0, 0.5, 1.0)
    """h of the moving average; at the default the best attention lies mostly two steps away."""
    learning_rate: float = 0.25
    """Learning rate of gradient descent (time per step); below 2 for a stable value."""
    steps: int = 2400
    """Gradient-descent steps."""
    records: int = 61
    """Number of recorded steps, the start included; records - 1 must divide steps."""
    initial_value: float = 0.1
    """v at time 0; scores start at 0."""
    batch: int = 128
    """Fresh sequences per step of stochastic training, one masked token in each."""
    seeds: int = 8
    """Independent runs of stochastic training."""
    window: int = 2
    """Half-width of the window of `proximity_index`."""
    label_shift: float = 0.3
    """Half the distance between the class means in the label-supervised control."""
    label_steps: int = 300
    """Steps of the label-supervised control."""

    def __post_init__(self) -> None:
        at_least(3, length=self.length)
        at_least(2, seeds=self.seeds)
        at_least(1, batch=self.batch, window=self.window, label_steps=self.label_steps)
        between(-1, 1, correlation=self.correlation)
        between(0, 2, learning_rate=self.learning_rate)
        require_taps(self.length, self.taps)
        self.clock.require_even()

    @classmethod
    def smoke(cls) -> "Config":
        """The same comparison in seconds."""
        return cls(length=8, steps=200, records=11, batch=64, seeds=3, label_steps=20)

    @property
    def clock(self) -> Clock:
        """When the flows are recorded."""
        return Clock(self.learning_rate, self.steps, self.records)


@dataclasses.dataclass(frozen=True)
class NearestNeighbour(Stored):
    """The best model that attends to the two neighbours only, and what the flow has come to."""

    loss: float
    value: float
    reached_loss: float
    reached_value: float
    reached_mass: float


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """By process: how far the flows lie apart, and where they end."""

    processes: tuple[str, ...]
    max_gap: dict[str, float]
    nearest_neighbour: dict[str, NearestNeighbour]
    proximity_index: dict[str, Interval]
    toy: dict[str, Interval]
    """What the comparison shows: the proximity index after reconstruction, and after labels."""


def run(config: Config, *, key: PRNGKeyArray, report: Progress = None) -> tuple[Values, Arrays]:
    """The three flows of each process and the label control."""
    processes = (ar1(config.length, config.correlation), moving_average(config.length, config.taps))
    keys = jax.random.split(key, len(processes) + 1)
    arrays: Arrays = {}
    gaps, neighbours, indices = {}, {}, {}
    for done, process in enumerate(processes):
        flows = follow(process, config, key=keys[done])
        arrays |= {f"{process.name}_{name}": array for name, array in flows.items()}
        gaps[process.name] = _reduced_full_gap(flows)
        neighbours[process.name] = nearest_neighbour(process, flows)
        indices[process.name] = mean_interval(flows["sgd_proximity_index"][:, -1])
        if report:
            report(done + 1, len(keys))
    label_index = mean_interval(_label_proximity(processes[0], config, key=keys[-1]))
    if report:
        report(len(keys), len(keys))
    names = tuple(process.name for process in processes)
    toy = {"proximity_index": indices["ar1"], "proximity_index_label": label_index}
    return Values(names, gaps, neighbours, indices, toy), arrays


def follow(process: Process, config: Config, *, key: PRNGKeyArray) -> Arrays:
    """All three flows of one process at the same moments, under the names they are stored by."""
    by_flow = _three_flows(process.autocovariance, spectrum(process.autocovariance), config, key)
    flows = {f"{flow}_{name}": array for flow, arrays in by_flow.items() for name, array in arrays.items()}
    flows["proximity_index"] = flows["reduced_proximity_index"]
    flows |= {"time": config.clock.times(), "autocovariance": process.autocovariance}
    return {name: np.asarray(array) for name, array in flows.items()}


@functools.partial(jax.jit, static_argnames="config")
def _three_flows(
    autocovariance: Float[Array, " lag"], power: Float[Array, " frequency"], config: Config, key: PRNGKeyArray
) -> dict[str, dict[str, Float[Array, "..."]]]:
    value, scores = jnp.asarray(config.initial_value), jnp.zeros((config.length, config.length))

    def flow(gradient: Gradient, start: Float[Array, "..."], seed: PRNGKeyArray) -> Observed:
        states = descend(gradient, (start, value), config.clock, key=seed)
        return _observe(*states, autocovariance, config.window)

    noisy = masked_gradient(power, config.batch)
    seeds = jax.random.split(key, config.seeds)
    return {
        "reduced": flow(reduced_gradient(autocovariance), scores[0], key),
        "full": flow(full_gradient(autocovariance), scores, key),
        "sgd": jax.vmap(lambda seed: flow(noisy, scores, seed))(seeds),
    }


def _observe(
    scores: Float[Array, "time ..."],
    values: Float[Array, " time"],
    autocovariance: Float[Array, " lag"],
    window: int,
) -> Observed:
    """Loss, value, mean circulant part of attention and proximity index of each recorded state."""
    if scores.ndim == 2:
        loss = jax.vmap(theory.reduced_loss, in_axes=(0, 0, None))(scores, values, autocovariance)
        weights = jax.vmap(theory.circulant)(jax.nn.softmax(scores, axis=-1))
    else:
        covariance = theory.circulant(autocovariance)
        loss = jax.vmap(theory.reconstruction_loss, in_axes=(0, 0, None))(scores, values, covariance)
        weights = jax.vmap(theory.attention_weights)(scores)
    return {
        "loss": loss,
        "value": values,
        "kernel": jax.vmap(theory.circulant_kernel)(weights),
        "proximity_index": jax.vmap(lambda one: proximity_index(one, window, cyclic=True))(weights),
    }


def _reduced_full_gap(flows: Arrays) -> float:
    """The largest difference of reduced and full flow in loss, value or attention, at any time.   [C12]"""
    return max(
        float(np.abs(flows[f"reduced_{name}"] - flows[f"full_{name}"]).max())
        for name in ("loss", "value", "kernel")
    )


def nearest_neighbour(process: Process, flows: Arrays) -> NearestNeighbour:
    """The flow's end beside the best model that attends to the two neighbours only, half on each.   [C12]"""
    length = len(process.autocovariance)
    scores = jnp.full(length, -jnp.inf).at[jnp.array([1, -1])].set(0.0)
    explained, power = process.autocovariance[1], (1 + process.autocovariance[2]) / 2
    kernel = flows["reduced_kernel"][-1]
    return NearestNeighbour(
        loss=float(theory.reduced_loss(scores, explained / power, process.autocovariance)),
        value=float(explained / power),
        reached_loss=float(flows["reduced_loss"][-1]),
        reached_value=float(flows["reduced_value"][-1]),
        reached_mass=float(kernel[1] + kernel[-1]),
    )


def _label_proximity(process: Process, config: Config, *, key: PRNGKeyArray) -> np.ndarray:
    """`proximity_index` of each seed after label training from the same start: key biases leave it.   [C2]"""
    gradient = label_gradient(spectrum(process.autocovariance), config.batch, config.label_shift)
    clock = Clock(config.learning_rate, config.label_steps, 2)
    start = jnp.zeros((config.length, config.length)), jnp.ones((1, 1))

    def train(seed: PRNGKeyArray) -> Float[Array, ""]:
        head_key, data_key = jax.random.split(seed)
        head = jax.random.normal(head_key, (2, 1))
        scores = descend(gradient, (*start, head), clock, key=data_key)[0][-1]
        return proximity_index(theory.attention_weights(scores), config.window, cyclic=True)

    indices = jax.jit(jax.vmap(train))(jax.random.split(key, config.seeds))
    return np.asarray(indices).round(ROUNDING_DIGITS)
