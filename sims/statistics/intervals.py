"""Confidence intervals. Each says its method; None as a bound or estimate means unbounded there."""

import dataclasses

import numpy as np
from scipy import stats

from sims.runs.typed import Stored
from theory.probes.signal import unbiased_square

ROUNDING_DIGITS = 12  # samples that are exactly 0 or 1 in theory are rounded to this before an interval


@dataclasses.dataclass(frozen=True)
class Interval(Stored):
    """An estimate with its confidence interval; `n` independent samples; None means unbounded."""

    estimate: float | None
    low: float | None
    high: float | None
    level: float = 0.95
    n: int = 0
    method: str = ""

    def as_json(self) -> dict[str, object]:
        """{"estimate", "low", "high", "level", "n", "method"}."""
        return dataclasses.asdict(self)

    @property
    def why_undefined(self) -> str:
        """Why there is no estimate."""
        return self.method

    def text(self, digits: int = 3) -> str:
        """`estimate [low, high]`, or why there is no number."""
        write = lambda end: "unbounded" if end is None else f"{end:.{digits}f}"
        if self.estimate is None:
            known = self.low is not None
            return f"[{write(self.low)}, {write(self.high)}]" if known else f"undefined: {self.why_undefined}"
        bounds = "" if self.low is None else f" [{write(self.low)}, {write(self.high)}]"
        return f"{write(self.estimate)}{bounds}"


def mean_interval(samples: np.ndarray, level: float = 0.95) -> Interval:
    """Student's t for the mean of independent samples; exact when they are normal. One sample: unbounded."""
    samples = np.asarray(samples, dtype=np.float64).ravel()
    n, mean = samples.size, float(samples.mean())
    if n < 2:
        return Interval(mean, None, None, level, n, "one sample: no interval")
    half = float(_t_quantile(level, n) * samples.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, level, n, "Student t")


def proportion_interval(successes: int, n: int, level: float = 0.95) -> Interval:
    """Clopper-Pearson for a share: covers at least `level` for every n and every true share."""
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, successes, n - successes + 1)) if successes > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, successes + 1, n - successes)) if successes < n else 1.0
    return Interval(successes / n, low, high, level, n, "Clopper-Pearson")


def ratio_interval(numerator: np.ndarray, denominator: np.ndarray, level: float = 0.95) -> Interval:
    """Fieller's interval for mean(numerator) / mean(denominator) of paired samples, both means >= 0 in truth.

    {rho >= 0: the t interval of mean(numerator - rho denominator) holds 0}; exact for normal samples. When
    the denominator is compatible with 0 the set has no upper end: high is None; estimate is None when the
    denominator's mean is not positive."""
    top, bottom = (np.asarray(samples, dtype=np.float64).ravel() for samples in (numerator, denominator))
    n = top.size
    if n < 2:
        return Interval(_quotient(top, bottom), 0.0, None, level, n, "one sample: no interval")
    low, high = _nonnegative_set(*_fieller(top, bottom, level))
    return Interval(_quotient(top, bottom), low, high, level, n, "Fieller")


def score_snr(scores: np.ndarray, level: float = 0.95) -> Interval:
    """The signal-to-noise ratio that independent fits agree on: (mean over fits of mean / sd)^2.

    `scores` holds one signed standard score per fit. The t interval of their mean is squared; where it
    holds 0, low is 0 or the estimate if that is lower."""
    scores = np.asarray(scores, dtype=np.float64).ravel()
    n, size = scores.size, abs(float(scores.mean()))
    if n < 2:
        return Interval(size**2, 0.0, None, level, n, "one fit: no interval")
    half = float(_t_quantile(level, n) * scores.std(ddof=1) / np.sqrt(n))
    estimate = float(unbiased_square(scores))
    low = min(max(size - half, 0.0) ** 2, estimate)
    return Interval(estimate, low, (size + half) ** 2, level, n, "Student t over fits, squared")


def score_snr_ratio(top: np.ndarray, bottom: np.ndarray, level: float = 0.95) -> Interval:
    """Ratio of two `score_snr`, top over bottom, from paired scores: the square of Fieller's set.

    When the bottom score is compatible with 0 the ratio has a lower bound only: high is None; estimate is
    None when the bottom's unbiased estimate is not positive, and 0 when only the top's is not."""
    square, cross, constant = _fieller(top, bottom, level)
    below, above = (
        float(unbiased_square(np.asarray(scores, np.float64).ravel())) for scores in (bottom, top)
    )
    estimate = max(above, 0.0) / below if below > 0 else None
    discriminant = cross**2 - square * constant
    roots = [(cross + sign * np.sqrt(max(discriminant, 0.0))) / square for sign in (-1.0, 1.0)]
    low = float(min(np.square(roots))) if discriminant >= 0 and constant > 0 else 0.0
    high = float(max(np.square(roots))) if square > 0 else None
    return Interval(estimate, low, high, level, np.size(top), "Fieller over fits, squared")


def _fieller(top: np.ndarray, bottom: np.ndarray, level: float) -> tuple[float, float, float]:
    """a, b, c of Fieller's set {rho: a rho^2 - 2 b rho + c <= 0} for mean(top) / mean(bottom)."""
    top, bottom = (np.asarray(samples, dtype=np.float64).ravel() for samples in (top, bottom))
    shrink = _t_quantile(level, top.size) ** 2 / top.size
    moments = np.cov(top, bottom)
    square = float(bottom.mean() ** 2 - shrink * moments[1, 1])
    cross = float(top.mean() * bottom.mean() - shrink * moments[0, 1])
    return square, cross, float(top.mean() ** 2 - shrink * moments[0, 0])


def _nonnegative_set(square: float, cross: float, constant: float) -> tuple[float, float | None]:
    """The hull of {rho >= 0: square rho^2 - 2 cross rho + constant <= 0}; None for no upper end."""
    discriminant = cross**2 - square * constant
    if discriminant < 0 or square == 0:
        return 0.0, None
    small, large = sorted(float((cross + sign * np.sqrt(discriminant)) / square) for sign in (-1.0, 1.0))
    if square > 0:
        return max(small, 0.0), max(large, 0.0)
    return (large, None) if small < 0 < large and constant > 0 else (0.0, None)


def _quotient(top: np.ndarray, bottom: np.ndarray) -> float | None:
    return float(top.mean() / bottom.mean()) if bottom.mean() > 0 else None


def _t_quantile(level: float, n: int) -> float:
    return float(stats.t.ppf((1 + level) / 2, n - 1))
