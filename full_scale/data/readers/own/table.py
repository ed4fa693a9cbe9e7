"""A table of named columns, whatever file it came from, as sequences with labels."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from full_scale.data.findings import Finding
from full_scale.data.readers.files import unusable
from full_scale.data.readers.own.axes import steps_first
from full_scale.data.readers.own.cells import are_numbers, lists_spelt, number
from full_scale.data.readers.own.columns import (
    DEFAULT,
    GROUPS,
    INDICES,
    LABELS,
    MASK,
    TEXTS,
    Axes,
    Columns,
    chosen,
    odd_columns,
)
from full_scale.data.readers.own.joined import Raw
from full_scale.data.readers.own.label_names import (
    group_names_of,
    label_names,
    missing_emptied,
    require_classes,
    require_stated,
    whole_names,
)
from full_scale.data.readers.own.label_notices import spelling
from full_scale.data.readers.own.nested import padded_lists
from full_scale.data.readers.own.sequences import filled, lengths_of_mask, tails_only

FEWEST_POSITIONS = 4
"""Columns of numbers from which they may be the sequence, whatever else there is."""
_LETTERS, _LETTER = 64, 8
"""Different symbols, and their characters, up to which columns of words are a symbol per position."""
FEWEST_ORDERED = 8
"""Rows from which a column that only grows cannot be chance: one order in 8! = 40,320."""


class Table(NamedTuple):
    """Rows of values under the names of their columns."""

    names: list[str]
    rows: list[list[Any]]
    lines: list[int]
    """The line of each row in the file, from 1."""
    unit: str = "line"
    comma: bool = False
    """Whether numbers have a decimal comma."""
    findings: tuple[Finding, ...] = ()
    """What was noticed in reading it."""


def ordered(path: Path, table: Table, first: Table, part: str) -> Table:
    """A part's table with its columns in the order of the first part's. Raises UserError where they are others."""
    own, names = table.names, first.names
    if own == names or len(set(own)) < len(own) or len(own) != len(names) or all(map(str.isdigit, own[1:])):
        return table
    if set(own) != set(names):
        received = ", ".join(sorted(set(own) - set(names))[:6])
        raise unusable(
            path, f"the columns of the first part in {part}", f"others: {received}", "name them alike"
        )
    at = [own.index(name) for name in names]
    return table._replace(names=list(names), rows=[[row[index] for index in at] for row in table.rows])


def raw_table(path: Path, table: Table, columns: Columns = DEFAULT) -> Raw:
    """The label's column, the group's, and the sequences: texts, lists, or one column per position."""
    label = _column(path, table, "label", columns.label, LABELS)
    group = columns.group and _column(path, table, "group", columns.group, GROUPS)
    group = group or chosen(table.names, None, GROUPS)
    if group is not None and group in (label, columns.text):
        if columns.group is not None:
            raise unusable(path, "a column of groups", f"{group!r}, which is another", "check --group")
        group = None
    if not table.rows:
        raise unusable(path, "rows of sequences and a label", "none", "add data")
    at = table.names.index(label)
    names, findings = _labels(path, table, at, columns.keep_unlabelled)
    rest = [index for index, name in enumerate(table.names) if index != at and name != group]
    groups = None
    if group is not None:
        where = lambda row: f"{table.unit} {table.lines[row]} of {group}"
        groups = group_names_of(path, [row[table.names.index(group)] for row in table.rows], where)
    x, lengths, more = _sequences(path, table, rest, columns)
    return Raw(x, names, lengths, groups, table.findings + findings + more)


def _column(path: Path, table: Table, role: str, wanted: str | None, usual: tuple[str, ...]) -> str:
    """The one column of a role, or a UserError that lists the columns."""
    column = chosen(table.names, wanted, usual)
    if column is not None and table.names.count(column) == 1:
        return column
    listed = ", ".join(table.names[:12]) + (", ..." if len(table.names) > 12 else "")
    if all(number(name, table.comma) is not None for name in table.names if name.strip()):
        received = f"{len(table.names)} numbers in the first {table.unit} (no header?)"
        remedy = "add a header, or count columns from 1: --label 1 (or --label last) with no header"
        raise unusable(path, "a header that names the label's column", received, remedy)
    if wanted is not None:
        raise unusable(path, f"one column {wanted!r}", listed, "name the column by its header")
    remedy = f"name the column by its header with --{role}; or is there no header?"
    raise unusable(path, f"a column {role!r}", listed, remedy)


def _labels(path: Path, table: Table, at: int, unlabelled: bool) -> tuple[list[str], tuple[Finding, ...]]:
    values = [row[at] for row in table.rows]
    if all(isinstance(value, str) for value in values):
        names = whole_names([value.strip() for value in values])
        if unlabelled:
            names = missing_emptied(names)
        else:
            require_stated(path, names, lambda row: f"{table.unit} {table.lines[row]}")
        require_classes(path, f"the column {table.names[at]}", names)
        return names, spelling(names)
    stated = ["" if value is None and not unlabelled else "x" for value in values]
    require_stated(path, stated, lambda row: f"{table.unit} {table.lines[row]}")
    column = np.empty(len(values), object)
    column[:] = values
    return label_names(path, f"the column {table.names[at]}", column, unlabelled)


def _sequences(path: Path, table: Table, rest: list[int], columns: Columns):
    """x, lengths where they differ, and what was noticed."""
    named = [table.names[index] for index in rest]
    words = {index for index in rest if not _holds_numbers(table, index)}
    if columns.text is not None:
        text = chosen(named, columns.text, ())
        if text is None or named.count(text) != 1:
            raise unusable(
                path, f"one column {columns.text!r}", ", ".join(table.names), "name it by its header"
            )
        return _one_column(path, table, rest[named.index(text)], rest, columns.axes)
    usual = chosen([table.names[index] for index in rest if index in words], None, TEXTS)
    ids = {index for index in words if table.names[index].strip().lower() in INDICES}
    if usual is not None:
        return _one_column(path, table, table.names.index(usual), rest, columns.axes)
    if len(words - ids) == 1:
        _require_unambiguous(path, table, next(iter(words - ids)), set(rest) - words)
        return _one_column(path, table, next(iter(words - ids)), rest, columns.axes)
    if len(words - ids) > 1 and len(words - ids) == len(set(rest) - ids):
        letters = _letters(path, table, sorted(words - ids))
        if letters is not None:
            return letters
        listed = ", ".join(
            f"{table.names[at]} ({str(table.rows[0][at])[:16]!r})" for at in sorted(words - ids)[:6]
        )
        remedy = (
            "name the texts by --text, the label by --label; numbers need a decimal point and no other mark"
        )
        raise unusable(path, "one column of texts, or columns of numbers", listed, remedy)
    return _positions(path, table, rest, columns)


def _letters(path: Path, table: Table, columns_of_letters: list[int]):
    """A symbol per column, as UCI's sets of DNA have them: many columns, few different short words."""
    rows = [[str(row[at]).strip() for at in columns_of_letters] for row in table.rows]
    distinct = {word for row in rows for word in row}
    if (
        len(columns_of_letters) < FEWEST_POSITIONS
        or len(distinct) > _LETTERS
        or max(map(len, distinct)) > _LETTER
        or 2 * sum(number(word, comma=True) is not None for word in distinct) > len(distinct)
    ):
        return None
    x, lengths, findings = padded_lists(
        path, "the columns", rows, lambda row: f"{table.unit} {table.lines[row]}"
    )
    return x, lengths, findings + odd_columns([table.names[at] for at in columns_of_letters])


def _require_unambiguous(path: Path, table: Table, text: int, numbers: set[int]) -> None:
    """Raise UserError where one column of words, perhaps a date or a name, stands beside a sequence of numbers."""
    if len(numbers) >= FEWEST_POSITIONS:
        name = table.names[text]
        received = (
            f"{name!r} ({str(table.rows[0][text])[:24]!r}, ...) beside {len(numbers)} columns of numbers"
        )
        remedy = (
            f"say --text {shlex.quote(name)} if that is the sequence, --group {shlex.quote(name)} if it says "
        )
        remedy += "what belongs together, or remove it"
        raise unusable(path, "a column of texts, or columns of numbers", received, remedy)


def _holds_numbers(table: Table, index: int) -> bool:
    """Whether the first rows of a column are numbers or empty."""
    return are_numbers([row[index] for row in table.rows[:200]], table.comma)


def _one_column(path: Path, table: Table, index: int, rest: list[int], axes: Axes):
    """Texts or lists of one column; the others are left out and said."""
    name = table.names[index]
    others = [table.names[each] or "a nameless one" for each in rest if each != index]
    findings: tuple[Finding, ...] = ()
    if others:
        more = ", ..." if len(others) > 6 else ""
        findings = (
            Finding("columns-unused", "pass", f"the columns {', '.join(others[:6])}{more} were left out"),
        )
    values = [row[index] for row in table.rows]
    line = lambda row: f"{table.unit} {table.lines[row]}"
    if any(isinstance(value, list) for value in values):
        x, lengths, notices = padded_lists(path, name, values, line)
        masks = _masks(table, rest, values)
        if masks is not None:
            lengths = lengths_of_mask(path, padded_lists(path, MASK, masks, line)[0])
            notices += (Finding("attention-mask", "pass", f"lengths were read from the column {MASK}"),)
        if lengths is None:
            x = steps_first(path, name, x, axes)
        return x, lengths, findings + notices
    for row, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            empty = value is None or isinstance(value, str)
            received = "an empty one" if empty else type(value).__name__
            remedy = "remove the row" if empty else "name another column by --text"
            raise unusable(path, f"a text in every row of {name!r}", f"{received} in {line(row)}", remedy)
    spelt = lists_spelt(path, name, values, line)
    if spelt is not None:
        x, lengths, notices = padded_lists(path, name, spelt, line)
        words = f"every text of {name} is a list: read as its items, not as letters"
        return x, lengths, (*findings, Finding("texts-as-lists", "pass", words), *notices)
    return values, None, findings


def _masks(table: Table, rest: list[int], rows: list) -> list | None:
    """What the column attention_mask holds, where it has a number for every token."""
    at = next((index for index in rest if table.names[index].strip().lower() == MASK), None)
    masks = None if at is None else [row[at] for row in table.rows]
    alike = masks and all(
        isinstance(each, list) and len(each) == len(row) for each, row in zip(masks, rows, strict=True)
    )
    return masks if alike else None


def _positions(path: Path, table: Table, rest: list[int], columns: Columns):
    """One column of numbers per position; a column that counts or names the rows is left out."""
    counts = [index for at, index in enumerate(rest) if _is_index(table, index, at == 0)]
    left = [index for index in rest if index not in counts]
    if not left:
        received = f"{len(table.rows)} rows of {len(table.names)} columns"
        raise unusable(path, "rows of numbers and a label", received, "add data")
    findings = tuple(
        Finding("index-column", "pass", f"{_called(table.names[index])} counts or names the rows: left out")
        for index in counts
    )
    findings += odd_columns([table.names[index] for index in left])
    if table.comma and any("," in str(row[index]) for row in table.rows for index in left):
        findings += (Finding("decimal-comma", "pass", "numbers such as 0,5 were read with a decimal comma"),)
    values = np.empty((len(table.rows), len(left)))
    for row, fields in enumerate(table.rows):
        values[row] = [_value(path, table, row, fields[index]) for index in left]
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    missing = ~np.isfinite(values)
    if missing.any() and not (np.isnan(values).sum() == missing.sum() and tails_only(missing)):
        where = lambda row: f"{table.unit} {table.lines[row]}"
        values, more = filled(path, "the columns", values, missing, columns.fill, where)
        findings += more
    return values, None, findings


def _called(name: str) -> str:
    return f"the column {name}" if name else "a column without a name"


def _is_index(table: Table, index: int, first: bool) -> bool:
    """A nameless, index-like or growing first column, or any that counts the rows one by one."""
    values = [number(row[index], table.comma) for row in table.rows]
    name = table.names[index].strip().lower()
    if name in INDICES and (len(set(values)) == len(values) or name == "") and len(values) > 1:
        return True
    if None in values or len(values) < FEWEST_ORDERED:
        return False
    if not np.isfinite(np.array(values, float)).all():
        return False
    steps = np.diff(np.array(values, float))
    return bool((steps == 1).all() or (first and ((steps > 0).all() or (steps < 0).all())))


def _value(path: Path, table: Table, row: int, value: object) -> float:
    read = number(value, table.comma)
    if read is None:
        expected = f"numbers in {table.unit} {table.lines[row]}"
        received = f"could not convert {str(value)[:40]!r}"
        raise unusable(
            path, expected, received, "name the column of texts by --text, or keep only numbers and the label"
        )
    return read


Line = Callable[[int], str]
