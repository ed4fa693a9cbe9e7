"""Parquet, Arrow and Feather files and Hugging Face's folders, where pyarrow is installed."""

import contextlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from full_scale.tasks.own import Own
from sims.runs.store import UserError

COUNT = 60
TEXTS, LABELS = [f"text number {at}" for at in range(COUNT)], [at % 2 for at in range(COUNT)]
INSTALLED = importlib.util.find_spec("pyarrow") is not None
needs_pyarrow = pytest.mark.skipif(not INSTALLED, reason="needs pyarrow (the extra `arrow`)")


def table(names: list[str] | None = None):
    import pyarrow

    feature = {"_type": "ClassLabel", "names": names}
    note = {"info": {"features": {"text": {"_type": "Value"}, "label": feature}}}
    metadata = {b"huggingface": json.dumps(note).encode()} if names else None
    made = pyarrow.table({"text": TEXTS, "label": LABELS})
    return made.replace_schema_metadata(metadata)


def stream(path: Path, content) -> None:
    import pyarrow

    path.parent.mkdir(parents=True, exist_ok=True)
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_stream(sink, content.schema) as writer:
        writer.write_table(content)


@needs_pyarrow
@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow"])
def test_tables_are_read_in_every_form(ending: str, tmp_path: Path):
    from pyarrow import feather, parquet

    path = tmp_path / f"a.{ending}"
    write = {"parquet": lambda: parquet.write_table(table(), path), "arrow": lambda: stream(path, table())}
    write |= {"feather": lambda: feather.write_feather(table(), path)}
    write[ending]()
    read = Own().read(path)["all"]
    assert (read.examples, read.labels.tolist()) == (TEXTS, LABELS)


@needs_pyarrow
def test_what_save_to_disk_writes_is_read_with_its_parts_and_classes(tmp_path: Path):
    for part in ("train", "test"):
        for shard in range(2):
            stream(tmp_path / "saved" / part / f"data-0000{shard}-of-00002.arrow", table(["no", "yes"]))
        (tmp_path / "saved" / part / "state.json").write_text("{}")
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    parts = Own().read(tmp_path / "saved")
    assert {part: len(each) for part, each in parts.items()} == {"train": 2 * COUNT, "test": 2 * COUNT}
    assert parts["train"].classes == ("no", "yes")
    assert len(Own().read(tmp_path / "saved" / "train")["all"]) == 2 * COUNT


@needs_pyarrow
def test_lists_in_a_parquet_file_are_sequences(tmp_path: Path):
    import pyarrow
    from pyarrow import parquet

    rows = [list(range(4 + at % 5)) for at in range(COUNT)]
    parquet.write_table(pyarrow.table({"input_ids": rows, "label": LABELS}), tmp_path / "a.parquet")
    read = Own().read(tmp_path / "a.parquet")["all"]
    assert read.lengths is not None and read.lengths.tolist() == [len(row) for row in rows]


@needs_pyarrow
def test_a_damaged_table_is_one_line(tmp_path: Path):
    from pyarrow import parquet

    parquet.write_table(table(), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    for at in (0, 10, len(data) // 2, len(data) - 9):
        (tmp_path / "b.parquet").write_bytes(data[:at])
        with pytest.raises(UserError, match=r"b\.parquet: expected a Parquet or Arrow table, got .*; "):
            Own().read(tmp_path / "b.parquet")


@needs_pyarrow
def test_a_flipped_byte_never_ends_the_process(tmp_path: Path):
    for number in range(300):
        stream(tmp_path / "a.arrow", table())
        data, rng = bytearray((tmp_path / "a.arrow").read_bytes()), np.random.default_rng(number)
        for at in rng.integers(0, len(data), 4):
            data[at] = rng.integers(0, 256)
        (tmp_path / "a.arrow").write_bytes(data)
        with contextlib.suppress(UserError):
            Own().read(tmp_path / "a.arrow")


@needs_pyarrow
def test_a_file_that_the_state_names_must_be_there(tmp_path: Path):
    stream(tmp_path / "data-0.arrow", table())
    (tmp_path / "state.json").write_text('{"_data_files": [{"filename": "data-1.arrow"}]}')
    with pytest.raises(UserError, match=r"files that state\.json names, got none called 'data-1\.arrow'"):
        Own().read(tmp_path)


@pytest.mark.skipif(INSTALLED, reason="tells what is said without pyarrow")
def test_without_pyarrow_the_extra_is_named(tmp_path: Path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"expected pyarrow.*install the extra `arrow`"):
        Own().read(tmp_path / "a.parquet")
