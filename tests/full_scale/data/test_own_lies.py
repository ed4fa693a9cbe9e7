"""Tables, records and headers that say something else than they seem to: read as they are meant, or said."""

import bz2
import contextlib
import json
import lzma
import time
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.readers.own.cells import lists_spelt
from full_scale.data.readers.own.label_notices import spelling
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
    total,
    written,
)

NAMES = np.array(["no", "yes"])[LABELS].tolist()
STEPS = [f"t{at}" for at in range(LENGTH)]
RECORDS = [{"text": text, "label": name} for text, name in zip(WORDS, NAMES, strict=True)]


def csv(rows, header=("text", "label"), mark: str = ",") -> str:
    return "".join(mark.join(map(str, row)) + "\n" for row in ([header] if header else []) + list(rows))


TABLE = csv(zip(WORDS, NAMES, strict=True))


@pytest.mark.parametrize(("ending", "packed"), [("csv.bz2", bz2.compress), ("csv.xz", lzma.compress)])
def test_a_compressed_table_is_read(ending: str, packed, tmp_path: Path):
    assert total(Own(written(tmp_path / f"a.{ending}", packed(TABLE.encode()))).load()) == COUNT


def test_what_is_not_read_inside_a_compressed_file_is_said_to_be_unpacked(tmp_path: Path):
    with pytest.raises(UserError, match=r"got \.npz in \.xz; unpack it first"):
        Own(written(tmp_path / "a.npz.xz", lzma.compress(b"PK"))).load()


@pytest.mark.parametrize(("stored", "named"), [
    ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("utf-16", "utf-16-le"),
])  # fmt: skip
def test_utf_16_is_read_by_its_name(stored: str, named: str, tmp_path: Path):
    dataset = Own(written(tmp_path / "a.csv", TABLE.encode(stored)), encoding=named).load()
    assert (total(dataset), dataset.class_names) == (COUNT, ("no", "yes"))


@pytest.mark.parametrize(("stored", "named"), [("utf-16-le", "utf-8"), ("utf-16-be", "utf-16")])
def test_texts_of_two_bytes_a_character_are_not_read_as_one(stored: str, named: str, tmp_path: Path):
    for at, (text, name) in enumerate(zip(WORDS, NAMES, strict=True)):
        written(tmp_path / name / f"{at}.txt", text.encode(stored))
    with pytest.raises(UserError, match="--encoding utf-16, utf-16-le or utf-16-be"):
        Own(tmp_path, encoding=named).load()


@pytest.mark.parametrize("rows", [
    [(label, *row) for label, row in zip(1 + LABELS, VALUES.tolist(), strict=True)],
    [(1 + label, text) for label, text in zip(LABELS, WORDS, strict=True)],
], ids=["numbers", "texts"])  # fmt: skip
def test_a_first_row_whose_label_is_the_number_of_its_column_is_no_header(rows, tmp_path: Path):
    assert total(Own(written(tmp_path / "a.csv", csv(rows, None)), label="1").load()) == COUNT


def test_columns_that_are_counted_in_the_header_are_named_by_it(tmp_path: Path):
    rows = [(*row, label) for row, label in zip(VALUES.tolist(), LABELS, strict=True)]
    header = list(range(LENGTH + 1))
    assert total(Own(written(tmp_path / "a.csv", csv(rows, header)), label=str(LENGTH)).load()) == COUNT


def test_a_header_that_comes_again_is_no_row(tmp_path: Path):
    with pytest.raises(UserError, match=f"expected one header, got the header again in line {COUNT + 2}"):
        Own(written(tmp_path / "a.csv", TABLE + TABLE)).load()


def test_blanks_before_a_quote_are_no_part_of_the_label(tmp_path: Path):
    rows = "".join(f'"{text}", "{name}"\n' for text, name in zip(WORDS, NAMES, strict=True))
    assert Own(written(tmp_path / "a.csv", "text, label\n" + rows)).load().class_names == ("no", "yes")


@pytest.mark.parametrize(("digits", "refused"), [("1,234", True), ("1,5", False), ("0,234", False)])
def test_commas_that_may_be_of_thousands_are_not_guessed(digits: str, refused: bool, tmp_path: Path):
    rows = [
        (label, digits, *[f"{1 + at},{100 + (at * row) % 900}" for at in range(6)])
        for row, label in enumerate(LABELS)
    ]
    path = written(tmp_path / "a.csv", csv(rows, ("label", *STEPS[:7]), ";"))
    if not refused:
        assert Own(path).load().length == 7
        return
    with pytest.raises(UserError, match=r"numbers such as 1,234 alone.*write 1234 or 1\.234"):
        Own(path).load()


@pytest.mark.parametrize(("texts", "lists"), [
    (["['a', 'b']", "['c' \"d\"]"], [["a", "b"], ["c", "d"]]),
    (["[[1, 2], [3, 4]]", "[[5, 6]]"], [[[1, 2], [3, 4]], [[5, 6]]]),
    (["[3, 4]", "[5]", "[]"], [[3, 4], [5], []]),
    (["3 4", "5", "6 7 8"], [[3, 4], [5], [6, 7, 8]]),
    (["[...]", "no list", "[laughs] yes"], None), (["5", "6"], None),
])  # fmt: skip
def test_lists_that_texts_spell_are_read_whatever_they_hold(texts, lists):
    assert lists_spelt(Path("a.csv"), "x", texts, str) == lists


@pytest.mark.parametrize(("texts", "line"), [
    (["[0 1 2 ... 7 8 9]", "[0 1]"], r"one cut by '\.\.\.' in 0; NumPy prints long arrays so"),
    (["[0, 1]", "[2, 3]", "lost"], "got 'lost' in 2; mend or remove that row"),
])  # fmt: skip
def test_lists_that_are_cut_or_lost_are_said(texts, line):
    with pytest.raises(UserError, match=line):
        lists_spelt(Path("a.csv"), "x", texts, str)


@pytest.mark.parametrize(
    "text", ["[" + "1" * 30_000 + "x", " " * 30_000 + "x", "[1, " + "9" * 30_000 + "]", "[" * 9_000]
)
def test_no_text_takes_longer_than_its_length(text: str):
    began = time.monotonic()
    with contextlib.suppress(UserError):
        lists_spelt(Path("a.csv"), "x", ["[1, 2]", "[3, 4]", text], str)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("column", ["split", "Set"])
def test_a_column_that_names_the_parts_is_taken(column: str, tmp_path: Path):
    parts = ["train"] * 30 + ["valid"] * 10 + ["test"] * (COUNT - 40)
    rows = [(part, *row, label) for part, row, label in zip(parts, VALUES.tolist(), LABELS, strict=True)]
    dataset = Own(written(tmp_path / "a.csv", csv(rows, (column, *STEPS, "label")))).load()
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [30, 10, COUNT - 40]
    assert dataset.length == LENGTH and "parts-named" in codes(dataset)


def test_a_row_that_names_no_part_is_said(tmp_path: Path):
    rows = [
        ("train" if at else "later", text, name)
        for at, (text, name) in enumerate(zip(WORDS, NAMES, strict=True))
    ]
    with pytest.raises(UserError, match="train, validation or test in 'split', got 'later' in line 2"):
        Own(written(tmp_path / "a.csv", csv(rows, ("split", "text", "label")))).load()


@pytest.mark.parametrize(("labels", "code"), [
    (["01", "1", "2"], "labels-spelling"), (["very bad", "very  bad", "good"], "labels-spelling"),
    (["no", "no\u200b", "yes"], "labels-spelling"), (["a_b", "a-b", "c"], "labels-spelling"),
    (["unknown", "a", "b"], "labels-unstated"), (["-", "a", "b"], "labels-unstated"),
    (["-100", "0", "1"], "labels-unstated"), (["a", "a;b", "b;c"], "labels-several"),
    (["['a']", "['a', 'b']"], "labels-several"), (["2024-01-01", "2024-02-01"], "labels-are-dates"),
])  # fmt: skip
def test_labels_that_are_no_classes_are_said(labels: list[str], code: str):
    assert code in {finding.code for finding in spelling(labels)}


@pytest.mark.parametrize(
    "labels", [["-1", "1"], ["-2", "-1", "0", "1"], ["10", "100"], ["a b", "c d"], ["3-1", "31"]]
)
def test_labels_that_are_classes_are_not_talked_about(labels: list[str]):
    assert spelling(labels) == ()


def test_classes_have_the_same_numbers_in_every_process():
    from full_scale.data.readers.labelled import label_codes

    for names in (["1", "01", "2"], ["01", "2", "1"], ["2", "1", "01"]):
        assert label_codes(Path("a"), names)[1] == ("01", "1", "2")


@pytest.mark.parametrize("document", [
    {"columns": ["text", "label"], "index": list(range(COUNT)), "data": [list(each.values()) for each in RECORDS]},
    {str(at): each for at, each in enumerate(RECORDS)},
    {"train": RECORDS[:40], "test": RECORDS[40:]},
], ids=["split", "index", "parts"])  # fmt: skip
def test_documents_as_pandas_writes_them_and_of_parts_are_read(document, tmp_path: Path):
    dataset = Own(written(tmp_path / "a.json", json.dumps(document))).load()
    assert total(dataset) == COUNT and (len(dataset.test) == COUNT - 40) == ("train" in document)


def test_a_name_twice_in_a_record_is_refused(tmp_path: Path):
    lines = "\n".join(
        [json.dumps(each) for each in RECORDS] + ['{"text": "a", "label": "no", "label": "yes"}']
    )
    with pytest.raises(
        UserError, match=f"a JSON record in line {COUNT + 1}, got 'label' twice in one record"
    ):
        Own(written(tmp_path / "a.jsonl", lines)).load()


@pytest.mark.parametrize("gap", ["", "NaN", "None"])
def test_a_group_that_is_missing_is_no_group(gap: str, tmp_path: Path):
    rows = [
        (text, name, gap if at == 5 else at // 4)
        for at, (text, name) in enumerate(zip(WORDS, NAMES, strict=True))
    ]
    with pytest.raises(UserError, match="a group in every row, got 1 empty, the first in line 7"):
        Own(written(tmp_path / "a.csv", csv(rows, ("text", "label", "group")))).load()


def test_the_label_is_no_group(tmp_path: Path):
    with pytest.raises(UserError, match="a column of groups, got 'label', which is another; check --group"):
        Own(written(tmp_path / "a.csv", TABLE), group="label").load()


def test_numbers_in_quotes_with_decimal_commas_are_no_letters(tmp_path: Path):
    rows = [[name, *[f'"{symbol},5"' for symbol in row]] for name, row in zip(NAMES, SYMBOLS, strict=True)]
    with pytest.raises(UserError, match="numbers need a decimal point"):
        Own(written(tmp_path / "a.csv", csv(rows, ("label", *STEPS)))).load()


def test_symbols_for_training_and_fractions_for_test_are_refused(tmp_path: Path):
    arrays = {"x_train": SYMBOLS[:40], "y_train": LABELS[:40], "x_test": VALUES[40:], "y_test": LABELS[40:]}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(
        UserError, match="parts of one form, got symbols for training, fractions in another part"
    ):
        Own(tmp_path / "a.npz").load()
