"""C29: what reconstruction shows to labels through the ends of a line."""

import jax
import pytest

import theory
from theory.claims.c29_open_ends import claim as c29
from theory.claims.checks.check import measure
from theory.claims.checks.tolerances import ASYMPTOTIC_EXPONENT


def test_every_check_passes(verdict):
    assert verdict("C29").passed, verdict("C29")


def test_a_line_twice_as_long_shows_a_quarter():
    shares = [float(theory.line_visible_share(0.1, 0.5, length)) for length in (100, 200)]
    assert shares[0] / shares[1] == pytest.approx(4)


def test_a_share_without_the_value_is_found(monkeypatch):
    wrong = lambda value, rho, length: theory.line_visible_share(0.0, rho, length)
    monkeypatch.setattr(c29, "line_visible_share", wrong)
    gap = lambda key: c29.limit_gap(c29.on_a_line, c29.at_rest, key)
    assert measure(gap, jax.random.key(0)) > ASYMPTOTIC_EXPONENT
