"""JSON: a record per line, or one document with a list of records or a list per column."""

import json
from pathlib import Path
from typing import Any

from full_scale.data.readers.files import AGAIN, damage, decoded, unfolded, unusable
from full_scale.data.readers.own.columns import DEFAULT, LABELS, Columns
from full_scale.data.readers.own.table import Table

PARTS = ("train", "validation", "valid", "val", "dev", "test")
REMEDY = 'store one record per line, such as {"text": "...", "label": "..."}'


def read_records(path: Path, columns: Columns = DEFAULT) -> Table:
    """The table of a .jsonl (or .ndjson) or .json file; a key that a record lacks is a missing value."""
    text = decoded(path, unfolded(path), encoding=columns.encoding)
    if ".json" in [ending.lower() for ending in path.suffixes] and not _by_line(text):
        with damage(path, "a JSON document"):
            return _document(path, _parsed(text))
    records, lines = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            with damage(path, f"a JSON record in line {number}", REMEDY):
                records.append(_parsed(line))
            lines.append(number)
    return _table(path, records, lines, "line")


def _parsed(text: str) -> Any:
    """What JSON text holds. Raises ValueError where a record has one name twice: one value would be lost."""
    return json.loads(text, object_pairs_hook=_record)


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} twice in one record")
    return record


def _by_line(text: str) -> bool:
    """Whether a file called .json holds a record per line."""
    lines = [line for line in text.split("\n", 2)[:2] if line.strip()]
    try:
        return len(lines) == 2 and all(isinstance(json.loads(line), dict) for line in lines)
    except (ValueError, RecursionError):
        return False


def _document(path: Path, document: Any) -> Table:
    """[{...}, ...], {"data": [{...}, ...]}, {"column": [...], ...}, {"train": [{...}, ...], "test": ...}; pandas'."""
    if isinstance(document, dict):
        if set(document) == {"columns", "index", "data"}:
            return _of_rows(document["columns"], document["data"])
        document = _by_index(_together(document))
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        records = [value for value in lists if value and isinstance(value[0], dict)]
        document = _by_row(document)
        lists = [value for value in document.values() if isinstance(value, list)]
        if len(records) == 1:
            document = records[0]
        elif lists and len(lists) == len(document) and len({len(each) for each in lists}) == 1:
            rows = [list(row) for row in zip(*lists, strict=True)]
            return Table(list(document), rows, list(range(1, len(rows) + 1)), "row")
    if not isinstance(document, list):
        raise unusable(path, "a list of records, or a list per column", type(document).__name__, REMEDY)
    return _table(path, document, list(range(1, len(document) + 1)), "record")


def _of_rows(names: object, rows: object) -> Table:
    """{"columns": [...], "index": [...], "data": [[...], ...]}, as pandas writes it."""
    if not isinstance(names, list) or not isinstance(rows, list) or not names:
        raise ValueError("columns or data that are no lists")
    wrong = next(
        (at for at, row in enumerate(rows) if not isinstance(row, list) or len(row) != len(names)), None
    )
    if wrong is not None:
        raise ValueError(f"another count than {len(names)} values in row {wrong + 1} of data")
    return Table([str(each) for each in names], rows, list(range(1, len(rows) + 1)), "row")


def _together(document: dict) -> Any:
    """{"train": [{...}, ...], "test": [...]} as records that name their part; anything else as it is."""
    lists = list(document.values())
    if "train" not in document or len(lists) < 2 or any(name not in PARTS for name in document):
        return document
    if not all(isinstance(each, list) and all(isinstance(one, dict) for one in each) for each in lists):
        return document
    return [{"split": part, **record} for part, records in document.items() for record in records]


def _by_index(document: Any) -> Any:
    """{"0": {"text": ..., "label": ...}, ...}, as pandas writes rows by their index, as records."""
    rows = list(document.values()) if isinstance(document, dict) else []
    alike = all(isinstance(row, dict) and {*row} & {*LABELS} and {*row} == {*rows[0]} for row in rows)
    return rows if len(rows) > 1 and alike and not {*document} & {*LABELS} else document


def _by_row(records: dict) -> dict:
    """{"column": {"0": ...}}, as pandas writes it, with a list per column."""
    columns = list(records.values())
    alike = all(isinstance(column, dict) and list(column) == list(columns[0]) for column in columns)
    return {name: list(column.values()) for name, column in records.items()} if columns and alike else records


def _table(path: Path, records: list, lines: list[int], unit: str) -> Table:
    if not records:
        raise unusable(path, "records with a text or a list, and a label", "none", AGAIN)
    names: dict[str, None] = {}
    for line, record in zip(lines, records, strict=True):
        if not isinstance(record, dict):
            raise unusable(path, f"a record in {unit} {line}", type(record).__name__, REMEDY)
        names |= dict.fromkeys(record)
    return Table(list(names), [[record.get(name) for name in names] for record in records], lines, unit)
