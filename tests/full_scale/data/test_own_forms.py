"""The user's arrays in the forms that people have: names, labels, ends, gaps."""

import numpy as np
import pytest

from full_scale.data.dataset import read_in_words
from full_scale.tasks.own import Own
from sims.runs.store import UserError
from tests.full_scale.data.own_files import COUNT, DRAW, LABELS, LENGTH, SYMBOLS, VALUES, codes, npz, total

PAIRS = ({"X": VALUES, "Y": LABELS}, {"data": VALUES, "target": LABELS}, {"X": VALUES, "labels": LABELS})


@pytest.mark.parametrize("arrays", PAIRS, ids=lambda arrays: " ".join(arrays))
def test_arrays_are_known_by_their_usual_names(arrays, tmp_path):
    assert total(Own(npz(tmp_path / "a.npz", **arrays)).load()) == COUNT


def test_arrays_of_other_names_are_listed_and_can_be_named(tmp_path):
    path = npz(tmp_path / "a.npz", signals=VALUES, diagnosis=LABELS)
    with pytest.raises(
        UserError, match=r"got signals \(60, 12\), diagnosis \(60,\); .*--text signals --label diagnosis"
    ):
        Own(path).load()
    assert total(Own(path, text="signals", label="diagnosis").load()) == COUNT


FORMS = {
    "booleans": LABELS == 1, "a column": LABELS[:, None], "one-hot": np.eye(2, dtype=int)[LABELS],
    "minus one": 2 * LABELS - 1, "floats": LABELS.astype(float), "strings": np.array(["no", "yes"])[LABELS],
    "bytes": np.array([b"no", b"yes"])[LABELS], "objects": np.array(["no", "yes"], object)[LABELS],
}  # fmt: skip


@pytest.mark.parametrize("labels", FORMS.values(), ids=FORMS)
def test_labels_of_every_form_are_two_classes(labels, tmp_path):
    plain = Own(npz(tmp_path / "plain.npz", x=VALUES, y=LABELS)).load()
    dataset = Own(npz(tmp_path / "a.npz", x=VALUES, y=labels)).load()
    np.testing.assert_array_equal(dataset.test.labels, plain.test.labels)
    assert dataset.classes == 2


REFUSED = {
    "regression": ({"y": DRAW.standard_normal(COUNT)}, "classes in y, got 60 .*a regression target: bin it"),
    "missing": ({"y": np.where(np.arange(COUNT) == 7, np.nan, LABELS)}, "1 missing, the first in row 8"),
    "no name": ({"y": np.array(["a", "", "b"] * 20)}, "got 20 empty, the first in row 2 of y"),
    "several": ({"y": np.ones((COUNT, 3), int)}, "one class per row of y, got 3 in row 1"),
    "probabilities": ({"y": np.full((COUNT, 2), 0.5)}, "most probable class by y.argmax"),
    "gaps": ({"x": np.where(np.arange(LENGTH) == 3, np.nan, VALUES)}, "60 missing or infinite, .* row 1"),
    "channels of four axes": ({"x": np.zeros((COUNT, 3, 3, 3))}, "flatten images"),
    "too many symbols": ({"x": np.arange(720_000).reshape(COUNT, -1)}, "720,000 different .* float32"),
    "ragged": ({"x": np.array([[1, 2], [3]] * 30, object)}, "unpickled: pad x .* store the lengths"),
    "transposed": ({"x": VALUES.T}, r"one row per label, got x \(12, 60\) and 60 labels; .*transpose x"),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_one_line_with_its_remedy(changed, line, tmp_path):
    with pytest.raises(UserError, match=line):
        Own(npz(tmp_path / "a.npz", **({"x": VALUES, "y": LABELS} | changed))).load()


@pytest.mark.parametrize("shift", [-3, 10**12])
def test_symbols_of_any_numbers_are_numbered_alike_in_every_part(shift, tmp_path):
    plain = Own(npz(tmp_path / "plain.npz", x=SYMBOLS, y=LABELS)).load()
    dataset = Own(npz(tmp_path / "a.npz", x=SYMBOLS + shift, y=LABELS)).load()
    np.testing.assert_array_equal(dataset.train.tokens, plain.train.tokens)
    assert "symbols-numbered" in codes(dataset)
    arrays = {
        "x_train": SYMBOLS + shift,
        "y_train": LABELS,
        "x_test": SYMBOLS[:20] * 0 + 4 + shift,
        "y_test": LABELS[:20],
    }
    parts = Own(npz(tmp_path / "parts.npz", **arrays)).load()
    assert np.all(parts.test.tokens == 4)


def test_a_negative_number_that_fills_ends_is_padding(tmp_path):
    lengths = 4 + np.arange(COUNT) % 9
    x = np.where(np.arange(LENGTH) < lengths[:, None], SYMBOLS, -1)
    dataset = Own(npz(tmp_path / "a.npz", x=x, y=LABELS)).load()
    plain = Own(npz(tmp_path / "b.npz", x=np.where(x < 0, 0, x), y=LABELS, lengths=lengths)).load()
    assert "padding-read" in codes(dataset)
    np.testing.assert_array_equal(dataset.test.lengths, plain.test.lengths)
    np.testing.assert_array_equal(dataset.test.tokens, plain.test.tokens)


@pytest.mark.parametrize("front", [False, True])
def test_rows_that_end_or_begin_in_zeros_ask_for_lengths(front, tmp_path):
    lengths = 4 + np.arange(COUNT) % 9
    x = np.where(np.arange(LENGTH) < lengths[:, None], SYMBOLS + 1, 0)
    line = (
        "the rows of x begin in a run of 0.*move the padding"
        if front
        else "end in a run of 0, got none; store lengths"
    )
    with pytest.raises(UserError, match=line):
        Own(npz(tmp_path / "a.npz", x=x[:, ::-1] if front else x, y=LABELS)).load()
    assert total(Own(npz(tmp_path / "b.npz", x=x, y=LABELS, lengths=np.full(COUNT, LENGTH))).load()) == COUNT


def test_zeros_that_are_data_ask_for_nothing(tmp_path):
    x = np.where(DRAW.random((COUNT, LENGTH)) < 0.8, 0, SYMBOLS)
    assert total(Own(npz(tmp_path / "a.npz", x=x, y=LABELS)).load()) == COUNT


@pytest.mark.parametrize("fill", ["linear", "mean", "zero"])
def test_missing_values_are_filled_as_asked_and_said(fill, tmp_path):
    x = VALUES.copy()
    x[7, 5] = np.nan
    path = npz(tmp_path / "a.npz", x=x, y=LABELS)
    value = {"linear": (x[7, 4] + x[7, 6]) / 2, "mean": np.nanmean(x), "zero": 0.0}[fill]
    read = Own(path, fill=fill).read(path)["all"]
    assert read.examples[7, 5] == pytest.approx(value)
    assert [finding.code for finding in read.findings] == ["missing-filled"]


def test_values_that_are_missing_at_ends_make_shorter_sequences(tmp_path):
    lengths = 4 + np.arange(COUNT) % 9
    x = np.where(np.arange(LENGTH) < lengths[:, None], VALUES, np.nan)
    read = Own().read(npz(tmp_path / "a.npz", x=x, y=LABELS))["all"]
    assert read.lengths is not None and read.lengths.tolist() == lengths.tolist()


def test_classes_have_the_names_that_an_array_gives_them(tmp_path):
    dataset = Own(npz(tmp_path / "a.npz", x=SYMBOLS, y=LABELS, classes=np.array(["der", "die"]))).load()
    assert read_in_words(dataset) == "read 60 sequences of 12 tokens of 5 symbols, 2 classes (der 30, die 30)"
