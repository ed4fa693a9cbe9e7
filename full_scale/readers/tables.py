"""Rows of comma separated text and lines of long files, with their numbers."""

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from full_scale.readers.files import AGAIN, TooMuch, damage, opened, unusable

FIELD_MOST = 1 << 24
"""Characters of a field of a csv."""
LINE_MOST = 1 << 24
"""Bytes of a line."""


def csv_rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of a csv with quoted fields; every row has as many fields as the first."""
    width = None
    with damage(path, "a csv with commas and double quotes"):
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    while (row := _next_row(path, rows)) is not None:
        width = len(row) if width is None else width
        if len(row) != width:
            raise unusable(
                path, f"{width} fields in line {rows.line_num}", str(len(row)), "quote commas in texts"
            )
        yield rows.line_num, row
    if width is None:
        raise unusable(path, "a csv with a header", "an empty file", AGAIN)


def _next_row(path: Path, rows: Any) -> list[str] | None:
    """The next row that is not blank."""
    with _long_fields():
        try:
            return next((row for row in rows if row), None)
        except csv.Error as error:
            raise unusable(
                path, "a csv with double quotes", f"{error} at line {rows.line_num}", AGAIN
            ) from error


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit is one number for the whole process: it is given back."""
    before = csv.field_size_limit(FIELD_MOST)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, line without its end) of a UTF-8 file, one at a time; CRLF and LF are both ends."""
    with opened(path) as stream, damage(path, "UTF-8 lines"):
        number = 0
        while line := _line(stream):
            number += 1
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            yield number, text.removesuffix("\n").removesuffix("\r")


def _line(stream: io.BufferedIOBase) -> bytes:
    line = stream.readline(LINE_MOST + 1)
    if len(line) > LINE_MOST:
        raise TooMuch(f"a line of more than {LINE_MOST:,} bytes")
    return line
