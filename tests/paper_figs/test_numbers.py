"""Numbers read the same everywhere."""

import pytest

from paper_figs.numbers import estimate, number, percent, together


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
    assert together({"estimate": -0.002, "low": -0.112, "high": 0.108}) == ("0.00", "−0.11", "0.11")
    assert together({"estimate": 145.2, "low": 25.1, "high": 265.3}) == ("145", "25", "265")


def test_an_unbounded_side_is_infinite():
    assert estimate({"estimate": 12.0, "low": 3.0, "high": None}) == "12.0 [3.00, ∞]"
    assert estimate(None) == "not measured"


def test_an_interval_too_narrow_to_show_is_written_as_single_numbers():
    assert together({"estimate": 1.0, "low": 1.0 - 1e-15, "high": 1.0}) == ("1.00", "1.00", "1.00")


def test_percent_keeps_small_shares_apart_from_nothing():
    assert [percent(share) for share in (1.0, 0.036, 0.0)] == ["100%", "3.6%", "0%"]
