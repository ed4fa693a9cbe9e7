"""Numbers read the same everywhere."""

import pytest

from paper_figs.style.numbers import accuracy, estimate, number, percent, together
from sims.statistics.intervals import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (3000, "3,000"),
        (12000.0, "12,000"),
        (0.98765, "0.988"),
        (-0.5, "−0.500"),
        (2.22e-16, "2.22×10⁻¹⁶"),
        (1e-12, "1×10⁻¹²"),
        (3.2e7, "3.20×10⁷"),
        (None, "none"),
        (float("nan"), "none"),
    ],
)
def test_a_number_has_three_digits_or_a_power_of_ten(value, text):
    assert number(value) == text


def test_an_estimate_and_its_bounds_share_their_decimals():
    assert together(Interval(-0.002, -0.112, 0.108)) == ("0.00", "−0.11", "0.11")
    assert together(Interval(145.2, 25.1, 265.3)) == ("145", "25", "265")


def test_an_unbounded_side_is_infinite():
    assert estimate(Interval(12.0, 3.0, None)) == "12.0 [3.00, ∞]"
    assert estimate(None) == "not measured"


def test_an_interval_of_an_accuracy_is_cut_at_its_bounds_and_any_other_is_not():
    wide = Interval(0.95, -0.15, 1.05)
    assert (accuracy(wide), estimate(wide)) == ("0.95 [0.00, 1.00]", "0.95 [−0.15, 1.05]")
    assert accuracy(Interval(0.95, None, None)) == "0.950 [−∞, ∞]"


def test_an_interval_too_narrow_to_show_is_written_as_single_numbers():
    assert together(Interval(1.0, 1.0 - 1e-15, 1.0)) == ("1.00", "1.00", "1.00")


def test_percent_keeps_small_shares_apart_from_nothing():
    assert [percent(share) for share in (1.0, 0.036, 0.0)] == ["100%", "3.6%", "0%"]


def test_nearly_all_is_not_written_as_all():
    assert [percent(share) for share in (0.994, 0.998, 0.9999)] == ["99%", "99.8%", "99.9%"]
