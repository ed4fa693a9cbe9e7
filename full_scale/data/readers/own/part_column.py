"""Tables of several parts: a column that names the part of every row, such as split."""

from pathlib import Path

from full_scale.data.findings import Finding
from full_scale.data.readers.files import unusable
from full_scale.data.readers.own.arrays import ENDINGS
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.data.readers.own.table import Table

SPLITS = ("split", "set", "subset", "part", "partition", "fold", "dataset_split", "data_split")
_PART_OF = {name: part for part, names in ENDINGS.items() for name in (*names, f"{part}ing")}
_MORE = {"eval": "validation", "evaluation": "validation", "development": "validation"}


def by_part(path: Path, table: Table, columns: Columns = DEFAULT) -> dict[str, Table]:
    """{"all"}, or a table for every part that the column split, set, fold, ... names.

    Raises UserError where that column names some parts, and other rows none.
    """
    asked = (columns.label, columns.text, columns.group)
    named = [
        at for at, name in enumerate(table.names) if name.strip().lower() in SPLITS and name not in asked
    ]
    for at in named:
        values = [str(row[at]).strip().lower() for row in table.rows]
        parts = [(_PART_OF | _MORE).get(value) for value in values]
        if "train" not in parts:
            continue
        if None in parts:
            row = parts.index(None)
            received = f"{values[row][:40]!r} in {table.unit} {table.lines[row]}"
            remedy = "name every row's part, or remove the column"
            raise unusable(path, f"train, validation or test in {table.names[at]!r}", received, remedy)
        return {part: _of(table, at, parts, part) for part in ENDINGS if part in parts}
    return {"all": table}


def _of(table: Table, at: int, parts: list[str | None], part: str) -> Table:
    rows = [row for row, name in enumerate(parts) if name == part]
    words = f"the column {table.names[at]} names the parts: they were taken"
    return table._replace(
        names=[name for index, name in enumerate(table.names) if index != at],
        rows=[[value for index, value in enumerate(table.rows[row]) if index != at] for row in rows],
        lines=[table.lines[row] for row in rows],
        findings=(*table.findings, Finding("parts-named", "pass", words)),
    )
