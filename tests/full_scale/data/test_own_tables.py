"""The user's tables: marks, names, headers, decimal commas, missing labels, encodings."""

import json
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.dataset import PARTS
from full_scale.data.splits import for_pretraining
from full_scale.diagnosis.data import dataset_of_arrays
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
    table,
    total,
    written,
)
from tests.full_scale.data.reader_files import csv_text


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("names", [("Text", "Label"), ("sentence", "class"), ("review", "Sentiment")])
def test_tables_have_any_usual_mark_and_names(mark, names, tmp_path):
    dataset = Own(written(tmp_path / "a.csv", table(mark, names))).load()
    assert (total(dataset), dataset.class_names) == (COUNT, ("no", "yes"))


def test_columns_of_other_names_can_be_named(tmp_path):
    path = written(tmp_path / "a.csv", table(names=("words", "mood")))
    with pytest.raises(UserError, match=r"expected a column 'label', got words, mood; .*--label"):
        Own(path).load()
    assert total(Own(path, label="MOOD", text="words").load()) == COUNT


def test_decimal_commas_are_read_where_semicolons_divide(tmp_path):
    rows = [
        f"{a:.3f};{b:.3f};{c}".replace(".", ",")
        for a, b, c in zip(VALUES[:, 0], VALUES[:, 1], LABELS, strict=True)
    ]
    read = Own().read(written(tmp_path / "a.csv", "\n".join(["a;b;label", *rows])))["all"]
    np.testing.assert_array_equal(
        read.examples[:, 1], np.round(VALUES[:, 1].astype(float), 3).astype(np.float32)
    )


@pytest.mark.parametrize("label", ["13", "last"])
def test_a_table_without_header_is_read_when_its_label_column_is_counted(label, tmp_path):
    path = written(
        tmp_path / "a.csv", csv_text([[*row, label] for row, label in zip(VALUES, LABELS, strict=True)])
    )
    with pytest.raises(UserError, match=r"got 13 numbers in the first line \(no header\?\); .*--label last"):
        Own(path).load()
    dataset = Own(path, label=label).load()
    assert (total(dataset), dataset.length) == (COUNT, LENGTH)


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "id", "t"])
def test_a_column_that_counts_the_rows_is_left_out_and_said(name, tmp_path):
    rows = [[name, "label", *map(str, range(LENGTH))]]
    rows += [[at, label, *row] for at, (row, label) in enumerate(zip(VALUES, LABELS, strict=True))]
    dataset = Own(written(tmp_path / "a.csv", csv_text(rows))).load()
    assert dataset.length == LENGTH and "index-column" in codes(dataset)


def test_an_empty_cell_is_named_by_its_line(tmp_path):
    rows = [["label", "a", "b", "c"], *[[label, *row[:3]] for row, label in zip(VALUES, LABELS, strict=True)]]
    rows[5][2] = ""
    path = written(tmp_path / "a.csv", csv_text(rows))
    with pytest.raises(
        UserError, match="got 1 missing or infinite, the first in line 6; fill them with --fill"
    ):
        Own(path).load()
    assert "missing-filled" in codes(Own(path, fill="linear").load())


def test_an_empty_label_is_named_by_its_line(tmp_path):
    with pytest.raises(
        UserError, match=r"a\.csv: expected a label in every row, got 1 empty, the first in line 4;"
    ):
        Own(written(tmp_path / "a.csv", "text,label\na,x\nb,y\nc,\nd,x\n")).load()


MISSING = np.arange(COUNT) % 3 == 0
STATED = COUNT - int(MISSING.sum())


def without_labels(kind: str, folder: Path) -> Path:
    """A third of the rows without a label, in a form of its own."""
    if kind == "csv texts":
        rows = [
            [word, "" if lost else label] for word, label, lost in zip(WORDS, LABELS, MISSING, strict=True)
        ]
        return written(folder / "a.csv", csv_text([["text", "label"], *rows]))
    if kind == "jsonl":
        rows = [
            {"text": w, "label": None if m else int(y)}
            for w, y, m in zip(WORDS, LABELS, MISSING, strict=True)
        ]
        return written(folder / "a.jsonl", "\n".join(map(json.dumps, rows)))
    if kind == "npz symbols, strings":
        return npz(folder / "a.npz", x=SYMBOLS, y=np.where(MISSING, "NA", LABELS.astype(str)))
    return npz(folder / "a.npz", x=VALUES, y=np.where(MISSING, np.nan, LABELS))


@pytest.mark.parametrize("kind", ["csv texts", "jsonl", "npz symbols, strings", "npz values, nan"])
def test_rows_without_a_label_are_read_by_pretraining_alone_where_that_is_asked_for(kind, tmp_path):
    path = without_labels(kind, tmp_path)
    if kind != "npz symbols, strings":  # there a class of its own, which is said
        with pytest.raises(UserError, match="--unlabelled pretrain"):
            Own(path).load()
    dataset = Own(path, unlabelled="pretrain").load()
    assert (total(dataset), len(dataset.unlabelled), dataset.classes) == (STATED, COUNT - STATED, 2)
    assert dataset.unlabelled.tokens.shape[1:] == dataset.train.tokens.shape[1:]
    assert "unlabelled" in codes(dataset) and not codes(dataset) & {"labels-unstated"}
    every = np.concatenate([dataset.unlabelled.tokens, *(getattr(dataset, each).tokens for each in PARTS)])
    assert len(np.unique(every, axis=0)) == COUNT
    assert len(for_pretraining(dataset)) == len(dataset.train) + COUNT - STATED


def test_rows_without_a_label_survive_preparation_and_memory(tmp_path, front_door):
    path = without_labels("npz values, nan", tmp_path)
    given = [
        "data",
        "prepare",
        "own",
        "--source",
        path,
        "--out",
        tmp_path,
        "--quiet",
        "--unlabelled",
        "pretrain",
    ]
    code, _, err = front_door(*given)
    assert code == 0, err
    prepared, direct = Own(tmp_path / "own.npz").load(), Own(path, unlabelled="pretrain").load()
    assert prepared.sha256() == direct.sha256()
    memory = dataset_of_arrays(VALUES, np.where(MISSING, np.nan, LABELS), unlabelled=True)
    assert memory.sha256() == direct.sha256()


def test_another_encoding_is_read_when_it_is_named(tmp_path):
    path = written(tmp_path / "a.csv", table().replace("text number", "dépôt").encode("latin-1"))
    with pytest.raises(UserError, match=r"expected UTF-8 text, got byte 0xe9 .*--encoding"):
        Own(path).load()
    assert "dépôt 0 of a" in Own(encoding="latin-1").read(path)["all"].examples
    with pytest.raises(UserError, match="--encoding must be a text encoding"):
        Own(path, encoding="no such")
