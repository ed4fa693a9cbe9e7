"""The user's data in the forms that people have: names, labels, gaps, columns, encodings, formats."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.dataset import PARTS, read_in_words
from full_scale.data.readers.own.columns import Columns
from full_scale.data.splits import for_pretraining
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data import dataset_of, dataset_of_arrays
from full_scale.tasks.own import Own
from sims.runs.store import UserError
from tests.full_scale.data.reader_files import csv_text, saved

COUNT, LENGTH = 60, 12
DRAW = np.random.default_rng(3)
SYMBOLS, VALUES = (
    DRAW.integers(0, 5, (COUNT, LENGTH)),
    DRAW.standard_normal((COUNT, LENGTH)).astype(np.float32),
)
LABELS = np.arange(COUNT) % 2
WORDS = [f"text number {at} of {'ab'[at % 2]}" for at in range(COUNT)]


def written(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def npz(path: Path, **arrays) -> Path:
    return written(path, saved(np.savez, **arrays))


def codes(dataset) -> set[str]:
    return {finding.code for finding in dataset.findings}


def total(dataset) -> int:
    return sum(len(part) for part in (dataset.train, dataset.validation, dataset.test))


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


def table(mark: str = ",", names=("text", "label")) -> str:
    rows = [names, *zip(WORDS, np.array(["no", "yes"])[LABELS], strict=True)]
    return "\n".join(mark.join(row) for row in rows)


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


def records(count: int = COUNT) -> list[dict]:
    return [{"text": WORDS[at], "label": "ab"[at % 2]} for at in range(count)]


def fasta() -> str:
    letters = np.array(list("ACGT"))[SYMBOLS % 4]
    return "".join(
        f">s{at} class={at % 2}\n{''.join(row[:8])}\n{''.join(row[8:])}\n" for at, row in enumerate(letters)
    )


def arff() -> str:
    names = "".join(f"@attribute t{at} numeric\n" for at in range(LENGTH))
    rows = "\n".join(
        ",".join([*map(str, row), "ab"[label]]) for row, label in zip(VALUES, LABELS, strict=True)
    )
    return f"@relation r\n{names}@attribute kind {{a,b}}\n@data\n{rows}\n"


def ts() -> str:
    rows = [",".join(map(str, row)) + ":" + "ab"[label] for row, label in zip(VALUES, LABELS, strict=True)]
    return "@timeStamps false\n@classLabel true a b\n@data\n" + "\n".join(rows)


def ucr() -> str:
    cut = [np.where(np.arange(LENGTH) < 6 + at % 7, row, np.nan) for at, row in enumerate(VALUES)]
    return "\n".join(
        "\t".join([str(label + 1), *map(str, row)]) for row, label in zip(cut, LABELS, strict=True)
    )


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_dot_", "."), data)
    return stream.getvalue()


def by_row(column: list) -> dict:
    return dict(enumerate(column))


LISTS = [{"tokens": SYMBOLS[at, : 4 + at % 5].tolist(), "label": at % 2} for at in range(COUNT)]
FILES = {
    "jsonl": {"a.jsonl": "\n".join(map(json.dumps, records()))},
    "jsonl of lists": {"a.jsonl": "\n".join(map(json.dumps, LISTS))},
    "json": {"a.json": json.dumps(records())},
    "json of columns": {"a.json": json.dumps({"text": WORDS, "label": LABELS.tolist()})},
    "json of pandas": {"a.json": json.dumps({"text": by_row(WORDS), "label": by_row(LABELS.tolist())})},
    "fasta": {"a.fa": fasta()},
    "arff": {"a.arff": arff()},
    "a single ts": {"a.ts": ts()},
    "tsv": {"a.tsv": table("\t")},
    "capital ending": {"a.CSV": table()},
    "npy pair": {"a_X.npy": saved(np.save, VALUES), "a_y.npy": saved(np.save, LABELS)},
    "npy pair, short names": {"X.npy": saved(np.save, VALUES), "y.npy": saved(np.save, LABELS)},
    "zip of a csv": {"a.zip": zipped(a_dot_csv=table().encode(), __MACOSX=b"x")},
    "zip of an npz": {"a.zip": zipped(a_dot_npz=saved(np.savez, x=VALUES, y=LABELS))},
}  # fmt: skip


@pytest.mark.parametrize("files", FILES.values(), ids=FILES)
def test_formats_of_the_field_are_read(files, tmp_path):
    paths = [written(tmp_path / name, data) for name, data in files.items()]
    dataset = dataset_of(str(paths[0]), DiagnosisConfig())
    assert (total(dataset), dataset.classes) == (COUNT, 2)


def test_the_archive_of_2018_states_labels_first_and_shorter_series_by_nan(tmp_path):
    for part in ("TRAIN", "TEST"):
        written(tmp_path / f"Mine_{part}.tsv", ucr())
    for given in (tmp_path, tmp_path / "Mine_TRAIN.tsv"):
        dataset = Own(given).load()
        assert (len(dataset.test), dataset.length, dataset.class_names) == (COUNT, LENGTH, ("1", "2"))
        assert dataset.test.lengths is not None and dataset.test.lengths.tolist() == [
            6 + at % 7 for at in range(COUNT)
        ]


def test_a_file_per_part_is_read_as_the_parts(tmp_path):
    for part, count in (("train", 60), ("validation", 20), ("test", 30)):
        written(tmp_path / f"{part}.jsonl", "\n".join(map(json.dumps, records(count))))
    dataset = Own(tmp_path).load()
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (60, 20, 30)


def test_an_error_inside_an_archive_names_the_archive(tmp_path):
    path = written(tmp_path / "a.zip", zipped(a_dot_csv=b"text,label\na,x\nb,\n"))
    with pytest.raises(UserError) as error:
        Own(path).load()
    assert str(error.value).startswith(f"{path}/a.csv: expected a label in every row")


def test_what_is_not_read_is_answered_with_what_is(tmp_path):
    for name, line in (("a.pt", "a pickle runs code"), ("a.docx", "npz, npy .*FASTA|npz, npy .*fasta")):
        with pytest.raises(UserError, match=line):
            Own(written(tmp_path / name, b"something")).load()
    npz(tmp_path / "mine2.npz", x=VALUES, y=LABELS)
    with pytest.raises(UserError, match=r"mine\.npz, which is none; did you mean mine2\.npz\? give a path"):
        dataset_of(str(tmp_path / "mine.npz"), DiagnosisConfig())


def test_a_fasta_file_for_every_class_is_read_with_its_name(tmp_path):
    for name in ("ancient", "modern"):
        written(
            tmp_path / f"{name}.fa",
            "".join(f">{name}{at}\nACGTACGT{'ACGT'[at % 4] * (at + 1)}\n" for at in range(20)),
        )
    assert Own(tmp_path).load().class_names == ("ancient", "modern")


def test_texts_that_are_cut_are_said(tmp_path):
    path = written(
        tmp_path / "a.csv",
        "\n".join(["text,label", *(f"{word * 9},{at % 2}" for at, word in enumerate(WORDS))]),
    )
    dataset = Own(path, length=50).load()
    assert (dataset.length, "texts-cut" in codes(dataset)) == (50, True)
    assert "texts-cut" not in codes(Own(path).load())


def test_a_folder_whose_texts_end_otherwise_says_their_ending(tmp_path):
    for at in range(4):
        written(tmp_path / "good" / f"{at}.md", b"text")
    with pytest.raises(
        UserError, match=r"expected texts as <class>/\*\.txt, got 4 \.md; give texts the ending"
    ):
        Own(tmp_path).load()


def test_options_are_for_files_and_a_path_may_be_a_string(tmp_path):
    task = Own()
    object.__setattr__(
        task, "data", str(npz(tmp_path / "a.npz", x=VALUES, y=LABELS))
    )  # unchecked, as users may
    task.__post_init__()
    assert total(task.load()) == COUNT
    with pytest.raises(UserError, match=r"--label, .* are for files: digits is a task"):
        dataset_of("digits", DiagnosisConfig(), Columns(label="y"))


class Tensor:
    """What torch's tensors offer."""

    def __init__(self, values):
        self.values = values

    def detach(self):
        return self

    def cpu(self):
        return self

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)

    def tolist(self):
        return self.values.tolist()


class Frame:
    """What the frames and series of pandas and polars offer."""

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return self.values


IN_MEMORY = {
    "numpy": (VALUES, LABELS),
    "a tensor": (Tensor(VALUES), Tensor(LABELS)),
    "a frame": (Frame(VALUES), Frame(LABELS)),
    "a frame of objects": (Frame(VALUES.astype(object)), Frame(np.array(["a", "b"], object)[LABELS])),
    "lists": (VALUES.tolist(), LABELS.tolist()),
}  # fmt: skip


@pytest.mark.parametrize(("x", "y"), IN_MEMORY.values(), ids=IN_MEMORY)
def test_what_offers_itself_as_an_array_is_read_as_the_array(x, y):
    plain = dataset_of_arrays(VALUES, LABELS)
    assert dataset_of_arrays(x, y).sha256() == plain.sha256()


def test_ragged_lists_and_texts_in_memory_are_read():
    ragged = [
        Tensor(SYMBOLS[at, : 4 + at % 5]) if at % 2 else SYMBOLS[at, : 4 + at % 5].tolist()
        for at in range(COUNT)
    ]
    assert dataset_of_arrays(ragged, LABELS).train.lengths is not None
    assert dataset_of_arrays(WORDS, LABELS).symbols == 257
    with pytest.raises(
        UserError, match=r"^x and y: expected one label per example, got 60 examples and 59 labels"
    ):
        dataset_of_arrays(VALUES, LABELS[:-1])
