"""A theory's curve against the confidence band of its simulation, and whether it lies inside.

The band is Student's t over independent seeds, widened (Bonferroni) so that *all* points of a curve lie
inside together with the stated chance when the theory is true. So one point outside is a disagreement.
"""

import dataclasses

import numpy as np
from jaxtyping import Float
from scipy import stats

from sims.runs.store import UserError
from sims.runs.typed import Stored
from theory.claims.checks.tolerances import EXACT_FLOAT64

LEVEL = 0.99
Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class BandVerdict(Stored):
    """How a theory's curve lies in the band of its simulation."""

    inside: float
    """Share of the curve's points inside."""
    points: int
    worst_z: float | None
    """Largest distance from the simulation's mean, in its standard errors; 0 where both agree to rounding.
    Infinite, and stored as None, where samples do not vary and lie elsewhere."""
    limit_z: float
    """Half the band's width, in standard errors."""
    seeds: int
    exact: bool
    """Whether the theory is exact at the simulated sizes; if not, a point outside measures its error."""
    level: float = LEVEL


def compare(
    samples: Float[np.ndarray, "seed *points"], theory: Float[np.ndarray, "*points"], *, exact: bool = True
) -> tuple[BandVerdict, Arrays]:
    """The verdict on a theory's curve, and {"mean", "low", "high", "theory"} for its figure.

    Where samples do not vary, as ranks do not, theory is inside if it equals them to rounding.

    Raises UserError for fewer than two seeds.
    """
    samples, theory = np.asarray(samples, float), np.asarray(theory, float)
    if len(samples) < 2:
        raise UserError(f"a band needs at least 2 seeds: got {len(samples)}; try 8")
    mean, error = samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    limit = float(stats.t.ppf(1 - (1 - LEVEL) / (2 * theory.size), len(samples) - 1))
    rounding = EXACT_FLOAT64 * np.abs(samples).max()
    beyond = np.maximum(np.abs(mean - theory) - rounding, 0.0)
    z = np.divide(beyond, error, out=np.where(beyond > 0, np.inf, 0.0), where=error > 0)
    low, high = mean - limit * error - rounding, mean + limit * error + rounding
    within = (low <= theory) & (theory <= high)
    verdict = BandVerdict(float(within.mean()), theory.size, float(z.max()), limit, len(samples), exact)
    return verdict, {"mean": mean, "low": low, "high": high, "theory": theory}


def compare_all(
    curves: dict[str, tuple[np.ndarray, np.ndarray]], *, exact: bool = True
) -> tuple[dict[str, BandVerdict], Arrays]:
    """Verdicts by curve, and the arrays `NAME_mean`, `NAME_low`, ... of each, from (samples, theory)."""
    verdicts: dict[str, BandVerdict] = {}
    arrays: Arrays = {}
    for name, (samples, theory) in curves.items():
        verdicts[name], band = compare(samples, theory, exact=exact)
        arrays |= {f"{name}_{part}": array for part, array in band.items()}
    return verdicts, arrays
