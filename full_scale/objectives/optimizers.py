"""AdamW, its learning rate over a phase, and the bound on its gradients. Unit of time: optimiser steps."""

import dataclasses
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from sims.runs.store import UserError

Decay = Literal["cosine", "constant"]


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with linear warm-up to a peak, then cosine decay to 0 or a constant rate."""

    learning_rate: float = 1e-3
    """Peak learning rate."""
    warmup: float = 0.1
    """Share of the phase's steps spent warming up."""
    weight_decay: float = 0.01
    """Decoupled weight decay, on all parameters."""
    schedule: Decay = "cosine"
    """After warming up: cosine decay to 0 at the phase's end, or constant."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Memory of the gradient's mean and of its square."""
    clip: float | None = None
    """Largest global norm of a gradient; longer ones are scaled down to it. None: never."""

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise UserError(f"learning rate must be positive: got {self.learning_rate}; try 1e-3")
        if not 0 <= self.warmup < 1:
            raise UserError(f"warmup is a share of the steps, in [0, 1): got {self.warmup}; try 0.1")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise UserError(f"betas must lie in [0, 1): got {self.betas}; try 0.9 0.999")
        if self.clip is not None and not self.clip > 0:
            raise UserError(f"clip must be positive: got {self.clip}; try 1.0")


class Schedule(eqx.Module):
    """Linear warm-up over `warm` steps to `peak`, then cosine decay to 0 at `steps`, or none.

    Its numbers are traced, so that one compiled program serves every setting of a sweep (optax's own
    schedules branch on theirs in Python).
    """

    peak: Float[Array, ""]
    warm: Float[Array, ""]
    steps: Float[Array, ""]
    weight_decay: Float[Array, ""]
    clip: Float[Array, ""] | None
    betas: tuple[float, float] = eqx.field(static=True)
    decay: Decay = eqx.field(static=True)

    @classmethod
    def of(cls, config: OptimizerConfig, steps: int) -> "Schedule":
        """The schedule of a phase of this many steps."""
        number = lambda value: jnp.asarray(value, jnp.float32)
        return cls(
            peak=number(config.learning_rate),
            warm=number(round(config.warmup * steps)),
            steps=number(steps),
            weight_decay=number(config.weight_decay),
            clip=None if config.clip is None else number(config.clip),
            betas=config.betas,
            decay=config.schedule,
        )

    def rate(self, step: Int[Array, ""]) -> Float[Array, ""]:
        """Learning rate of a step."""
        time = step.astype(jnp.float32)
        falling = jnp.float32(1)
        if self.decay == "cosine":
            share = (time - self.warm) / jnp.maximum(self.steps - self.warm, 1)
            falling = 0.5 * (1 + jnp.cos(jnp.pi * jnp.clip(share, 0, 1)))
        return self.peak * jnp.where(time < self.warm, time / jnp.maximum(self.warm, 1), falling)

    def optimizer(self) -> optax.GradientTransformation:
        """AdamW with this schedule."""
        return optax.adamw(self.rate, *self.betas, weight_decay=self.weight_decay)

    def bounded(self, gradient: PyTree) -> PyTree:
        """The gradient, scaled down where its global norm is above `clip`."""
        if self.clip is None:
            return gradient
        scale = jnp.minimum(1, self.clip / jnp.maximum(optax.tree.norm(gradient), 1e-30))
        return optax.tree.scale(scale, gradient)
