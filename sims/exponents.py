"""Exponents and slopes fitted to each seed by itself, so that their spread is the fit's standard error."""

import numpy as np
from jaxtyping import Float
from scipy import stats

from sims.bands import LEVEL
from theory.claims.exponents import fitted_slope


def slopes(
    at: Float[np.ndarray, " point"], samples: Float[np.ndarray, "*seed point"]
) -> Float[np.ndarray, "*seed"]:
    """The least-squares slope of each seed's curve."""
    return np.asarray(fitted_slope(np.asarray(at, float), np.moveaxis(np.asarray(samples, float), -1, 0)))


def powers(
    at: Float[np.ndarray, " point"], sizes: Float[np.ndarray, "*seed point"]
) -> Float[np.ndarray, "*seed"]:
    """The exponent of each seed's sizes in `at`."""
    return slopes(np.log(at), np.log(sizes))


def fitted(samples: Float[np.ndarray, " seed"], predicted: float) -> dict[str, object]:
    """Mean over seeds of a fitted number, its standard error, and how many of them it lies from `predicted`.

    `inside`: whether it is within the 99 % interval, Student's t."""
    samples = np.asarray(samples, float)
    mean, error = float(samples.mean()), float(samples.std(ddof=1) / np.sqrt(samples.size))
    score = abs(mean - predicted) / error if error else float(mean != predicted)
    limit = float(stats.t.ppf((1 + LEVEL) / 2, samples.size - 1))
    found: dict[str, object] = {
        "measured": mean,
        "standard_error": error,
        "predicted": float(predicted),
        "z": score,
    }
    return found | {"limit_z": limit, "inside": score <= limit, "seeds": samples.size}


def paired(
    at: Float[np.ndarray, " point"],
    samples: Float[np.ndarray, "seed point"],
    theory: Float[np.ndarray, "seed point"],
) -> dict[str, object]:
    """The exponent of positive curves beside that of the theory's curve of the same seed."""
    measured, law = powers(at, samples), powers(at, theory)
    return fitted(measured - law + law.mean(), float(law.mean()))


def exponent(
    at: Float[np.ndarray, " point"],
    samples: Float[np.ndarray, "seed point"],
    predicted: float,
    asymptotic: float,
) -> dict[str, float]:
    """The exponent fitted to the mean over seeds, with its jackknife standard error, beside those predicted.

    `predicted` is the same fit to the theory's curve, `asymptotic` the claim's limit. Leaving out one seed
    at a time estimates the error of the fit to the mean, also where single seeds have no logarithm.
    """
    count, total = len(samples), samples.sum(axis=0)
    left_out = powers(at, (total[None] - samples) / (count - 1))
    error = float(np.sqrt((count - 1) / count * np.sum((left_out - left_out.mean()) ** 2)))
    measured = float(powers(at, total / count))
    z = abs(measured - predicted) / error if error > 0 else 0.0
    found = {"measured": measured, "standard_error": error, "predicted": predicted}
    return found | {"asymptotic": asymptotic, "z": z}
