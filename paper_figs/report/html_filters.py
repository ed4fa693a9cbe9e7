"""How values stand on the pages: numbers with their full value for machines, intervals, ranges, captions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from paper_figs.report.figure_placement import known
from paper_figs.style.numbers import MINUS, number, percent, together
from sims.statistics.intervals import Interval

_ENDS = ("estimate", "low", "high", "level", "n", "method")


def number_html(value: float | int | None) -> Markup:
    """A number as readers see it, with its full value beside it for machines."""
    if value is None:
        return Markup('<span class="none">none</span>')
    return _machine_readable(value, number(value))


def percent_html(share: float) -> Markup:
    """A share in percents, with its full value beside it for machines."""
    return _machine_readable(share, percent(share))


def interval_html(content: Interval | Mapping[str, Any] | None) -> Markup:
    """Estimate and, in brackets, its interval, to the same decimals; the page's content is JSON."""
    interval = Interval(*map(content.get, _ENDS)) if isinstance(content, Mapping) else content
    if interval is None or (interval.estimate is None and not interval.n):
        return Markup('<span class="none">not measured</span>')
    detail = f"{100 * interval.level:.0f}% interval, n = {interval.n}, {interval.method}"
    parts = zip((interval.estimate, interval.low, interval.high), together(interval), strict=True)
    point, low, high = (_machine_readable(value, text) for value, text in parts)
    return Markup('<span class="estimate" title="{}">{} <span class="bounds">[{}, {}]</span></span>').format(
        detail, point, low, high
    )


def _machine_readable(value: float | int | None, text: str) -> Markup:
    """A number's text with its full value for machines."""
    return (
        escape(text)
        if value is None
        else Markup('<data value="{}">{}</data>').format(json.dumps(value), text)
    )


def setting(value: Any) -> Markup:
    """A setting as someone typed it: no digits added."""
    if not isinstance(value, (int, float)):
        return escape(value)
    return _machine_readable(value, f"{value:g}".replace("-", MINUS))


def range_html(bounds: Sequence[float | int | None]) -> Markup:
    """`low to high`, `from low`, `up to high` or `any value`."""
    low, high = (None if bound is None else setting(bound) for bound in bounds)
    if low is None or high is None:
        return Markup("any value" if low is high else "from {}" if high is None else "up to {}").format(
            low or high
        )
    return Markup("{} to {}").format(low, high)


def breakable(name: str) -> Markup:
    """A name that may break after its underscores."""
    return Markup("_<wbr>").join(name.split("_"))


def plain_json(value: Any) -> str:
    """A configuration as indented JSON."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def lead(caption: str) -> str:
    """The first sentence of a caption: its title."""
    return caption.split(". ")[0] + "."


def alt_text(name: str) -> str:
    """What a figure's picture consists of, for those who do not see it."""
    return known()[name].alt_text


def rest(caption: str) -> Markup:
    """The caption without its first sentence."""
    return escape(caption.partition(". ")[2])
