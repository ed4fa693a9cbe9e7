"""What a check of a claim is: a residual, a tolerance with a cause, and a verdict.

A counterexample is the same measurement in the nearest setting where the claim is false; it passes
when the residual exceeds the tolerance.
"""

import dataclasses
import functools
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import sympy
from jaxtyping import Array, Float, PRNGKeyArray

from theory.claims.checks.programs import program
from theory.claims.checks.tolerances import EXACT_FLOAT64, EXACT_SYMBOLIC, FINITE_DIFFERENCE, STANDARD_ERRORS

ONE_AT_A_TIME = threading.Lock()  # sympy's caches are not made for threads
KINDS = ("symbolic", "autodiff", "finite_difference", "simulation", "counterexample")


@dataclasses.dataclass(frozen=True)
class Check:
    """One residual against its tolerance."""

    kind: str
    name: str
    residual: float
    tolerance: float
    failed_at: tuple[int, ...] = ()
    """Which of several keys it failed at, counted from 0."""

    @property
    def passed(self) -> bool:
        """From 0 to the tolerance; for a counterexample, beyond it. NaN never passes, nor a residual below 0."""
        if self.kind == "counterexample":
            return self.residual > self.tolerance
        return 0 <= self.residual <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        """`{kind, name, passed, residual, tolerance}`; residuals that are not finite become null.

        And `failed_at`, where it failed at some of several keys.
        """
        residual = self.residual if math.isfinite(self.residual) else None
        record = {
            "kind": self.kind,
            "name": self.name,
            "passed": self.passed,
            "residual": residual,
            "tolerance": self.tolerance,
        }
        return record | ({"failed_at": list(self.failed_at)} if self.failed_at else {})


@dataclasses.dataclass(frozen=True)
class Procedure:
    """How a check is run; its kind and name are known before it is."""

    kind: str
    name: str
    tolerance: float
    residuals: Callable[[Sequence[PRNGKeyArray]], list[float]]
    """The residual at each of several keys."""

    def residual(self, key: PRNGKeyArray) -> float:
        """The residual at one key."""
        return self.residuals([key])[0]

    def __call__(self, key: PRNGKeyArray) -> Check:
        """The check, run with this key."""
        return Check(self.kind, self.name, self.residual(key), self.tolerance)

    def worst(self, keys: Sequence[PRNGKeyArray]) -> Check:
        """The check at that of these keys where it fails most, or comes closest to failing."""
        checks = [Check(self.kind, self.name, each, self.tolerance) for each in self.residuals(keys)]
        sign = -1 if self.kind == "counterexample" else 1
        badness = lambda check: math.inf if math.isnan(check.residual) else sign * check.residual
        failed = tuple(index for index, check in enumerate(checks) if not check.passed)
        return dataclasses.replace(max(checks, key=badness), failed_at=failed if len(keys) > 1 else ())


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement of at most three sentences, where it holds and how exactly, its formula in LaTeX, how it is
    checked, and, where three sentences do not hold it, the claim in full."""

    label: str
    title: str
    statement: str
    regime: str
    formula: str
    checks: tuple[Procedure, ...]
    details: str = ""

    @property
    def full(self) -> str:
        """All that is claimed."""
        return self.details or self.statement

    def outcomes(
        self, *, keys: Sequence[PRNGKeyArray], each: Callable[..., Iterable["Check"]] = map
    ) -> Iterable["Check"]:
        """Every check at its worst over these keys, from each of which it gets one of its own.

        `each` is `map`, or one that runs checks side by side.
        """
        split = [list(jax.random.split(key, len(self.checks))) for key in keys]
        return each(lambda check, *its_keys: check.worst(its_keys), self.checks, *split)

    def verify(self, *, key: PRNGKeyArray) -> "ClaimVerdict":
        """Run every check; `key` feeds all that is random in them."""
        return ClaimVerdict(self, tuple(self.outcomes(keys=[key])))


@dataclasses.dataclass(frozen=True)
class ClaimVerdict:
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
            "details": self.claim.details,
            "regime": self.claim.regime,
            "formula": self.claim.formula,
            "passed": self.passed,
            "checks": [check.as_json() for check in self.checks],
        }


def symbolic(name: str, differences: Callable[[], Iterable[sympy.Expr]]) -> Procedure:
    """Exact: residual = how many of the differences sympy cannot bring to the number 0."""

    def remaining(keys: Sequence[PRNGKeyArray]) -> list[float]:
        with ONE_AT_A_TIME:  # no key enters, so that once is enough
            return [float(sum(sympy.simplify(difference) != 0 for difference in differences()))] * len(keys)

    return Procedure("symbolic", name, EXACT_SYMBOLIC, remaining)


def measure(gap: Callable[[PRNGKeyArray], Float[Array, ""]], key: PRNGKeyArray) -> float:
    """The number that `gap` computes, compiled as one program."""
    return measure_each(gap, [key])[0]


def measure_each(
    gap: Callable[[PRNGKeyArray], Float[Array, ""]], keys: Sequence[PRNGKeyArray]
) -> list[float]:
    """The number that `gap` computes at each key: its draws, then the rest compiled as one program.

    Each runs once or a few times, so compiling is nearly all of its cost: the compiler is told not to
    optimise, which is three times as fast as both the default and running operation by operation.
    """
    fresh = lambda key: gap(
        key
    )  # jax keeps what it has traced of `gap`: a formula planted since would not count
    run = program(fresh, keys[0])
    return [float(run(key)) for key in keys]


def autodiff(
    name: str, gap: Callable[[PRNGKeyArray], Float[Array, ""]], tolerance: float = EXACT_FLOAT64
) -> Procedure:
    """Closed form against `jax.grad`, or two exact routes to one number, in float64."""
    return Procedure("autodiff", name, tolerance, functools.partial(measure_each, gap))


def finite_difference(name: str, gap: Callable[[PRNGKeyArray], Float[Array, ""]]) -> Procedure:
    """Closed form against central differences."""
    return Procedure("finite_difference", name, FINITE_DIFFERENCE, functools.partial(measure_each, gap))


def simulation(name: str, deviation: Callable[[PRNGKeyArray], Float[Array, ""]]) -> Procedure:
    """Monte Carlo: the deviation is in standard errors, see `standard_errors_off`."""
    return Procedure("simulation", name, STANDARD_ERRORS, functools.partial(measure_each, deviation))


def counterexample(
    name: str, gap: Callable[[PRNGKeyArray], Float[Array, ""]], tolerance: float = EXACT_FLOAT64
) -> Procedure:
    """The measurement `gap` of a check, with that check's tolerance, where the claim is false."""
    return Procedure("counterexample", name, tolerance, functools.partial(measure_each, gap))


def relative_gap(
    observed: Float[Array, "*axes"], expected: Float[Array, "*axes"], scale: Float[Array, "..."] | None = None
) -> Float[Array, ""]:
    """max |observed - expected| / max |scale|; the scale is `expected` unless that is 0 by the claim."""
    return jnp.abs(observed - expected).max() / jnp.abs(expected if scale is None else scale).max()


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
    """Worst of |mean - expected| / standard error, over entries and along the expected values as a whole.

    The latter is the mean of w . sample with w = expected / variance: of all weightings of independent entries
    the most sensitive to an error that they share. It is 0 where everything is expected to be 0.
    """
    rows = samples.reshape(len(samples), -1)
    law = jnp.broadcast_to(expected, samples.shape[1:]).ravel()
    variance = rows.var(axis=0, ddof=1)
    along = rows @ (weights := law / variance)
    error = jnp.sqrt(jnp.append(variance, along.var(ddof=1)) / len(rows))
    off = jnp.abs(jnp.append(rows.mean(axis=0) - law, along.mean() - weights @ law))
    silent = jnp.append(jnp.zeros(law.shape, bool), ~jnp.any(law != 0))
    return jnp.where(silent, 0.0, off / jnp.where(silent, 1.0, error)).max()
