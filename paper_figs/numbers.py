"""How numbers are written, in captions, in tables and on the page: one rule, so that a number reads the same
wherever it stands. Text only; nothing here is rounded before it is stored."""

import math
from collections.abc import Mapping

MINUS = "\N{MINUS SIGN}"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 3) -> str:
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


def _plain(size: float, digits: int) -> str:
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{size:,.{decimals}f}"


def _signed(text: str, value: float) -> str:
    return f"{MINUS}{text}" if value < 0 else text


def bounds(interval: Mapping[str, object]) -> str:
    """`[low, high]`, with an infinity where the interval is unbounded."""
    low, high = interval["low"], interval["high"]
    left = f"{MINUS}∞" if low is None else number(low)  # type: ignore[arg-type]
    right = "∞" if high is None else number(high)  # type: ignore[arg-type]
    return f"[{left}, {right}]"


def estimate(interval: Mapping[str, object] | None) -> str:
    """`estimate [low, high]`; "not measured" for no interval."""
    if interval is None:
        return "not measured"
    return f"{number(interval['estimate'])} {bounds(interval)}"  # type: ignore[arg-type]


def percent(value: float | None) -> str:
    """A share as whole or tenth percents: `8.3%`."""
    if value is None:
        return "none"
    share = 100 * value
    return f"{share:.0f}%" if share >= 10 or share == 0 else f"{share:.2g}%"
