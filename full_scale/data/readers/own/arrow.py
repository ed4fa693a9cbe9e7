"""Parquet, Arrow and Feather files, and what Hugging Face's `save_to_disk` writes, through pyarrow."""

import json
from pathlib import Path
from typing import Any

from full_scale.data.findings import Finding
from full_scale.data.readers.files import AGAIN, content, unfolded, unusable
from full_scale.data.readers.own.columns import DEFAULT, GROUPS, LABELS, TEXTS, Columns
from full_scale.data.readers.own.table import Table

INSTALL = "install the extra `arrow` (pip install pyarrow), or store the table as csv or jsonl"


def read_arrow(path: Path, columns: Columns = DEFAULT) -> Table:
    """The table of a .parquet, .arrow or .feather file; classes by their names where the file states them.

    What pandas stored as the index of its rows is no column, unless it is named or asked for as one.
    """
    pyarrow = _pyarrow(path)
    data = unfolded(path)
    if data.startswith(b"FEA1"):
        raise unusable(
            path,
            "Feather of version 2",
            "version 1",
            "store it anew as Parquet",
        )
    try:
        table = _opened(path, data)
        table.validate(full=True)  # pyarrow reads damaged offsets as they are, and the process dies of it
        index = _index_of(table.schema.metadata or {}, columns)
        table = table.select([name for name in dict.fromkeys(table.column_names) if name not in index])
        names = list(table.column_names)
        values = [_plain(table.column(at)).to_pylist() for at in range(len(names))]
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        received = (str(error) or type(error).__name__).splitlines()[0]
        raise unusable(
            path, "a Parquet or Arrow table", received, "the file is damaged: get it again"
        ) from error
    classes = _class_names(path, table.schema.metadata or {})
    values = [_texts(_named(column, classes.get(name))) for name, column in zip(names, values, strict=True)]
    rows = [list(row) for row in zip(*values, strict=True)]
    words = f"the index that pandas stored ({', '.join(index)}) was left out"
    findings = (Finding("index-column", "pass", words),) if index else ()
    return Table(names, rows, list(range(1, len(rows) + 1)), "row", findings=findings)


def _index_of(metadata: dict[bytes, bytes], columns: Columns) -> list[str]:
    """Columns that are the index of a pandas frame."""
    try:
        index = json.loads(metadata.get(b"pandas", b"{}")).get("index_columns", [])
    except (ValueError, AttributeError, TypeError, RecursionError):
        return []
    meant = (*LABELS, *GROUPS, *TEXTS, columns.label, columns.group, columns.text)
    return [name for name in index if isinstance(name, str) and name not in meant]


def _plain(column: Any) -> Any:
    """Decimals as floats, any other column as it is."""
    import pyarrow

    return column.cast(pyarrow.float64()) if pyarrow.types.is_decimal(column.type) else column


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise unusable(path, "pyarrow, which reads this format", "none installed", INSTALL) from error
    return pyarrow


def _opened(path: Path, data: bytes) -> Any:
    """By the first bytes: Parquet, an Arrow file (also Feather), else an Arrow stream."""
    import pyarrow
    from pyarrow import ipc

    source = pyarrow.BufferReader(data)
    if data.startswith(b"PAR1"):
        from pyarrow import parquet

        return parquet.read_table(source)
    opened = ipc.open_file if data.startswith(b"ARROW1") else ipc.open_stream
    return opened(source).read_all()


def _class_names(path: Path, metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Names of classes by column, as Hugging Face's `datasets` notes them in a schema."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        kinds = {name: kind for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
        return {name: [str(each) for each in kind["names"]] for name, kind in kinds.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _named(column: list, names: list[str] | None) -> list:
    """Numbers of classes as their names; -1 means that there is none."""
    if not names:
        return column
    known = lambda code: isinstance(code, int) and 0 <= code < len(names)
    return [names[code] if known(code) else None if code == -1 else code for code in column]


def _texts(column: list) -> list:
    """Bytes that are UTF-8 as texts; others stay, and are refused as no text."""
    try:
        return [value.decode() if isinstance(value, bytes) else value for value in column]
    except UnicodeDecodeError:
        return column


def shards(folder: Path) -> dict[str, list[Path]]:
    """Files by part of a `save_to_disk` folder: state.json, or dataset_dict.json with a folder per part."""
    parts = [entry for entry in sorted(folder.iterdir()) if (entry / "state.json").is_file()]
    return {entry.name: _files_of(entry) for entry in parts} or {"all": _files_of(folder)}


def _files_of(folder: Path) -> list[Path]:
    """The files that state.json names, or all that lie there; others are of an older save.

    Raises UserError where it names rows that were selected of them (as old versions of `datasets` store them).
    """
    try:
        state = json.loads(content(folder / "state.json")) if (folder / "state.json").is_file() else {}
        names = [Path(str(each["filename"])).name for each in state.get("_data_files") or ()]
        indices = state.get("_indices_data_files") or state.get("_indices_files")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        names, indices = [], None
    if indices:
        remedy = "store it anew: dataset.flatten_indices().save_to_disk(...)"
        raise unusable(folder, "rows as they are stored", "a selection of rows by indices", remedy)
    there = {file.name for file in folder.glob("*.arrow")}
    wrong = next((name for name in names if name not in there), None)
    if wrong is not None:
        raise unusable(folder, "the .arrow files that state.json names", f"none called {wrong!r}", AGAIN)
    return [folder / name for name in names] or sorted(folder.glob("data-*.arrow"))


def is_saved(folder: Path) -> bool:
    """Whether `save_to_disk` wrote the folder."""
    return folder.is_dir() and any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))
