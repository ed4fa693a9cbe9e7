"""What the names of classes make one suspect: one class written in two ways, none known, several, a date."""

import re
import unicodedata

from full_scale.data.findings import Finding

UNSTATED = ("", "nan", "none", "null", "na", "n/a", "<na>", "?", "#n/a")
_MAYBE_UNSTATED = (
    *UNSTATED,
    "-",
    "--",
    ".",
    "unknown",
    "unk",
    "missing",
    "undefined",
    "unlabeled",
    "unlabelled",
)
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_BETWEEN = re.compile(r"(?<=\w)[\s_\-]+(?=\w)")
_DATE = re.compile(
    r"[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}([T ].*)?|[0-9]{1,2}([-/.])[0-9]{1,2}\3([0-9]{4}|[0-9]{2})"
)
_MARKS = ("[", ";", "|", ",")


def spelling(names: list[str]) -> tuple[Finding, ...]:
    """Classes that differ only in how they are written, say that none is known, or hold several."""
    distinct = sorted({name for name in names if name})
    return (*_written_twice(distinct), *_unstated(names, distinct), *_several(distinct), *_dates(distinct))


def _written_twice(distinct: list[str]) -> tuple[Finding, ...]:
    alike: dict[str, list[str]] = {}
    for each in distinct:
        alike.setdefault(_plain(each), []).append(each)
    double = next((group for group in alike.values() if len(group) > 1), None)
    if double is None:
        return ()
    how = "blanks, hyphens, zeros in front or marks that cannot be seen"
    if len({each.casefold() for each in double}) == 1:
        how = "capitals"
    elif len({_composed(each) for each in double}) == 1:
        how = "how an accent is stored"
    words = f"the labels {' and '.join(map(repr, double))} differ only by {how}"
    return (Finding("labels-spelling", "warn", words, "write each class one way"),)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _plain(name: str) -> str:
    """A name without what readers do not see: 01 is 1, very_bad is very  bad, a no-break blank a blank."""
    bare = _INVISIBLE.sub("", _composed(name)).strip()
    return re.sub(r"^0+(?=[0-9]+$)", "", _BETWEEN.sub(" ", bare))


def _unstated(names: list[str], distinct: list[str]) -> tuple[Finding, ...]:
    """Labels that may mean that none is known: words, and one negative number among classes from 0 or 1 on."""
    some = [each for each in distinct if each.lower() in _MAYBE_UNSTATED]
    try:
        negative = [each for each in distinct if int(each) < 0]
    except ValueError:
        negative = []
    if len(negative) == 1 and len(distinct) > 2:
        some += negative
    return tuple(
        Finding("labels-unstated", "warn", f"{names.count(each):,} rows have the label {each!r}, read as a class",
                "remove them if it means that none is known")
        for each in some[:2]
    )  # fmt: skip


def _several(distinct: list[str]) -> tuple[Finding, ...]:
    """Classes such as ['a', 'b'] or a;b beside a: every different set of labels became a class of its own."""
    if len(distinct) > 1_000:
        return ()
    pieces = {name: _pieces(name) for name in distinct}
    several = [name for name, each in pieces.items() if len(each) > 1]
    known = [piece for each in pieces.values() for piece in each]
    shared = [name for name in several if any(known.count(piece) > 1 for piece in pieces[name])]
    if not shared:
        return ()
    words = f"labels such as {shared[0][:40]!r} look like several labels at once: each such set was read as one class"
    return (
        Finding("labels-several", "warn", words, "several labels at once are not read: keep one of each"),
    )


def _pieces(name: str) -> set[str]:
    mark = next((mark for mark in _MARKS if mark in name), None)
    bare = name.strip("[]() ")
    parts = re.split(r"[,\s]+" if mark == "[" else re.escape(mark), bare) if mark else [name]
    return {part.strip(" \"'") for part in parts} - {""}


def _dates(distinct: list[str]) -> tuple[Finding, ...]:
    if not distinct or not all(map(_DATE.fullmatch, distinct)):
        return ()
    return (Finding("labels-are-dates", "warn", f"the labels are dates, such as {distinct[0]}",
                    "name the column of classes by --label"),)  # fmt: skip


__all__ = ["UNSTATED", "spelling"]
