"""ARFF, series, FASTA, Arrow, folders and arrays that hide something: read as they are meant, or said."""

import json
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.readers.npz import array_from
from full_scale.data.readers.own.memory import parts_in_memory
from full_scale.tasks.own import Own
from sims.runs.store import UserError
from tests.full_scale.data.own_files import (
    COUNT,
    LABELS,
    LENGTH,
    SYMBOLS,
    VALUES,
    WORDS,
    codes,
    npz,
    total,
    written,
)
from tests.full_scale.data.reader_files import zipped

NAMES = np.array(["no", "yes"])[LABELS].tolist()


def arff(kinds: list[str], rows) -> str:
    head = "".join(f"@attribute a{at} {kind}\n" for at, kind in enumerate(kinds))
    return f"@relation r\n{head}@data\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def test_the_only_nominal_attribute_is_the_label_wherever_it_stands(tmp_path: Path):
    rows = [(name, *row) for name, row in zip(NAMES, VALUES, strict=True)]
    dataset = Own(written(tmp_path / "a.arff", arff(["{no,yes}", *["numeric"] * LENGTH], rows))).load()
    assert (dataset.class_names, dataset.length) == (("no", "yes"), LENGTH) and "attribute-label" in codes(
        dataset
    )


def test_several_nominal_attributes_before_a_number_are_asked_about(tmp_path: Path):
    rows = [(name, name, *row) for name, row in zip(NAMES, VALUES, strict=True)]
    text = arff(["{no,yes}", "{no,yes}", *["numeric"] * LENGTH], rows)
    with pytest.raises(
        UserError, match="a last attribute that is nominal, the label, got a0, a1; name it by --label"
    ):
        Own(written(tmp_path / "a.arff", text)).load()


def series(rows) -> str:
    cases = "".join(",".join(map(str, row)) + f": {name} \n" for row, name in zip(rows, NAMES, strict=True))
    return f"@timeStamps false\n@classLabel true no yes\n@data\n{cases}"


@pytest.mark.parametrize(("change", "code"), [
    (lambda row: [row[0], "?", *row[2:]], "missing-filled"),
    (lambda row: [*row[:-3], "NaN", "NaN", "NaN"], "missing-ends"),
    (lambda row: [-999, *row[1:]], "missing-stand-in"),
], ids=["inside", "ends", "stand-in"])  # fmt: skip
def test_what_was_done_to_missing_values_of_a_series_is_said(change, code: str, tmp_path: Path):
    rows = [change(row.tolist()) if at % 3 == 0 else row.tolist() for at, row in enumerate(VALUES)]
    dataset = Own(written(tmp_path / "a.ts", series(rows))).load()
    assert code in codes(dataset)
    assert code != "missing-ends" or dataset.train.full_lengths().min() == LENGTH - 3


def test_what_is_said_about_columns_of_a_series_is_not_ignored(tmp_path: Path):
    path = written(tmp_path / "a.ts", series(VALUES).replace("yes", "größe").encode("latin-1"))
    assert Own(path, encoding="latin-1").load().class_names == ("no", "größe")
    with pytest.raises(UserError, match="no --label, --text or --group"):
        Own(path, label="y", encoding="latin-1").load()


def fasta(headers) -> str:
    return "".join(
        f">{header}\n{'ACGT' * 5}{'ACGT'[at % 4]}{at % 7 * 'A'}\n" for at, header in enumerate(headers)
    )


@pytest.mark.parametrize("last", ["length=41", "SV=1"])
def test_another_key_of_a_header_is_no_label(last: str, tmp_path: Path):
    path = written(tmp_path / "a.fa", fasta(f"s{at} OX={at % 2} {last}" for at in range(COUNT)))
    with pytest.raises(UserError, match=r"a label in every header.* or name its key by --label"):
        Own(path).load()
    assert Own(path, label="OX").load().class_names == ("0", "1")


def test_gaps_of_an_alignment_are_said(tmp_path: Path):
    text = fasta(f"s{at} {NAMES[at]}" for at in range(COUNT)).replace("ACGTACGT", "ACG--CGT")
    assert "gaps" in codes(Own(written(tmp_path / "a.fa", text)).load())


def frame(path: Path, table, metadata: dict[str, object] | None = None) -> Path:
    parquet = pytest.importorskip("pyarrow.parquet")
    stored = {name: json.dumps(value) for name, value in (metadata or {}).items()}
    parquet.write_table(table.replace_schema_metadata(stored), path)
    return path


@pytest.mark.parametrize("name", ["__index_level_0__", "number"])
def test_the_index_of_a_pandas_frame_is_no_position(name: str, tmp_path: Path):
    arrow = pytest.importorskip("pyarrow")
    columns = {f"t{at}": VALUES[:, at] for at in range(LENGTH)} | {
        "label": NAMES,
        name: (7 * np.arange(COUNT)) % 61,
    }
    path = frame(tmp_path / "a.parquet", arrow.table(columns), {"pandas": {"index_columns": [name]}})
    dataset = Own(path).load()
    assert dataset.length == LENGTH and "index-column" in codes(dataset)
    assert "groups" in codes(Own(path, group=name).load())


def test_decimals_are_numbers_and_classes(tmp_path: Path):
    arrow = pytest.importorskip("pyarrow")
    column = lambda values: arrow.array(values).cast(arrow.float64()).cast(arrow.decimal128(12, 3))
    columns = {f"t{at}": column(VALUES[:, at].astype(float).round(3)) for at in range(LENGTH)}
    dataset = Own(frame(tmp_path / "a.parquet", arrow.table(columns | {"label": column(LABELS)}))).load()
    assert (dataset.length, dataset.class_names) == (LENGTH, ("0", "1"))


def test_a_saved_data_set_is_read_as_its_state_says(tmp_path: Path):
    arrow, ipc = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.ipc")
    table = arrow.table({"text": WORDS, "label": NAMES})
    for name in ("data-00000-of-00001.arrow", "data-00000-of-00002.arrow"):
        with ipc.new_stream(str(tmp_path / name), table.schema) as stream:
            stream.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    written(tmp_path / "state.json", json.dumps(state))
    assert total(Own(tmp_path).load()) == COUNT
    written(tmp_path / "state.json", json.dumps(state | {"_indices_data_files": [{"filename": "i.arrow"}]}))
    with pytest.raises(
        UserError, match=r"a selection of rows by indices; store it anew: dataset\.flatten_indices"
    ):
        Own(tmp_path).load()


def test_folders_of_one_class_in_two_spellings_are_said_and_endings_may_be_capitals(tmp_path: Path):
    for at, text in enumerate(WORDS):
        written(tmp_path / ["neg", "pos", "Pos"][at % 3] / f"{at}.TXT", text)
    dataset = Own(tmp_path).load()
    assert total(dataset) == COUNT and "labels-spelling" in codes(dataset)
    written(tmp_path / "neg" / "blank.txt", " \n")
    with pytest.raises(UserError, match=r"blank\.txt: expected a text, got blanks alone; remove the file"):
        Own(tmp_path).load()


def test_an_archive_of_windows_is_read(tmp_path: Path):
    files = {f"set\\{NAMES[at]}\\{at}.txt": text.encode() for at, text in enumerate(WORDS)}
    assert total(Own(written(tmp_path / "a.zip", zipped(files))).load()) == COUNT
    with pytest.raises(UserError, match="member names below the archive's root"):
        Own(written(tmp_path / "b.zip", zipped({"..\\no\\1.txt": b"text"}))).load()


def test_a_header_of_bytes_that_are_no_text_is_one_line():
    header = b"{'descr': '<\xff8', 'fortran_order': False, 'shape': (1,), }"
    with pytest.raises(UserError, match="an array of numbers or strings, got the header"):
        array_from(Path("a.npy"), b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def test_texts_stored_as_objects_are_read(tmp_path: Path):
    path = npz(tmp_path / "a.npz", x=np.array(WORDS, object), y=np.array(NAMES, object))
    assert Own(path).load().class_names == ("no", "yes")


@pytest.mark.parametrize(("arrays", "line"), [
    ({"x": VALUES + 1j}, "expected real numbers, got complex ones; store the real and the imaginary part"),
    ({"input_ids": SYMBOLS, "attention_mask": np.ones((COUNT, 13))}, r"attention_mask \(60, 13\) beside input_ids"),
    ({"x": SYMBOLS, "group": np.where(np.arange(COUNT) == 3, np.nan, 1.0)}, "a group in every row, .* row 4"),
], ids=["complex", "mask", "group"])  # fmt: skip
def test_arrays_that_cannot_be_meant_are_refused(arrays, line: str, tmp_path: Path):
    with pytest.raises(UserError, match=line):
        Own(npz(tmp_path / "a.npz", y=LABELS, **arrays)).load()


@pytest.mark.parametrize(("arrays", "code"), [
    ({"x": np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8)).astype("u1")}, "images"),
    ({"x": SYMBOLS, "X": SYMBOLS}, "arrays-unused"),
])  # fmt: skip
def test_arrays_that_may_be_something_else_are_warned_of(arrays, code: str, tmp_path: Path):
    findings = Own(npz(tmp_path / "a.npz", y=LABELS, **arrays)).load().findings
    assert [finding.status for finding in findings if finding.code == code] == ["warn"]


def test_three_groups_are_a_part_each(tmp_path: Path):
    group = np.arange(COUNT) % 3
    dataset = Own(npz(tmp_path / "a.npz", x=SYMBOLS, y=group == 2, group=group)).load()
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [20, 20, 20]


HIDDEN = np.arange(LENGTH) >= 9
MASKED = lambda values, mask: np.ma.masked_array(values, np.broadcast_to(mask, np.shape(values)))


def test_what_a_mask_hides_is_missing_in_memory():
    assert parts_in_memory(MASKED(VALUES, HIDDEN), LABELS)["all"].lengths.tolist() == [9] * COUNT
    with pytest.raises(UserError, match=r"symbols without a mask, got 180 masked ones; give lengths"):
        parts_in_memory(MASKED(SYMBOLS, HIDDEN), LABELS)
    some = MASKED(LABELS, np.arange(COUNT) == 3)
    with pytest.raises(UserError, match="NoneType in row 4"):
        parts_in_memory(SYMBOLS, some)
    assert (parts_in_memory(SYMBOLS, some, unlabelled=True)["all"].labels < 0).sum() == 1


class Indexed(list):
    """Rows with an index, as pandas has them."""

    def __init__(self, rows, index):
        super().__init__(rows)
        self.index = np.array(index).view(Index)


class Index(np.ndarray):
    def equals(self, other) -> bool:
        return np.array_equal(self, other)


def test_rows_whose_index_stands_in_another_order_are_not_mixed_up():
    order = list(range(COUNT))
    with pytest.raises(UserError, match=r"its rows in another order; give y\.loc\[x\.index\]"):
        parts_in_memory(Indexed(SYMBOLS.tolist(), order), Indexed(LABELS.tolist(), order[::-1]))
    assert (
        len(parts_in_memory(Indexed(SYMBOLS.tolist(), order), Indexed(LABELS.tolist(), order))["all"])
        == COUNT
    )
