"""A diagnosis in plain words, for a terminal."""

from collections.abc import Mapping
from typing import Any

from sims.intervals import Interval

WIDTH = 34


def shown(interval: Mapping[str, Any] | Interval | None, digits: int = 3) -> str:
    """`estimate [low, high]`; unbounded ends as dots."""
    if interval is None:
        return "not measured"
    at = interval.as_json() if isinstance(interval, Interval) else interval
    mark = lambda value: "..." if value is None else f"{value:.{digits}g}"
    return f"{mark(at['estimate'])} [{mark(at['low'])}, {mark(at['high'])}]"


def summary(name: str, values: Mapping[str, Any]) -> str:
    """The verdict, its reasons, the numbers behind it, and what to run next."""
    verdict, numbers = values["verdict"], values["numbers"]
    data, used = values["data"], values["used"]
    lines = [
        f"{name}: {verdict['kind'].upper()}",
        f"predicted gain of self-pretraining in held-out accuracy: {shown(verdict['gain'])}",
        "",
        *(f"because {reason}" for reason in verdict["reasons"]),
        "",
        row("sequences", sizes(data, used)),
        row("without attention", ", ".join(f"{k} {v:.3f}" for k, v in values["floors"].items())),
        *(row(*pair) for pair in measures(values, numbers)),
        "",
        f"next: {verdict['advice']}",
    ]
    return "\n".join(lines)


def sizes(data: Mapping[str, Any], used: Mapping[str, int]) -> str:
    """How many sequences there are, and how many of them were read."""
    train = data["sizes"]["train"]
    of = "" if used["train"] == train else f" ({used['train']} of them used)"
    return f"{train} training{of}, {used['held_out']} held out, length {data['length']}"


def measures(values: Mapping[str, Any], numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of every measured quantity."""
    near = values["nearest"]
    found = []
    for loss, words in (("label", "labels"), ("reconstruction", "reconstruction")):
        found += [
            (f"SNR of {words}, {near}", shown(numbers[f"snr_{loss}_nearest"])),
            ("  along reconstruction's pattern", shown(numbers[f"snr_{loss}_expressible"])),
            ("  along random directions", shown(numbers[f"snr_{loss}_random"])),
            ("  sequences needed n*", shown(numbers[f"needed_{loss}"])),
            ("  visible share of the energy", shown(numbers[f"visible_share_{loss}"])),
        ]
    dominant, contrast = values["dominant"], values["kappa"]
    step = f"{dominant['offset']} (rows, columns)" if "offset" in dominant else f"lag {dominant['lag']}"
    found += [
        ("dominant offset of the pattern", step),
        ("class contrast kappa, lag 1", "lost in noise" if contrast is None else f"{contrast:.3g}"),
        ("plateau of labels / reconstruction", plateau(numbers["plateau_ratio"])),
        ("positions", values["positions"]),
    ]
    return found


def plateau(ratio: Mapping[str, Any]) -> str:
    """The ratio of times, or that it has no end."""
    return "no end in sight" if ratio["estimate"] is None else f"{shown(ratio)} times as long"


def row(name: str, value: str) -> str:
    """A line of the table."""
    return f"  {name:{WIDTH}} {value}"
