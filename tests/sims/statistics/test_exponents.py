"""Fitted exponents have the standard error they say: about two in three lie within it of the truth."""

import numpy as np
import pytest
from tolerances import EXACT_FLOAT64, monte_carlo

from sims.statistics.exponents import exponent, fitted, paired, powers, slopes

AT = np.array([1.0, 2.0, 4.0, 8.0])
TRIALS, SEEDS = 600, 24
WITHIN = 0.672  # chance of |t| < 1 at 23 degrees of freedom; 0.49 or 0.86 were the error wrong by 3/2
SHARE_ERROR = monte_carlo(np.sqrt(WITHIN * (1 - WITHIN) / TRIALS))


def noise(generator: np.random.Generator) -> np.ndarray:
    return generator.normal(size=(SEEDS, AT.size))


def to_the_mean(generator: np.random.Generator) -> dict[str, object]:
    """Single seeds have either sign at the first point, as scores have where classes are close."""
    return exponent(AT, AT**1.5 + 0.8 * noise(generator), AT**1.5, 1.0)


def of_each_seed(generator: np.random.Generator) -> dict[str, object]:
    law = AT**-0.9 * np.exp(0.1 * noise(generator))
    return paired(AT, law * (1 + 0.05 * noise(generator)), law)


def of_a_slope(generator: np.random.Generator) -> dict[str, object]:
    return fitted(slopes(AT, 2 * AT + noise(generator)), 2.0)


@pytest.mark.parametrize("fit", [to_the_mean, of_each_seed, of_a_slope])
def test_two_in_three_fits_lie_within_one_standard_error_of_the_truth(fit):
    generator = np.random.default_rng(0)
    found = [fit(generator) for _ in range(TRIALS)]
    share = np.mean([each.within_one_standard_error for each in found])
    assert abs(share - WITHIN) < SHARE_ERROR < min(WITHIN - 0.49, 0.86 - WITHIN)
    assert np.mean([each.inside for each in found]) > 0.97


def test_points_weigh_with_their_precision_so_that_a_noisy_one_hardly_counts():
    generator, spread = np.random.default_rng(1), np.array([2.0, 0.1, 0.1, 0.1])
    found = [exponent(AT, AT + spread * noise(generator), AT, 1.0) for _ in range(100)]
    errors = [each.standard_error for each in found]
    without = [exponent(AT[1:], AT[1:] + 0.1 * noise(generator)[:, 1:], AT[1:], 1.0) for _ in range(100)]
    assert np.mean(errors) < 1.1 * np.mean([each.standard_error for each in without])


def test_the_theory_is_fitted_with_the_weights_of_the_measurement():
    bent = AT + 0.5 * AT**2
    samples = bent * (1 + np.array([0.1, 0.3, 0.1, 0.3]) * noise(np.random.default_rng(2)))
    found = exponent(AT, samples, bent, 2.0)
    weights = 1 / (samples.var(axis=0, ddof=1) / bent**2)
    assert found.predicted == pytest.approx(powers(AT, bent, weights), rel=EXACT_FLOAT64)
    assert abs(found.predicted - powers(AT, bent)) > 0.01


def test_weights_are_counts_of_equal_points():
    at, values = np.array([0.0, 1.0, 3.0]), np.array([1.0, 0.0, 2.0])
    twice = slopes(np.append(at, 3.0), np.append(values, 2.0))
    assert slopes(at, values, np.array([1.0, 1.0, 2.0])) == pytest.approx(twice, rel=EXACT_FLOAT64)
    assert slopes(at, values) == pytest.approx(np.polyfit(at, values, 1)[0], rel=1e-12)


def test_a_fitted_number_without_spread_is_compared_exactly():
    assert fitted(np.ones(4), 1.0).inside
    assert fitted(np.array([0.9, 1.1, 1.0, 1.05]), 2.0).inside is False


@pytest.mark.parametrize(
    ("predicted", "words"),
    [
        (1.02, "the theory lies inside the 99% interval of 4 seeds: early signs"),
        (0.9, "the theory lies inside the 99% interval of 4 seeds: early signs"),
        (2.0, "the theory lies outside the 99% interval of 4 seeds: early signs"),
    ],
)
def test_a_fit_says_where_it_lies_and_why(predicted, words):
    found = fitted(np.array([0.9, 1.1, 1.0, 1.05]), predicted, leaves="early signs")
    assert found.verdict == words
    assert found.within_one_standard_error is (predicted == 1.02)
