"""Every stored number with an interval as a LaTeX macro, so that a text quotes what was measured.

\\sptDocsOrderGain is `estimate [low, high]` as captions write it, \\sptDocsOrderGainPoint the estimate alone.
A comment on the line says result, key and commit. Names hold letters only: 1 is One.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from paper_figs.export.tex import latex
from paper_figs.style.numbers import estimate, together
from sims.runs.store import Result
from sims.statistics.intervals import Interval

WORDS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_DIGITS = dict(zip("0123456789", WORDS, strict=True))
_SKIPPED = (
    "comparison",
    "claims",
)  # the first repeats the others' numbers, the second has none with intervals


@dataclass(frozen=True)
class Macro:
    """One stored number as a LaTeX macro."""

    name: str
    interval: Interval
    result: str
    key: tuple[str, ...]
    commit: str

    def lines(self) -> list[str]:
        """Interval and estimate, each with where it comes from."""
        source = f"% {self.result}: {'.'.join(self.key)}, commit {self.commit}"
        point = latex(together(self.interval)[0])
        return [
            rf"\newcommand{{\{self.name}}}{{{latex(estimate(self.interval))}}} {source}",
            rf"\newcommand{{\{self.name}Point}}{{{point}}} {source}",
        ]


def macros(results: Mapping[str, Result]) -> list[Macro]:
    """A macro for every interval of the results."""
    entries = []
    for name in sorted(set(results) - set(_SKIPPED)):
        record: Any = results[name].record
        commit = str((record.get("commit") or {}).get("revision", "unknown"))[:12]
        for key, interval in intervals(results[name].values):
            entries.append(Macro(command((name, *key)), interval, name, key, commit))
    return entries


def intervals(node: object, key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Interval]]:
    """Every interval inside, with its key; an index counts as a key where a list holds some."""
    if isinstance(node, Mapping):
        if {"estimate", "low", "high"} <= set(node):
            yield key, Interval(node["estimate"], node["low"], node["high"])
        else:
            for name, inside in node.items():
                yield from intervals(inside, (*key, str(name)))
    elif isinstance(node, list):
        for index, inside in enumerate(node):
            yield from intervals(inside, (*key, named(inside, index)))


def named(node: object, index: int) -> str:
    """What an entry of a list is called: by its task or name, or by its place."""
    label = node.get("task", node.get("name")) if isinstance(node, Mapping) else None
    return str(label) if label is not None else str(index)


def command(key: tuple[str, ...]) -> str:
    r"""\sptDocsOrderGain for ("docs_order", "gain")."""
    words = re.split(r"[^A-Za-z0-9]+", " ".join(key))
    spelled = ("".join(_DIGITS.get(letter, letter) for letter in word) for word in words)
    return "spt" + "".join(word[:1].upper() + word[1:] for word in spelled)


def document(results: Mapping[str, Result]) -> str:
    """The file: one number per two lines."""
    head = "% Numbers of the stored results; made by `sptlab figures`. Load it before they are used."
    return "\n".join([head, *(line for macro in macros(results) for line in macro.lines())]) + "\n"
