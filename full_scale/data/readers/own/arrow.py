"""Parquet, Arrow and Feather files, and what Hugging Face's `save_to_disk` writes, through pyarrow."""

import json
from pathlib import Path
from typing import Any

from full_scale.data.readers.files import content, unusable
from full_scale.data.readers.own.table import Table

INSTALL = "install the extra `arrow` (pip install pyarrow), or store the table as csv or jsonl"


def read_arrow(path: Path) -> Table:
    """The table of a .parquet, .arrow or .feather file; classes by their names where the file states them."""
    pyarrow = _pyarrow(path)
    data = content(path)
    try:
        table = _opened(path, data)
        names = list(table.column_names)
        columns = [table.column(at).to_pylist() for at in range(len(names))]
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        received = (str(error) or type(error).__name__).splitlines()[0]
        raise unusable(
            path, "a Parquet or Arrow table", received, "the file is damaged: get it again"
        ) from error
    classes = _class_names(path, table.schema.metadata or {})
    columns = [_texts(_named(column, classes.get(name))) for name, column in zip(names, columns, strict=True)]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Table(names, rows, list(range(1, len(rows) + 1)), "row")


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
    except (ValueError, KeyError, TypeError, AttributeError):
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
    named = {entry.name: sorted(entry.glob("data-*.arrow")) for entry in parts}
    return named or {"all": sorted(folder.glob("data-*.arrow"))}


def is_saved(folder: Path) -> bool:
    """Whether `save_to_disk` wrote the folder."""
    return folder.is_dir() and any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))
