"""Exponents and slopes fitted to simulated curves, each with the standard error that its seeds give it.

A number fitted to every seed by itself has the error of a mean. Where single seeds have no logarithm the
fit is to the mean over seeds, and its error is the jackknife's: one seed left out at a time.
"""

import dataclasses

import numpy as np
from jaxtyping import Float
from scipy import stats

from sims.runs.typed import Stored
from sims.statistics.bands import LEVEL
from theory.claims.checks.exponents import fitted_slope
from theory.claims.checks.tolerances import EXACT_FLOAT64


@dataclasses.dataclass(frozen=True)
class Fitted(Stored):
    """A fitted number beside the predicted one."""

    measured: float
    """Mean over seeds."""
    standard_error: float
    predicted: float
    z: float
    """Their distance, in standard errors."""
    limit_z: float
    """Half the width of the 99 % interval, in standard errors."""
    within_one_standard_error: bool
    inside: bool
    """Whether the predicted number lies in the 99 % interval, Student's t."""
    verdict: str
    """The same in words, and why it need not be so."""
    seeds: int
    asymptotic: float | None = None
    """The claim's limit, where it states one."""
    first_order: float | None = None
    """The exponent of a first-order law, where there is one."""


def slopes(
    at: Float[np.ndarray, " point"],
    samples: Float[np.ndarray, "*seed point"],
    weights: Float[np.ndarray, " point"] | None = None,
) -> Float[np.ndarray, "*seed"]:
    """The least-squares slope of each seed's curve."""
    curves = np.moveaxis(np.asarray(samples, float), -1, 0)
    return np.asarray(fitted_slope(np.asarray(at, float), curves, weights))


def powers(
    at: Float[np.ndarray, " point"],
    sizes: Float[np.ndarray, "*seed point"],
    weights: Float[np.ndarray, " point"] | None = None,
) -> Float[np.ndarray, "*seed"]:
    """The exponent of each seed's sizes in `at`."""
    return slopes(np.log(at), np.log(sizes), weights)


def fitted(samples: Float[np.ndarray, " seed"], predicted: float, *, leaves: str = "") -> Fitted:
    """The mean over seeds of a fitted number beside `predicted`; `leaves`: why they need not agree."""
    samples = np.asarray(samples, float)
    mean, error = float(samples.mean()), float(samples.std(ddof=1) / np.sqrt(samples.size))
    score = abs(mean - predicted) / error if error else float(mean != predicted)
    limit = float(stats.t.ppf((1 + LEVEL) / 2, samples.size - 1))
    words = verdict(score <= limit, samples.size, leaves)
    return Fitted(
        mean, error, float(predicted), score, limit, score <= 1, score <= limit, words, samples.size
    )


def verdict(inside: bool, seeds: int, leaves: str = "") -> str:
    """How a fitted number lies to the predicted one; of true ones 99 in 100 lie inside."""
    reason = f": {leaves}" if leaves else ""
    return f"the theory lies {'inside' if inside else 'outside'} the {LEVEL:.0%} interval of {seeds} seeds{reason}"


def paired(
    at: Float[np.ndarray, " point"],
    samples: Float[np.ndarray, "seed point"],
    theory: Float[np.ndarray, "seed point"],
    *,
    leaves: str = "",
) -> Fitted:
    """The exponent of positive curves beside that of the theory's curve of the same seed."""
    measured, law = powers(at, samples), powers(at, theory)
    return fitted(measured - law + law.mean(), float(law.mean()), leaves=leaves)


def exponent(
    at: Float[np.ndarray, " point"],
    samples: Float[np.ndarray, "seed point"],
    theory: Float[np.ndarray, " point"],
    asymptotic: float,
) -> Fitted:
    """The exponent of the mean over seeds beside that of the theory's curve; `asymptotic`: the claim's limit.

    Points weigh (theory/standard error)^2, the precision of the mean's logarithm, alike in both fits. The
    jackknife's pseudo-values n fit - (n - 1) fit without the seed have the fit's error as their mean's.
    """
    count, total = len(samples), samples.sum(axis=0)
    weights = 1 / (samples.var(axis=0, ddof=1) / theory**2 + EXACT_FLOAT64**2)
    fit = lambda means: powers(at, np.abs(means), weights)
    whole, without = fit(total / count), fit((total[None] - samples) / (count - 1))
    one = fitted(count * whole - (count - 1) * without, float(fit(theory)))
    return dataclasses.replace(one, asymptotic=asymptotic)
