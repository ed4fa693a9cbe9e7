"""Rows of comma separated text and lines of long files, with their numbers."""

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from full_scale.data.readers.files import AGAIN, TooMuch, damage, opened, unusable

_FIELD_MOST = 1 << 24
"""Characters of a field of a csv."""
_MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LINE_MOST = 1 << 24
"""Bytes of a line."""


def csv_rows(
    path: Path, text: str, delimiter: str = ",", blanks: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of a csv with quoted fields; every row has as many fields as the first.

    `blanks`: those that follow a delimiter are no part of the field.
    Raises UserError after the last row where some have not: the first of them and how many there are.
    """
    width, wrong = None, []
    with damage(path, "a csv with commas and double quotes"):
        lines_of_text = io.StringIO(text, newline="")
        rows = csv.reader(lines_of_text, strict=True, delimiter=delimiter, skipinitialspace=blanks)
    while (row := _next_row(path, rows)) is not None:
        width = len(row) if width is None else width
        if len(row) != width:
            wrong.append((rows.line_num, len(row)))
            continue
        yield rows.line_num, row
    if wrong:
        mark = _MARKS.get(delimiter, repr(delimiter))
        others = f", and {len(wrong) - 1:,} more such lines" if len(wrong) > 1 else ""
        received = f"{wrong[0][1]}{others}"
        remedy = f"put texts that hold a {mark} into double quotes, and mend or remove these lines"
        raise unusable(path, f"{width} fields divided by {mark} in line {wrong[0][0]}", received, remedy)
    if width is None:
        raise unusable(path, "a csv with a header", "an empty file", AGAIN)


def _next_row(path: Path, reader: Any) -> list[str] | None:
    """The next row that is not blank."""
    with _long_fields():
        try:
            return next((row for row in reader if row), None)
        except csv.Error as error:
            remedy = "close the quote there or just before; a quote inside a text is written twice"
            received = f"{error} at line {reader.line_num}"
            raise unusable(path, "a csv with double quotes", received, remedy) from error


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit is one number for the whole process: it is given back."""
    before = csv.field_size_limit(_FIELD_MOST)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """(number, line without its end) of a UTF-8 file, one at a time; CRLF and LF are both ends.

    Other encodings whose line ends are single bytes are read, too.
    """
    with (
        opened(path) as stream,
        damage(path, f"{encoding.upper()} lines", f"{AGAIN}, or name its --encoding"),
    ):
        number = 0
        while line := _line(stream):
            number += 1
            text = line.decode("utf-8-sig" if number == 1 and encoding == "utf-8" else encoding)
            yield number, text.removesuffix("\n").removesuffix("\r")


def _line(stream: io.BufferedIOBase) -> bytes:
    line = stream.readline(_LINE_MOST + 1)
    if len(line) > _LINE_MOST:
        raise TooMuch(f"a line of more than {_LINE_MOST:,} bytes")
    return line
