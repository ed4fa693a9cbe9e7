"""What the pilot measured: accuracy of SPT less that of labels alone, with an interval over rows and runs.

Rows are paired: both arms answer the same held-out sequences. An arm counts by the best of its runs: those that a
short training leaves behind, at a rate or an initialisation that suits it ill, are what a longer one frees.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from sims.statistics.intervals import Interval

LEVEL = 0.95
DEVIATION, DEGREES = 0.015, 4
"""What the best of a few runs differs by when it is drawn anew, and how many runs that is worth, before any is seen."""
_SPLITS = 100
_METHOD = "best runs, paired rows, normal; runs, Student t with a prior deviation"


def measured_gain(
    labels: Bool[np.ndarray, "run row"], spt: Bool[np.ndarray, "other_run row"], level: float = LEVEL
) -> Interval:
    """g = mean over rows of best(spt) - best(labels); half-widths sqrt((z s_rows)^2 + (t s_arm)^2) per end.

    Half of the rows are answered by the run that is best on the other half: the best of several on the same
    rows would look better than it is. s_rows^2 = var_r(difference) / rows. s_arm^2 = (nu v + d^2) / (nu + 1),
    v the prior variance, worth nu runs, d what the arm's best leads its second by: as far as that, more runs may
    lead still (Robson and Whitlock 1964). Labels' own lowers the gain, SPT's raises it. t of nu + 1 degrees.
    """
    difference = best_of(spt) - best_of(labels)
    mean, tail = float(difference.mean()), (1 + level) / 2
    rows = stats.norm.ppf(tail) * difference.std() / np.sqrt(len(difference))
    half = lambda arm: np.hypot(rows, stats.t.ppf(tail, DEGREES + 1) * _deviation(arm))
    low, high = np.clip((mean - half(labels), mean + half(spt)), -1, 1)
    return Interval(mean, float(low), float(high), level, len(labels), _METHOD)


def best_of(right: Bool[np.ndarray, "run row"]) -> Float[np.ndarray, " row"]:
    """How often the best run answers a row, over random halves: the one that answers most of the other half."""
    halves = np.random.default_rng(0).permuted(np.tile(np.arange(right.shape[1]) % 2, (_SPLITS, 1)), axis=1)
    answers = np.zeros(right.shape[1])
    for side in (0, 1):
        best = (right.astype(np.float32) @ (halves == side).T).argmax(axis=0)
        answers += ((halves != side) * right[best]).sum(axis=0)
    return answers / _SPLITS


def _deviation(right: Bool[np.ndarray, "run row"]) -> float:
    """s_arm: of the best run of an arm."""
    ranked = np.sort(right.mean(axis=1))[::-1]
    lead = ranked[0] - ranked[1] if len(ranked) > 1 else 0.0
    return float(np.sqrt((DEGREES * DEVIATION**2 + lead**2) / (DEGREES + 1)))
