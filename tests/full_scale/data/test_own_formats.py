"""The user's data in the formats of the field, in archives, folders and memory."""

import io
import json
import zipfile

import numpy as np
import pytest

from full_scale.data.readers.own.columns import Columns
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.data import dataset_of, dataset_of_arrays
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
from tests.full_scale.data.reader_files import saved


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
