"""Parts, folders and arrays that mislead a reader: what is train, what is a class, what is not read is said."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from full_scale.diagnosis.data import whole_dataset
from full_scale.tasks.own import Own
from sims.runs.store import UserError

COUNT, LENGTH = 60, 12
DRAW = np.random.default_rng(7)
SYMBOLS, VALUES = DRAW.integers(0, 5, (COUNT, LENGTH)), DRAW.standard_normal((COUNT, LENGTH))
LABELS = np.arange(COUNT) % 2
TABLE = "text,label\n" + "".join(f"text number {at},{label}\n" for at, label in enumerate(LABELS))


def npz(path: Path, **arrays) -> Path:
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **arrays)
    return path


def findings(path: Path) -> dict[str, str]:
    return {finding.code: finding.status for finding in Own(path).load().findings}


def folder(path: Path, *names: str) -> Path:
    for name in names:
        for at in range(20):
            (path / name).mkdir(parents=True, exist_ok=True)
            (path / name / f"{at}.txt").write_text(f"{name} text {at}")
    return path


def test_a_folder_of_a_part_beside_folders_of_classes_is_no_class(tmp_path):
    with pytest.raises(UserError, match="got test beside neg, pos; move it out"):
        Own(folder(tmp_path, "pos", "neg", "test")).load()
    assert (
        Own(folder(tmp_path / "parts", "train/pos", "train/neg", "test/pos", "test/neg")).load().classes == 2
    )


def test_one_npz_per_part_is_read(tmp_path):
    for part, rows in (("train", slice(0, 40)), ("test", slice(40, COUNT))):
        npz(tmp_path / "a" / f"{part}.npz", x=SYMBOLS[rows], y=LABELS[rows])
    assert len(Own(tmp_path / "a").load().test) == 20


def test_train_and_validation_are_enough(tmp_path):
    some, rest = slice(0, 40), slice(40, COUNT)
    path = npz(
        tmp_path / "a.npz", x_train=VALUES[some], y_train=LABELS[some], x_val=VALUES[rest], y_val=LABELS[rest]
    )
    dataset = Own(path).load()
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (36, 20, 4)


def test_a_part_without_labels_is_named(tmp_path):
    path = npz(tmp_path / "a.npz", x_train=SYMBOLS, y_train=LABELS, x_test=SYMBOLS)
    with pytest.raises(
        UserError, match="got x_test alone; store the labels of x_test beside it, or leave it out"
    ):
        Own(path).load()


def test_a_second_array_of_labels_is_said(tmp_path):
    assert findings(npz(tmp_path / "a.npz", x=SYMBOLS, y=LABELS, labels=1 - LABELS)) == {
        "arrays-unused": "warn"
    }
    assert findings(npz(tmp_path / "b.npz", x=SYMBOLS, y=LABELS, notes=LABELS)) == {"arrays-unused": "pass"}


@pytest.mark.parametrize("kind", ["uint8", "int64", "float32"])
def test_one_hot_steps_are_symbols_and_are_asked_about_where_the_channels_come_first(kind, tmp_path):
    steps = np.eye(4, dtype=kind)[DRAW.integers(0, 4, (COUNT, 40))]
    assert Own(npz(tmp_path / "a.npz", x=steps, y=LABELS)).load().inputs.symbols == 4
    with pytest.raises(UserError, match="looks like 4 channels of 40 steps"):
        Own(npz(tmp_path / "b.npz", x=steps.swapaxes(1, 2), y=LABELS)).load()


def test_whole_numbers_with_channels_first_are_asked_about(tmp_path):
    walks = DRAW.standard_normal((COUNT, 3, 40)).cumsum(axis=2)
    with pytest.raises(UserError, match="looks like 3 channels of 40 steps"):
        Own(npz(tmp_path / "a.npz", x=(10 * walks).astype(np.int16), y=LABELS)).load()


def test_a_number_that_stands_for_a_missing_one_is_said(tmp_path):
    gaps = np.where(DRAW.random(VALUES.shape) < 0.05, -999, VALUES)
    assert findings(npz(tmp_path / "a.npz", x=gaps, y=LABELS)) == {"missing-stand-in": "warn"}
    assert findings(npz(tmp_path / "b.npz", x=VALUES.clip(-1, 1), y=LABELS)) == {}


def test_values_too_large_to_be_squared_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"at most 1e\+15 in x, got [0-9.]+e\+20; divide them by a scale"):
        Own(npz(tmp_path / "a.npz", x=VALUES.clip(1, 9) * 1e20, y=LABELS)).load()


def test_a_text_beside_the_tables_of_an_archive_is_no_text_by_class(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
        archive.writestr("d/train.csv", TABLE)
        archive.writestr("d/test.csv", TABLE)
    assert len(Own(tmp_path / "a.zip").load().test) == COUNT


def test_letters_of_two_cases_in_fasta_are_said(tmp_path):
    path = tmp_path / "a.fasta"
    path.write_text(
        "".join(
            f">s{at} label={label}\nACGT{'acgt' * (at % 3)}{at * 'A'}C\n" for at, label in enumerate(LABELS)
        )
    )
    assert findings(path) == {"letters-of-two-cases": "warn"}


def test_parts_of_save_to_disk_that_are_none_of_three_are_said_and_bytes_are_texts(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    for part in ("train", "test", "unsupervised"):
        texts = [f"{part} text {at}".encode() for at in range(COUNT)]
        folder = tmp_path / part
        folder.mkdir()
        rows = pyarrow.table({"text": texts, "label": LABELS})
        with pyarrow.ipc.new_stream(folder / "data-00000-of-00001.arrow", rows.schema) as stream:
            stream.write_table(rows)
        (folder / "state.json").write_text("{}")
    (tmp_path / "dataset_dict.json").write_text("{}")
    assert findings(tmp_path)["parts-unused"] == "warn"


def test_targets_that_are_no_classes_are_called_so(tmp_path):
    path = npz(tmp_path / "a.npz", x=SYMBOLS, y=DRAW.permutation(10 * COUNT)[:COUNT])
    with pytest.raises(UserError, match="are the labels classes, and no regression target, names or numbers"):
        whole_dataset(str(path))
