"""Tables as text: csv with commas, semicolons, tabs or bars, with or without a header; the UCR tsv."""

import re
from pathlib import Path

from full_scale.data.findings import Finding
from full_scale.data.readers.files import AGAIN, WIDE, decoded, unfolded, unusable
from full_scale.data.readers.own.columns import DEFAULT, LABELS, Columns
from full_scale.data.readers.own.table import Table
from full_scale.data.readers.tables import csv_rows

_DELIMITERS = ("\t", ";", ",", "|")
_NUMBER = re.compile(
    r"\s*[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?\s*|\s*[+-]?(nan|inf)\s*", re.IGNORECASE
)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
UCR = re.compile(r"(.*)_(TRAIN|TEST)\.(tsv|txt|csv)", re.IGNORECASE)
LAST = ("last", "-1")


def read_delimited(path: Path, columns: Columns = DEFAULT) -> Table:
    """The table of a file; columns without a header are called 1, 2, ... if --label is a number."""
    text = decoded(path, unfolded(path), encoding=columns.encoding)
    if "\0" in text[:4096]:
        raise unusable(path, "text", "zero bytes", WIDE)
    text = without_preamble(text)
    mark = delimiter(text)
    rows = list(csv_rows(path, text if mark else blanks(text), mark or "\t", _blank_quotes(text, mark)))
    header, first = rows[0][1], 1
    findings: tuple[Finding, ...] = ()
    if _is_ucr(path, header):
        words = "there is no header: the first column was read as the label, as in the UCR archive"
        findings = (Finding("first-column-label", "pass", words),)
        header, first, columns = ["label", *map(str, range(1, len(header)))], 0, DEFAULT
    elif headless(header, columns):
        header, first = [str(at + 1) for at in range(len(header))], 0
        if columns.label in LAST:
            header[-1] = "last"
    named = ["last" if name == str(len(header)) and columns.label == "-1" else name for name in header]
    lines, fields = [number for number, _ in rows[first:]], [row for _, row in rows[first:]]
    if first and header in fields:
        received = f"the header again in line {lines[fields.index(header)]}"
        raise unusable(path, "one header", received, "remove it: two files were put together")
    comma = mark not in ("", ",")
    if comma and _commas_of_thousands(fields):
        received = "numbers such as 1,234 alone, whose comma may be either"
        remedy = "write 1234 or 1.234"
        raise unusable(path, "decimal commas, or no mark of thousands", received, remedy)
    return Table([name.strip() for name in named], fields, lines, comma=comma, findings=findings)


def _commas_of_thousands(rows: list[list[str]]) -> bool:
    """Whether every number with a comma has three digits behind it, and none begins with 0."""
    some = [field.strip() for row in rows[:200] for field in row if "," in field]
    return len(some) > 7 and all(_THOUSANDS.fullmatch(field) for field in some)


def _blank_quotes(text: str, mark: str) -> bool:
    """Whether blanks stand between a mark and the quote that opens a field."""
    head = "\n".join(re.sub(r'"[^"]*"', '""', line) for line in text.splitlines()[:20])
    return bool(mark) and re.search(f'{re.escape(mark)} +""', head) is not None


def without_preamble(text: str) -> str:
    """Comments above the header, and Excel's "sep=;", as empty lines, so that lines keep their numbers."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        bare = line.strip().strip('"')
        comment = bare.startswith("#") and delimiter(bare) == "," and "," not in bare
        if not (comment or (bare.lower().startswith("sep=") and len(bare) <= 5)):
            break
        lines[at] = "\r" if line.endswith("\r") else ""
    return "\n".join(lines)


def delimiter(text: str) -> str:
    """The mark that divides the first line; "" where blanks do."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    counts = {mark: bare.count(mark) for mark in _DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    if counts[best]:
        return best
    return "" if len(first.split()) > 2 and all(_NUMBER.fullmatch(word) for word in first.split()) else ","


def blanks(text: str) -> str:
    """Blanks between numbers as tabs."""
    return "\n".join("\t".join(line.split()) for line in text.splitlines())


def headless(fields: list[str], columns: Columns) -> bool:
    """Whether the first row is data, and the user counts columns instead of naming them."""
    label, plain = columns.label or "", [field.strip() for field in fields]
    digits = [field for field in plain if field.isdecimal()]
    counted = len(digits) > 1 and any(
        digits == [str(at + start) for at in range(len(digits))] for start in (0, 1)
    )
    if not (label in LAST or label.isdecimal()) or (label in plain and counted):
        return False
    usual = {field.lower() for field in plain} & set(LABELS)
    return not usual and (label in LAST or 1 <= int(label) <= len(fields))


def _is_ucr(path: Path, fields: list[str]) -> bool:
    """Whether a file is a part of the UCR archive: numbers from the first line on, *_TRAIN.tsv or .txt."""
    return (
        bool(UCR.fullmatch(path.name))
        and path.suffix.lower() != ".csv"
        and all(_NUMBER.fullmatch(field) for field in fields)
    )


def ucr_pair(path: Path) -> dict[str, Path]:
    """{"train", "test"} of a problem: beside the file given, or in the folder."""
    folder = path if path.is_dir() else path.parent
    stem = "" if path.is_dir() else UCR.fullmatch(path.name).group(1)  # type: ignore[union-attr]
    paths: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        match = UCR.fullmatch(file.name)
        if match and (not stem or match.group(1) == stem) and not file.name.startswith("."):
            part = match.group(2).lower()
            if part in paths:
                raise unusable(path, "one problem", f"{paths[part].name} and {file.name}", "give one file")
            paths[part] = file
    if "train" not in paths and not path.is_dir():
        return {"all": path}
    if "train" not in paths:
        raise unusable(path, "a file *_TRAIN.tsv", "none", AGAIN)
    return {part: paths[part] for part in ("train", "test") if part in paths}
