"""Series and the user's own arrays come out with their shapes, classes and true lengths."""

from pathlib import Path

import numpy as np
import pytest

from full_scale.data.readers import own, ucr
from sims.runs.store import UserError
from tests.full_scale.data import reader_files
from tests.full_scale.data.reader_files import TS_HEADER, saved

SOURCES = {source.name: source for source in reader_files.series_sources()}


def test_missing_values_are_interpolated_within_a_channel(tmp_path: Path) -> None:
    found = ucr.read_ucr(SOURCES["ucr"].written(tmp_path))["train"]
    np.testing.assert_array_equal(found.examples[0], [[1.5, 0], [2, 1], [3, 2], [4, 3]])
    np.testing.assert_array_equal(found.examples[1], [[5, 7], [5, 7]])
    assert found.labels.tolist() == [0, 1] and found.classes == ("up", "down")


@pytest.mark.parametrize(
    ("case", "line"),
    [
        (b"1,2:3:up", "expected channels of one length in line 9, got"),
        (b"1,2:3,4:left", "expected channels and a known label in line 9, got 'left'"),
        (b"1,x:3,4:up", "expected numbers in line 9, got could not convert string to float: 'x'"),
        (b"1,inf:3,4:up", "expected finite values in every channel of line 9"),
        (b"?,?:3,4:up", "expected finite values in every channel of line 9"),
        (b"", "expected cases after @data, got none"),
    ],
)
def test_a_case_that_is_wrong_is_named_by_its_line(case: bytes, line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(TS_HEADER + case)
    with pytest.raises(UserError) as error:
        ucr.read_ts(path)
    assert line in str(error.value)


def test_a_regression_problem_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(TS_HEADER.replace(b"@classLabel true up down", b"@targetLabel true") + b"1,2:3")
    with pytest.raises(UserError, match="expected @classLabel true and two or more names before @data"):
        ucr.read_ts(path)


def test_the_files_of_a_folder_with_variants_are_those_of_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "Tiny"
    path = SOURCES["ucr"].written(folder)
    (folder / "Tiny_eq_TRAIN.ts").write_bytes(b"")
    assert ucr.read_ucr(path).keys() == ucr.read_ucr(folder / "Tiny_TRAIN.ts").keys()


def test_own_arrays_keep_tokens_names_and_lengths(tmp_path: Path) -> None:
    found = own.read_own(SOURCES["own npz"].written(tmp_path))["all"]
    within = np.arange(6) < np.array([6, 1, 2, 3])[:, None]
    np.testing.assert_array_equal(found.examples, reader_files.pixels(4, 6) * within)
    assert found.classes == ("a", "b", "c") and found.labels.tolist() == [1, 0, 1, 2]
    assert found.lengths is not None and found.lengths.tolist() == [6, 1, 2, 3]


def test_own_parts_share_their_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    parts = {"x_train": np.zeros((2, 3)), "y_train": np.array([10, 9])}
    path.write_bytes(saved(np.savez, **parts, x_test=np.zeros((1, 3)), y_test=np.array([-1])))
    found = own.read_own(path)
    assert found["test"].classes == found["train"].classes == ("-1", "9", "10")
    assert found["train"].labels.tolist() == [2, 1] and found["train"].examples.dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        (
            {"x": np.array([[np.nan, 1.0]]), "y": [0]},
            "expected finite float32 values in x, got 1 missing or infinite, the first in row 1",
        ),
        ({"x": np.array([[1e300]]), "y": [0]}, "in x, got 1 missing or infinite, the first in row 1; fill"),
        ({"x": np.zeros((2, 3)), "y": [0]}, "expected one label per example, got 2 examples and 1 labels"),
        (
            {"x": np.zeros((1, 3)), "y": [0.5]},
            "expected classes in y, got 1 different fractions; a regression target: bin it",
        ),
        ({"x": np.zeros(3), "y": [0] * 3}, "expected x (n, length) of numbers or (n, length, channel)"),
        ({"x": np.zeros((1, 3)), "y": [0], "lengths": [4]}, "expected lengths (n,) from 1 to 3"),
        ({"x": np.zeros((1, 3))}, "expected the array y, got x (1, 3); store it by numpy.savez"),
        (
            {"x": np.array([[{}]], object), "y": [0]},
            "got an array of objects with more than one axis; nothing is unpickled: pad x",
        ),
    ],
)
def test_own_arrays_that_cannot_train_are_refused_in_words(arrays: dict, line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(saved(np.savez, **arrays))
    with pytest.raises(UserError) as error:
        own.read_own(path)
    assert str(error.value).startswith(f"{path}: ") and line in str(error.value)


def test_columns_of_numbers_are_positions_and_classes_sort_as_numbers(tmp_path: Path) -> None:
    found = own.read_own(SOURCES["own csv"].written(tmp_path))["all"]
    np.testing.assert_array_equal(found.examples, np.array([[1, 2.5], [-3, 1e-3]], np.float32))
    assert found.classes == ("9", "10") and found.labels.tolist() == [1, 0]


def test_a_column_of_texts_may_hold_commas_and_lines(tmp_path: Path) -> None:
    found = own.read_own(SOURCES["own csv of texts"].written(tmp_path))["all"]
    assert found.examples == ["a, b", "línea\ntwo"]
    assert found.classes == ("bad", "good") and found.labels.tolist() == [1, 0]


def test_a_label_column_is_chosen_by_name(tmp_path: Path) -> None:
    path = SOURCES["own csv"].written(tmp_path)
    assert own.read_own_csv(path, label="t0")["all"].classes == ("-3", "1")
    with pytest.raises(UserError, match="expected one column 'kind', got t0, label, t1; name the column"):
        own.read_own_csv(path, label="kind")
