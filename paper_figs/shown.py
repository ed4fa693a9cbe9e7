"""How values stand on the pages: numbers with their full value for machines, intervals, ranges, captions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from paper_figs.numbers import MINUS, number, together
from paper_figs.places import known


def shown_number(value: float | int | None) -> Markup:
    """A number as readers see it, with its full value beside it for machines."""
    if value is None:
        return Markup('<span class="none">none</span>')
    return machine_readable(value, number(value))


def shown_interval(interval: Mapping[str, Any] | None) -> Markup:
    """Estimate and, in brackets, its interval, to the same decimals."""
    if interval is None or (interval["estimate"] is None and not interval["n"]):
        return Markup('<span class="none">not measured</span>')
    detail = f"{100 * interval['level']:.0f}% interval, n = {interval['n']}, {interval['method']}"
    places = zip(("estimate", "low", "high"), together(interval), strict=True)
    point, low, high = (machine_readable(interval[name], text) for name, text in places)
    return Markup('<span class="estimate" title="{}">{} <span class="bounds">[{}, {}]</span></span>').format(
        detail, point, low, high
    )


def machine_readable(value: float | int | None, text: str) -> Markup:
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
    return machine_readable(value, f"{value:g}".replace("-", MINUS))


def shown_range(bounds: Sequence[float | int | None]) -> Markup:
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


def seen(name: str) -> str:
    """What a figure's picture consists of, for those who do not see it."""
    return known()[name].seen


def rest(caption: str) -> Markup:
    """The caption without its first sentence."""
    return escape(caption.partition(". ")[2])
