"""Gradient flows of the minimal model by Euler steps: reduced, full, and on samples.   [C12]

A flow is a gradient over a state (first entry: scores or kernel) and `descend`. Time = learning rate x
steps of the kernel. dl/dg_r = L dl/dS_{i,i+r}, so the gradients in scores are multiplied by L here:
then one clock serves kernel and scores.
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

import theory
from sims.processes import sample
from sims.runs.store import UserError

State = tuple[Float[Array, "..."], ...]
Gradient = Callable[[State, PRNGKeyArray], State]


@dataclasses.dataclass(frozen=True)
class Clock:
    """How long a flow runs and how often it is looked at."""

    learning_rate: float
    """Learning rate of gradient descent (time per step)."""
    steps: int
    """All steps; `records - 1` must divide it."""
    records: int
    """Moments recorded, the start and the end included."""

    def require_even(self) -> None:
        """Raise `UserError` unless `records - 1` divides `steps`."""
        gaps = self.records - 1
        if gaps < 1 or self.steps < gaps or self.steps % gaps:
            fits = max(gaps, 1) * max(1, self.steps // max(gaps, 1))
            raise UserError(
                f"records - 1 must divide steps: got records={self.records}, steps={self.steps}; "
                f"try steps={fits}, records={max(gaps, 1) + 1}"
            )

    @property
    def steps_per_record(self) -> int:
        """Steps between two recorded moments."""
        return self.steps // (self.records - 1)

    def times(self) -> Float[Array, " time"]:
        """The recorded moments, in units of learning rate x steps."""
        return jnp.arange(self.records, dtype=float) * (self.steps_per_record * self.learning_rate)


def descend(gradient: Gradient, start: State, clock: Clock, *, key: PRNGKeyArray) -> State:
    """state <- state - learning_rate gradient(state): every recorded state, stacked along time first.

    Step n draws from fold_in(key, n)."""
    each = clock.steps_per_record

    def step(state: State, number: Int[Array, ""]) -> tuple[State, None]:
        slope = gradient(state, jax.random.fold_in(key, number))
        return jax.tree.map(lambda old, rate: old - clock.learning_rate * rate, state, slope), None

    def stretch(state: State, numbers: Int[Array, " step"]) -> tuple[State, State]:
        return jax.lax.scan(step, state, numbers)[0], state

    numbers = jnp.arange(clock.steps).reshape(clock.records - 1, each)
    last, before = jax.lax.scan(stretch, start, numbers)
    return jax.tree.map(lambda past, end: jnp.concatenate([past, end[None]]), before, last)


def reduced_gradient(autocovariance: Float[Array, " lag"]) -> Gradient:
    """(dl/dg, dl/dv) of `theory.reduced_loss`, in closed form."""

    def gradient(state: State, _: PRNGKeyArray) -> State:
        kernel, value = state
        return (
            theory.reconstruction_kernel_gradient(kernel, value, autocovariance),
            theory.reduced_value_gradient(kernel, value, autocovariance),
        )

    return gradient


def full_gradient(autocovariance: Float[Array, " lag"]) -> Gradient:
    """(L dl/dS, dl/dv) of `theory.reconstruction_loss`, by automatic differentiation."""
    covariance = theory.circulant(autocovariance)

    def gradient(state: State, _: PRNGKeyArray) -> State:
        scores, value = state
        slope, value_slope = jax.grad(theory.reconstruction_loss, argnums=(0, 1))(scores, value, covariance)
        return len(scores) * slope, value_slope

    return gradient


def masked_batch_loss(
    scores: Float[Array, "query key"],
    value: Float[Array, ""],
    tokens: Float[Array, "batch key"],
    hidden: Int[Array, " batch"],
) -> Float[Array, ""]:
    """1/2 mean_n (x_{n,i} - H_i(x_n with token i set to 0))^2, i = hidden[n]: a sampled loss.   [C8]"""
    rows = jnp.arange(len(tokens))
    masked = tokens.at[rows, hidden].set(0)
    attend = jax.vmap(theory.mixed, in_axes=(None, 0, None))
    written = attend(scores, masked[:, :, None], value[None, None])[rows, hidden, 0]
    return 0.5 * jnp.mean((tokens[rows, hidden] - written) ** 2)


def masked_gradient(power: Float[Array, " frequency"], batch: int) -> Gradient:
    """(L dl/dS, dl/dv) on a fresh batch of sequences, one token of each masked at random."""

    def gradient(state: State, key: PRNGKeyArray) -> State:
        scores, value = state
        tokens_key, hidden_key = jax.random.split(key)
        tokens = sample(power, batch, key=tokens_key)
        hidden = jax.random.randint(hidden_key, (batch,), 0, len(power))
        slope, value_slope = jax.grad(masked_batch_loss, argnums=(0, 1))(scores, value, tokens, hidden)
        return len(scores) * slope, value_slope

    return gradient


def shifted_task(
    power: Float[Array, " frequency"], count: int, shift: float, *, key: PRNGKeyArray
) -> tuple[Float[Array, "batch length width"], Int[Array, " batch"]]:
    """Sequences of the process moved by -shift (label 0) or +shift (label 1): the bag tells the class."""
    tokens_key, label_key = jax.random.split(key)
    labels = jax.random.bernoulli(label_key, 0.5, (count,)).astype(jnp.int32)
    side = (2 * labels - 1).astype(power.dtype)
    return (sample(power, count, key=tokens_key) + shift * side[:, None])[:, :, None], labels


def label_gradient(power: Float[Array, " frequency"], batch: int, shift: float) -> Gradient:
    """(L dl/dS, dl/dV, dl/dW) of `theory.label_loss` on a fresh batch of `shifted_task`."""

    def batch_loss(state: State, tokens: Float[Array, "..."], labels: Int[Array, "..."]) -> Float[Array, ""]:
        losses = jax.vmap(theory.label_loss, in_axes=(None, 0, None, None, 0))
        scores, value_map, head = state
        return losses(scores, tokens, value_map, head, labels).mean()

    def gradient(state: State, key: PRNGKeyArray) -> State:
        slope, *fast = jax.grad(batch_loss)(state, *shifted_task(power, batch, shift, key=key))
        return (len(slope) * slope, *fast)

    return gradient
