"""Exponents and slopes fitted to each seed by itself, so that their spread is the fit's standard error."""

import numpy as np
from jaxtyping import Float
from scipy import stats

from sims.bands import LEVEL


def slopes(
    at: Float[np.ndarray, " point"], samples: Float[np.ndarray, "seed point"]
) -> Float[np.ndarray, " seed"]:
    """The least-squares slope of each seed's curve."""
    return np.polyfit(np.asarray(at, float), np.asarray(samples, float).T, 1)[0]


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
    axis = np.log(at)
    measured, law = slopes(axis, np.log(samples)), slopes(axis, np.log(theory))
    return fitted(measured - law + law.mean(), float(law.mean()))
