"""Every interval covers the truth as often as it says."""

import math

import numpy as np
import pytest
from scipy import stats
from tolerances import EXACT_FLOAT64, monte_carlo

from sims.runs.provenance import plain
from sims.statistics.intervals import (
    Interval,
    mean_interval,
    proportion_interval,
    ratio_interval,
    score_snr,
    score_snr_ratio,
)
from theory.probes.signal import unbiased_snr

TRIALS = 2000
COVERAGE_ERROR = monte_carlo(math.sqrt(0.95 * 0.05 / TRIALS))


def covers(interval: Interval, truth: float) -> bool:
    above = interval.low is None or interval.low <= truth
    below = interval.high is None or truth <= interval.high
    return above and below


def coverage(make, truth: float) -> float:
    generator = np.random.default_rng(0)
    return float(np.mean([covers(make(generator), truth) for _ in range(TRIALS)]))


@pytest.mark.parametrize("n", [2, 3, 8])
def test_the_interval_of_a_mean_covers_it_at_its_level_from_two_samples_on(n):
    share = coverage(lambda generator: mean_interval(generator.normal(1.0, 2.0, n)), 1.0)
    assert abs(share - 0.95) < COVERAGE_ERROR


def test_one_sample_has_no_bounds():
    interval = mean_interval(np.array([2.0]))
    assert (interval.estimate, interval.low, interval.high, interval.n) == (2.0, None, None, 1)


@pytest.mark.parametrize("n", [3, 5, 40])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.97])
def test_the_interval_of_a_share_covers_it_at_least_at_its_level(n, share):
    counts = np.arange(n + 1)
    inside = np.array([covers(proportion_interval(int(count), n), share) for count in counts])
    assert stats.binom.pmf(counts, n, share) @ inside >= 0.95


def test_a_share_of_none_or_all_reaches_the_border():
    assert proportion_interval(0, 5).low == 0.0 and proportion_interval(5, 5).high == 1.0
    assert proportion_interval(0, 5).high == pytest.approx(1 - 0.025 ** (1 / 5), rel=EXACT_FLOAT64)


def test_the_numerator_of_the_signal_to_noise_ratio_is_unbiased_without_signal():
    generator = np.random.default_rng(1)
    estimates = np.array([unbiased_snr(generator.normal(size=50)) for _ in range(TRIALS)])
    assert abs(estimates.mean()) < monte_carlo(estimates.std() / math.sqrt(TRIALS))


@pytest.mark.parametrize(("top", "bottom"), [(2.0, 1.0), (1.0, 0.3), (0.0, 1.0)])
def test_the_interval_of_a_ratio_covers_it_even_near_a_denominator_of_zero(top, bottom):
    def make(generator):
        shared = generator.normal(size=6)
        return ratio_interval(
            top + shared + generator.normal(size=6), bottom + 0.3 * shared + 0.3 * generator.normal(size=6)
        )

    assert coverage(make, top / bottom) > 0.95 - COVERAGE_ERROR


def test_a_ratio_over_a_denominator_compatible_with_zero_has_no_upper_end():
    interval = ratio_interval(np.array([1.0, 1.1, 0.9]), np.array([-1.0, 1.0, 0.3]))
    assert interval.high is None and interval.low > 0


@pytest.mark.parametrize("score", [0.0, 0.1, 1.0])
def test_the_signal_that_fits_agree_on_is_covered(score):
    share = coverage(lambda generator: score_snr(generator.normal(score, 0.3, 8)), score**2)
    assert share > 0.95 - COVERAGE_ERROR


def test_noise_of_random_sign_between_fits_is_no_signal():
    generator = np.random.default_rng(2)
    estimates = np.array([score_snr(generator.normal(0.0, 0.3, 8)).estimate for _ in range(TRIALS)])
    assert abs(estimates.mean()) < monte_carlo(estimates.std() / math.sqrt(TRIALS))


@pytest.mark.parametrize("bottom", [0.5, -0.5, 0.1])
def test_the_ratio_of_signals_is_covered_whatever_the_sign_of_the_scores(bottom):
    def make(generator):
        return score_snr_ratio(generator.normal(0.6, 0.1, 8), generator.normal(bottom, 0.2, 8))

    assert coverage(make, (0.6 / bottom) ** 2) > 0.95 - COVERAGE_ERROR


def test_the_ratio_to_no_signal_has_a_lower_bound_only():
    generator = np.random.default_rng(3)
    found = [
        score_snr_ratio(generator.normal(0.6, 0.1, 8), generator.normal(0, 0.2, 8)) for _ in range(TRIALS)
    ]
    unbounded = np.mean([interval.high is None for interval in found])
    assert abs(unbounded - 0.95) < COVERAGE_ERROR
    assert np.mean([interval.low > 1 for interval in found]) > 0.9


def test_an_interval_survives_json():
    interval = Interval(1.0, 0.5, None, 0.95, 4, "Fieller")
    assert Interval.from_json(plain(interval)) == interval
