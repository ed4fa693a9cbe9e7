"""What a check of a claim is: a residual, a tolerance with a cause, and a verdict.

A counterexample is the same measurement in the nearest setting where the claim is false; it passes
when the residual exceeds the tolerance.
"""

import contextlib
import dataclasses
import functools
import math
import threading
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

from theory.tolerances import EXACT_FLOAT64, EXACT_SYMBOLIC, FINITE_DIFFERENCE, STANDARD_ERRORS

WANTED = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,  # halves the time of these compilations
}
ONE_AT_A_TIME = threading.Lock()  # sympy's caches are not made for threads
KINDS = ("symbolic", "autodiff", "finite_difference", "simulation", "counterexample")


@dataclasses.dataclass(frozen=True)
class Check:
    """One residual against its tolerance."""

    kind: str
    name: str
    residual: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Within tolerance; for a counterexample, beyond it. NaN never passes."""
        if self.kind == "counterexample":
            return self.residual > self.tolerance
        return self.residual <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        """`{kind, name, passed, residual, tolerance}`; residuals that are not finite become null."""
        residual = self.residual if math.isfinite(self.residual) else None
        return {
            "kind": self.kind,
            "name": self.name,
            "passed": self.passed,
            "residual": residual,
            "tolerance": self.tolerance,
        }


@dataclasses.dataclass(frozen=True)
class Procedure:
    """How a check is run; its kind and name are known before it is."""

    kind: str
    name: str
    tolerance: float
    residual: Callable[[PRNGKeyArray], float]

    def __call__(self, key: PRNGKeyArray) -> Check:
        """The check, run with this key."""
        return Check(self.kind, self.name, self.residual(key), self.tolerance)


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement, where it holds and how exactly, its formula in LaTeX, and how it is checked."""

    label: str
    title: str
    statement: str
    regime: str
    formula: str
    checks: tuple[Procedure, ...]

    def outcomes(
        self, *, key: PRNGKeyArray, each: Callable[..., Iterable["Check"]] = map
    ) -> Iterable["Check"]:
        """Every check, run on a key of its own; `each` is `map`, or one that runs them side by side."""
        keys = jax.random.split(key, len(self.checks))
        return each(lambda check, its_key: check(its_key), self.checks, keys)

    def verify(self, *, key: PRNGKeyArray) -> "Verdict":
        """Run every check; `key` feeds all that is random in them."""
        return Verdict(self, tuple(self.outcomes(key=key)))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim and what its checks found."""

    claim: Claim
    checks: tuple[Check, ...]

    @property
    def label(self) -> str:
        return self.claim.label

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The claim's text and its checks, ready for `json.dumps`."""
        return {
            "claim": self.label,
            "title": self.claim.title,
            "statement": self.claim.statement,
            "regime": self.claim.regime,
            "formula": self.claim.formula,
            "passed": self.passed,
            "checks": [check.as_json() for check in self.checks],
        }


def symbolic(name: str, differences: Callable[[], Iterable[sympy.Expr]]) -> Procedure:
    """Exact: residual = how many of the differences sympy cannot bring to the number 0."""

    def remaining(key: PRNGKeyArray) -> float:
        with ONE_AT_A_TIME:
            return float(sum(sympy.simplify(difference) != 0 for difference in differences()))

    return Procedure("symbolic", name, EXACT_SYMBOLIC, remaining)


@functools.cache
def quick_compilation() -> dict[str, bool | int]:
    """The compiler options among `WANTED` that this version of XLA knows."""
    known = {}
    for name, value in WANTED.items():
        with contextlib.suppress(Exception):  # what an unknown option raises differs between versions
            jax.jit(lambda: jnp.zeros(()), compiler_options={name: value}).lower().compile()
            known[name] = value
    return known


def measure(gap: Callable[[PRNGKeyArray], Float[Array, ""]], key: PRNGKeyArray) -> float:
    """The number that `gap` computes, compiled as one program.

    Each runs once, so compiling is nearly all of its cost: the compiler is told not to optimise,
    which is three times as fast as both the default and running operation by operation.
    """
    return float(jax.jit(gap, compiler_options=quick_compilation())(key))


def autodiff(
    name: str, gap: Callable[[PRNGKeyArray], Float[Array, ""]], tolerance: float = EXACT_FLOAT64
) -> Procedure:
    """Closed form against `jax.grad`, or two exact routes to one number, in float64."""
    return Procedure("autodiff", name, tolerance, functools.partial(measure, gap))


def finite_difference(name: str, gap: Callable[[PRNGKeyArray], Float[Array, ""]]) -> Procedure:
    """Closed form against central differences."""
    return Procedure("finite_difference", name, FINITE_DIFFERENCE, functools.partial(measure, gap))


def simulation(name: str, deviation: Callable[[PRNGKeyArray], Float[Array, ""]]) -> Procedure:
    """Monte Carlo: the deviation is in standard errors, see `standard_errors_off`."""
    return Procedure("simulation", name, STANDARD_ERRORS, functools.partial(measure, deviation))


def counterexample(
    name: str, gap: Callable[[PRNGKeyArray], Float[Array, ""]], tolerance: float = EXACT_FLOAT64
) -> Procedure:
    """The measurement `gap` of a check, with that check's tolerance, where the claim is false."""
    return Procedure("counterexample", name, tolerance, functools.partial(measure, gap))


def relative_gap(
    found: Float[Array, "*axes"], expected: Float[Array, "*axes"], scale: Float[Array, "..."] | None = None
) -> Float[Array, ""]:
    """max |found - expected| / max |scale|; the scale is `expected` unless that is 0 by the claim."""
    return jnp.abs(found - expected).max() / jnp.abs(expected if scale is None else scale).max()


def finite_difference_gap(
    function: Callable[[Float[Array, "*axes"]], Float[Array, ""]],
    gradient: Float[Array, "*axes"],
    at: Float[Array, "*axes"],
    *,
    key: PRNGKeyArray,
    directions: Float[Array, "number *axes"] | None = None,
    scale: Float[Array, ""] | None = None,
) -> Float[Array, ""]:
    """Worst over directions D of |(f(S + hD) - f(S - hD)) / 2h - <G, D>| / |G|, h = eps^(1/3).

    Eight Gaussian directions unless given. `scale` replaces |G| where the claim says that G is 0.
    """
    if directions is None:
        directions = jax.random.normal(key, (8, *at.shape), at.dtype)
    step = float(jnp.finfo(at.dtype).eps) ** (1 / 3)

    ends = at[None] + step * jnp.concatenate([directions, -directions])
    ahead, behind = jnp.split(jax.vmap(function)(ends), 2)
    predicted = jax.vmap(lambda direction: jnp.vdot(gradient, direction))(directions)
    size = jnp.linalg.norm(gradient.ravel()) if scale is None else scale
    return jnp.abs((ahead - behind) / (2 * step) - predicted).max() / size


def standard_errors_off(
    samples: Float[Array, "sample *axes"], expected: Float[Array, "*axes"]
) -> Float[Array, ""]:
    """Worst over entries of |mean - expected| / standard error, over independent samples."""
    error = samples.std(axis=0, ddof=1) / jnp.sqrt(1.0 * len(samples))
    return (jnp.abs(samples.mean(axis=0) - expected) / error).max()
