"""How numbers are written, in captions, in tables and on the page: one rule, so that a number reads the same
wherever it stands. Text only; nothing here is rounded before it is stored."""

import math
from dataclasses import replace
from typing import TypeVar

from sims.statistics.intervals import Interval

_Cut = TypeVar("_Cut", bound=Interval)
MINUS = "\N{MINUS SIGN}"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | int | None, digits: int = 3) -> str:
    """Three significant digits; a power of ten below 0.001 and from 100,000; "none" for a missing one."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    if value == 0:
        return "0"
    if isinstance(value, int) or (float(value).is_integer() and 10**digits <= abs(value) < 1e5):
        return _signed(f"{abs(int(value)):,}", value)
    if 1e-3 <= abs(value) < 1e5:
        return _signed(_plain(abs(value), digits), value)
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    power = str(int(exponent)).translate(RAISED)
    return _signed(f"{mantissa.removesuffix('.00')}×10{power}", value)


def _plain(size: float | int, digits: int) -> str:
    rounded = float(f"{size:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(rounded)))
    return f"{size:,.{decimals}f}"


def _signed(text: str, value: float | int) -> str:
    return f"{MINUS}{text}" if value < 0 else text


def together(interval: Interval) -> tuple[str, str, str]:
    """Estimate, low and high to the same decimals: two significant digits of half the interval's width.

    An unbounded side is an infinity. Intervals narrower than rounding shows are written as single numbers."""
    values = [interval.estimate, interval.low, interval.high]
    decimals = _decimals(*values)
    write = number if decimals is None else lambda value: _fixed(value, decimals)
    point, low, high = (None if value is None else write(value) for value in values)
    return point or "undefined", low or f"{MINUS}∞", high or "∞"


def _decimals(point: float | int | None, low: float | int | None, high: float | int | None) -> int | None:
    if point is None or low is None or high is None:
        return None
    half, size = (high - low) / 2, max(abs(low), abs(high))
    if not (half > 1e-4 * size and 1e-4 < size < 1e5):
        return None
    return max(0, 1 - math.floor(math.log10(half)))


def _fixed(value: float | int, decimals: int) -> str:
    text = f"{abs(value):,.{decimals}f}"
    return _signed(text, value) if float(text.replace(",", "")) else text


def estimate(interval: Interval | None) -> str:
    """`estimate [low, high]`; "not measured" for no interval."""
    if interval is None:
        return "not measured"
    point, low, high = together(interval)
    return f"{point} [{low}, {high}]"


def within(interval: _Cut, lowest: float = 0.0, highest: float = 1.0) -> _Cut:
    """The interval cut at the bounds of its quantity, by default those of an accuracy: Student's t knows none."""
    low = None if interval.low is None else max(interval.low, lowest)
    high = None if interval.high is None else min(interval.high, highest)
    return replace(interval, low=low, high=high)


def accuracy(interval: Interval) -> str:
    """`estimate [low, high]` of an accuracy, cut at 0 and 1."""
    return estimate(within(interval))


def percent(value: float | int | None) -> str:
    """A share as whole or tenth percents: `8.3%`; 100% is all and no less."""
    if value is None:
        return "none"
    share = 100 * value
    if 99.5 <= share < 100:
        return f"{min(share, 99.9):.1f}%"
    return f"{share:.0f}%" if share >= 10 or share == 0 else f"{share:.2g}%"
