"""Two classes of one sequence law each, with a dial for how far their second moments lie apart.   [C7]

kappa is exact for any tokens of zero mean, along any direction with diagonal 0. At kappa = 0 no label
gradient of the contrast law's setting is left on average; whether a class can be told at all depends on
higher moments, which the mirrored and negated pairs keep apart.
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

import theory
from sims.processes.gaussian_ring import ar1
from sims.processes.process import Process
from sims.processes.runs import ring_runs
from sims.runs.store import UserError


@dataclasses.dataclass(frozen=True)
class ClassPair:
    """Label y has the law of `classes[y]`; labels are fair coins."""

    name: str
    classes: tuple[Process, Process]

    def __post_init__(self) -> None:
        lengths = [process.length for process in self.classes]
        if lengths[0] != lengths[1]:
            raise UserError(f"both classes must have one length: got {lengths[0]} and {lengths[1]}; try one")

    @property
    def covariances(self) -> Float[Array, "classes query key"]:
        """C_0 and C_1."""
        return jnp.stack([process.covariance for process in self.classes])

    def contrast(self, direction: Float[Array, "query key"]) -> theory.Contrast:
        """Pooled value and kappa along D, exact; omega and delta for Gaussian tokens.   [C7]"""
        return theory.class_contrast(direction, self.covariances)

    def sample(
        self, key: PRNGKeyArray, number: int
    ) -> tuple[Float[Array, "number length"], Int[Array, " number"]]:
        """`number` independent labelled sequences."""
        label_key, *class_keys = jax.random.split(key, 3)
        labels = jax.random.bernoulli(label_key, 0.5, (number,)).astype(jnp.int32)
        zero, one = (process.sample(k, number) for process, k in zip(self.classes, class_keys, strict=True))
        return jnp.where(labels[:, None] == 1, one, zero), labels


def mixed_pair(process: Process, kappa: float) -> ClassPair:
    """Class y is sqrt(a_y) x + sqrt(1 - a_y) e, a_y = (1 +- kappa) / 2, e white: C_y(r) = a_y C(r), r != 0.

    kappa = (a_1 - a_0) / (a_1 + a_0) along every direction with diagonal 0. All tokens have variance 1.

    Raises UserError unless 0 <= kappa <= 1.
    """
    require_kappa(kappa)
    return ClassPair("mixed", (_with_noise(process, (1 - kappa) / 2), _with_noise(process, (1 + kappa) / 2)))


def require_kappa(kappa: float) -> None:
    """Raise `UserError` unless 0 <= kappa <= 1."""
    if not 0 <= kappa <= 1:
        raise UserError(f"kappa must lie within 0..1: got {kappa}; try 0.5")


def mirror_pair(process: Process) -> ClassPair:
    """Class 1 is class 0 read backwards: equal C, equal bags. One law for any Gaussian process."""
    return ClassPair("mirror", (process, mirrored(process)))


def sign_pair(process: Process) -> ClassPair:
    """Class 1 is minus class 0: equal even moments; a skewed token tells the class to a bag."""
    return ClassPair("sign", (process, negated(process)))


def shape_pair(length: int, correlation: float) -> ClassPair:
    """Gaussian AR(1) against +-1 runs on a ring: equal C, and a bag tells the class from one token.

    Raises UserError when L < 3 or |rho| >= 1.
    """
    return ClassPair("shape", (ar1(length, correlation), ring_runs(length, correlation)))


def _with_noise(process: Process, share: float) -> Process:
    """sqrt(a) x + sqrt(1 - a) e, e white Gaussian, a the share: C(r) times a but for C(0) = 1."""

    def draw(key: PRNGKeyArray, number: int) -> Float[Array, "number length"]:
        token_key, noise_key = jax.random.split(key)
        tokens = process.sample(token_key, number)
        noise = jax.random.normal(noise_key, tokens.shape, tokens.dtype)
        return jnp.sqrt(share) * tokens + jnp.sqrt(1 - share) * noise

    autocovariance = (share * process.autocovariance).at[0].set(1.0)
    power = share * process.power + (1 - share)
    return dataclasses.replace(process, autocovariance=autocovariance, power=power, draw=draw)


def mirrored(process: Process) -> Process:
    """x_{L-1-i}: the same autocovariance."""
    draw = lambda key, number: process.sample(key, number)[:, ::-1]
    return dataclasses.replace(process, name=f"{process.name}_mirrored", draw=draw)


def negated(process: Process) -> Process:
    """-x: the same even moments."""
    draw = lambda key, number: -process.sample(key, number)
    return dataclasses.replace(process, name=f"{process.name}_negated", draw=draw)
