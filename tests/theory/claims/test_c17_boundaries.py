"""C17: of a band on a line labels see the ends alone."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c17_boundaries import claim as c17
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import EXACT_FLOAT64


def test_every_check_passes(verdict):
    assert verdict("C17").passed, verdict("C17")


def counted_share(length: int, half_width: int) -> Fraction:
    """The share from the L^2 entries, in rationals."""
    columns = [sum(abs(i - j) <= half_width for i in range(length)) for j in range(length)]
    squares, everything = sum(each**2 for each in columns), sum(columns)
    return (squares - Fraction(everything**2, length)) / (length * everything - squares)


@given(lengths())
def test_the_share_is_the_counted_one_at_every_length_and_half_width(setting: Setting):
    for half_width in range(setting.length - 1):
        assert theory.band_visible_share(setting.length, half_width) == counted_share(
            setting.length, half_width
        )


@given(lengths())
def test_the_share_of_any_kernel_is_that_of_its_scores_at_every_length(setting: Setting):
    @compiled
    def gap(kernel):
        by_scores = theory.key_bias_share(theory.toeplitz(kernel))
        return jnp.abs(theory.toeplitz_visible_share(kernel) - by_scores)

    assert gap(setting.normal(setting.length)) <= EXACT_FLOAT64


@pytest.mark.parametrize(("length", "measured"), [(64, 1.8e-3), (256, 1.0e-4), (1024, 6.4e-6)])
def test_the_share_of_a_band_of_half_width_four_is_the_measured_one(length, measured):
    assert float(f"{float(theory.band_visible_share(length, 4)):.1e}") == measured


@pytest.mark.parametrize("half_width", [1, 4, 30])
def test_the_leading_share_has_w_times_w_plus_one(half_width):
    length = 100_000
    share = float(theory.band_visible_share(length, half_width)) * 3 * length**2
    assert share == pytest.approx(half_width * (half_width + 1), rel=1e-3)
    assert abs(share / half_width**2 - 1) > 0.9 / half_width


def test_the_leading_share_of_a_kernel_is_that_of_a_band():
    kernel = jnp.asarray((np.arange(500) <= 4).astype(float))
    assert float(compiled(theory.leading_visible_share)(kernel)) == pytest.approx(
        20 / (3 * 500**2), rel=1e-12
    )


def test_keys_off_the_ends_lack_no_neighbours():
    np.testing.assert_array_equal(theory.missing_neighbours(9, 3), [3, 2, 1, 0, 0, 0, 1, 2, 3])
    np.testing.assert_array_equal(theory.missing_neighbours(4, 3), [3, 3, 3, 3])


def test_a_diagonal_is_invisible():
    assert theory.band_visible_share(12, 0) == 0


@pytest.mark.parametrize(("length", "half_width"), [(1, 0), (8, 7), (8, -1)])
def test_a_band_without_a_share_is_refused(length, half_width):
    told = f"half-width from 0 to length - 2: got length={length}, half_width={half_width}; a band as wide"
    with pytest.raises(ValueError, match=told):
        theory.band_visible_share(length, half_width)


@pytest.mark.parametrize(
    ("form", "gap"),
    [
        ("band_visible_share", lambda key: c17.share_gap(c17.bands, c17.received, key)),
        ("toeplitz_visible_share", c17.toeplitz_gap),
        ("band_label_slope", c17.slope_gap),
    ],
)
def test_a_millionth_of_an_error_is_found(form, gap, monkeypatch):
    monkeypatch.setattr(c17, form, planted(getattr(c17, form)))
    assert measure(lambda key: gap(key), jax.random.key(0)) > EXACT_FLOAT64


def test_the_certificate_notices_a_wrong_count(monkeypatch):
    right = c17.band_visible_share
    monkeypatch.setattr(c17, "band_visible_share", lambda *at: right(*at) + Fraction(1, 10**9))
    assert any(difference != 0 for difference in c17.share_for_each_length())
