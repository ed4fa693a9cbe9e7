"""A true curve lies inside its band as often as the band says, and a wrong one outside."""

import numpy as np
import pytest

from sims.runs.store import UserError
from sims.statistics.bands import LEVEL, compare, compare_all

THEORY = np.linspace(1.0, 2.0, 12)


def simulated(seed: int, *, seeds: int = 20) -> np.ndarray:
    return THEORY + 0.3 * np.random.default_rng(seed).normal(size=(seeds, THEORY.size))


def test_all_points_of_a_true_curve_lie_inside_together_at_least_as_often_as_the_level_says():
    whole = [compare(simulated(seed), THEORY)[0].inside == 1.0 for seed in range(500)]
    assert LEVEL - 0.012 < np.mean(whole) < 1.0


def test_one_wrong_point_lies_outside_and_the_verdict_counts_it():
    wrong = THEORY.copy()
    wrong[4] += 0.5
    verdict, band = compare(simulated(0), wrong)
    assert verdict.inside == pytest.approx(11 / 12)
    assert verdict.worst_z > verdict.limit_z
    assert not band["low"][4] <= wrong[4] <= band["high"][4]


def test_measurements_that_do_not_vary_are_inside_only_where_they_agree_to_rounding():
    ranks = np.full((3, 2), 7.0)
    same, _ = compare(ranks, np.array([7.0, 7.0 + 1e-13]))
    other, _ = compare(ranks, np.array([7.0, 8.0]))
    assert (same.inside, same.worst_z) == (1.0, 0.0)
    assert (other.inside, other.worst_z) == (0.5, np.inf)


def test_the_arrays_of_several_curves_carry_their_names():
    verdicts, arrays = compare_all({"a": (simulated(0), THEORY)}, exact=False)
    assert set(arrays) == {"a_mean", "a_low", "a_high", "a_theory"}
    assert verdicts["a"].exact is False


def test_one_seed_has_no_band():
    with pytest.raises(UserError, match="at least 2 seeds: got 1"):
        compare(np.ones((1, 2)), np.ones(2))
