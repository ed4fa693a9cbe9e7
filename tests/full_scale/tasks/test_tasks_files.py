"""Tasks on files: parts, labels and padding agree; nothing is in two parts; what is missing is named."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from full_scale.data import prepared
from full_scale.data.dataset import PARTS, on_device
from full_scale.data.pixels import pooled
from full_scale.data.splits import by_class_share, capped, for_pretraining
from full_scale.tasks import TASKS
from full_scale.tasks.file_task import FileTask
from full_scale.tasks.image import Image
from full_scale.tasks.listops import ListOps
from full_scale.tasks.own import Own
from full_scale.tasks.text import Text
from full_scale.tasks.ucr import Ucr
from sims.runs.store import UserError
from tests.full_scale.tasks.task_files import image_file, own_file, reviews_csv, series_folder, small_tasks

FILE_TASKS = sorted(name for name, kind in TASKS.items() if issubclass(kind, FileTask))
SIZES = {
    "image": (54, 6, 20), "mnist": (55, 5, 20), "fashion-mnist": (55, 5, 20), "text": (48, 6, 6),
    "retrieval": (12, 4, 4), "listops": (48, 6, 6), "pathfinder": (24, 3, 3), "ucr": (16, 4, 6),
    "own": (32, 4, 4),
}  # fmt: skip


@pytest.fixture(scope="module")
def tasks(tmp_path_factory) -> dict:
    return small_tasks(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("name", FILE_TASKS)
def test_parts_labels_lengths_and_padding_agree(tasks, name: str) -> None:
    dataset = tasks[name].load()
    inputs = dataset.inputs
    assert tuple(len(getattr(dataset, part)) for part in PARTS) == SIZES[name]
    for part in PARTS:
        split = getattr(dataset, part)
        shape = (len(split), 2, inputs.length) if inputs.pair else (len(split), inputs.length)
        assert split.tokens.shape == (shape if inputs.channels == 1 else (*shape, inputs.channels))
        assert (
            split.labels.dtype == np.int32 and 0 <= split.labels.min() <= split.labels.max() < inputs.classes
        )
        lengths = split.full_lengths()
        assert lengths.min() >= 1 and lengths.max() <= inputs.length
        padding = np.arange(inputs.length) >= lengths[..., None]
        assert not split.tokens[padding].any()
        if inputs.symbols or inputs.levels:
            assert split.tokens.max() < (inputs.symbols or inputs.levels)


@pytest.mark.parametrize("name", FILE_TASKS)
def test_no_sequence_is_in_two_parts(tasks, name: str) -> None:
    dataset = tasks[name].load()
    found = [{row.tobytes() for row in getattr(dataset, part).tokens} for part in PARTS]
    assert not found[0] & found[1] and not found[0] & found[2] and not found[1] & found[2]
    assert len(found[0]) == len(dataset.train)


@pytest.mark.parametrize("name", FILE_TASKS)
def test_the_same_files_give_the_same_data_also_in_their_prepared_form(tasks, name: str, tmp_path) -> None:
    task = tasks[name]
    parts, source = task.parts()
    file = prepared.write(tmp_path, name, parts, source)
    again = dataclasses.replace(task, data=file).load()
    assert again.sha256() == task.load().sha256()
    assert again.source == task.load().source
    assert all(holds for _, holds in prepared.verify(file))


def test_a_changed_byte_of_prepared_data_is_noticed(tmp_path: Path) -> None:
    task = Own(own_file(tmp_path))
    file = prepared.write(tmp_path / "data", "own", *task.parts())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert [holds for _, holds in prepared.verify(file)] == [False]
    with pytest.raises(UserError, match="found a damaged one"):
        Own(file).load()


@pytest.mark.parametrize("name", FILE_TASKS)
def test_a_missing_file_is_answered_in_one_line_with_what_to_do(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(TASKS[name], "installed", lambda self: None)
    for task in (TASKS[name](), TASKS[name](tmp_path / "nowhere")):
        with pytest.raises(UserError) as caught:
            task.load()
        message = str(caught.value)
        assert (
            "\n" not in message
            and f"`sptlab data prepare {name}" in message
            and "train with --data PATH" in message
        )
        assert ("nowhere" if task.data else f"data/{name}") in message


def test_repeated_reviews_are_kept_once_and_both_classes_are_in_every_part(tmp_path: Path) -> None:
    dataset = Text(reviews_csv(tmp_path, number=60, repeated=5), length=60).load()
    assert sum(len(getattr(dataset, part)) for part in PARTS) == 60
    assert all(2 * getattr(dataset, part).labels.sum() == len(getattr(dataset, part)) for part in PARTS)


def test_bytes_of_a_review_are_one_more_than_its_text_and_an_end_mark_follows(tmp_path: Path) -> None:
    path = reviews_csv(tmp_path)
    texts = set(Text.read(path)["train"].examples)
    split = Text(path, length=64, mark_end=True).load().test
    for tokens, length in zip(split.tokens, split.lengths, strict=True):
        assert tokens[length - 1] == 255
        assert (tokens[: length - 1] - 1).tobytes().decode() in texts


def test_rare_characters_share_one_symbol_and_the_rest_are_ranked_by_training_texts(
    tmp_path: Path,
) -> None:
    every = Text(reviews_csv(tmp_path), unit="characters", fewest=1, length=64).load()
    few = Text(tmp_path / "combined_movie_reviews.csv", unit="characters", fewest=100, length=64).load()
    counts = np.bincount(every.train.tokens.ravel())[3:]
    assert (np.diff(counts) <= 0).all() and every.symbols == 3 + len(counts)
    assert few.symbols == 3 + (counts >= 100).sum() < every.symbols
    assert (few.train.tokens == 1).sum() == counts[counts < 100].sum()


def test_the_split_of_images_is_that_of_the_files_and_the_model_gets_raw_values(tmp_path: Path) -> None:
    task = Image(image_file(tmp_path))
    images = np.load(tmp_path / "cifar.npz")
    dataset = task.load()
    assert np.array_equal(dataset.train.tokens, images["x_train"][:54].reshape(54, -1))
    assert np.array_equal(dataset.validation.tokens, images["x_train"][54:].reshape(6, -1))
    assert np.array_equal(dataset.test.labels, images["y_test"])
    assert (dataset.inputs.levels, dataset.inputs.mean, dataset.inputs.deviation) == (256, 122.6, 61.0)
    assert on_device(dataset.train)[0].dtype == np.uint8


def test_pooling_averages_blocks_and_standardises_anew(tmp_path: Path) -> None:
    dataset = Image(image_file(tmp_path), side=8).load()
    first = np.load(tmp_path / "cifar.npz")["x_train"][0]
    assert dataset.train.tokens[0, 9] == np.rint(first[4:8, 4:8].mean())
    assert dataset.inputs.grid == (8, 8) and dataset.inputs.deviation == pytest.approx(
        dataset.train.tokens.std(), abs=1e-3
    )
    with pytest.raises(UserError, match="side must divide an image's 32 rows: got side=7; try 8"):
        pooled(first[None], 7)


def test_series_are_standardised_on_the_training_part_and_padded_with_nought(tmp_path: Path) -> None:
    dataset = Ucr(series_folder(tmp_path)).load()
    values = np.concatenate(
        [row[:length] for row, length in zip(dataset.train.tokens, dataset.train.lengths, strict=True)]
    )
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-6)
    assert dataset.inputs.channels == 2


def test_the_value_of_an_expression_is_its_label(tasks) -> None:
    from full_scale.data.generators.listops import evaluate

    split = dataclasses.replace(tasks["listops"], mark_end=True).load().train
    for tokens, length, label in zip(split.tokens, split.lengths, split.labels, strict=True):
        assert tokens[length - 1] == 17
        assert evaluate(tokens[: length - 1]) == label
    cut = dataclasses.replace(tasks["listops"], length=10).load()
    assert cut.length == 10 and np.array_equal(cut.train.tokens[:, 0], split.tokens[:, 0])


def test_of_ones_own_texts_folders_are_classes(tmp_path: Path) -> None:
    for name in ("cold", "warm"):
        (tmp_path / "texts" / name).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "texts" / name / f"{number}.txt").write_text(f"{name} day {number}")
    dataset = Own(tmp_path / "texts", length=6).load()
    assert (dataset.classes, dataset.symbols, dataset.length) == (2, 257, 6)
    warm = dataset.train.tokens[dataset.train.labels == 1]
    assert {(row[:4] - 1).tobytes() for row in warm} == {b"warm"}


def test_smaller_selections_lie_within_larger_ones(tasks) -> None:
    whole = tasks["image"].load()
    some, fewer = capped(whole, 20, 5, 0), capped(whole, 10, 3, 0)
    assert (len(some.train), len(some.validation), len(some.test)) == (20, 5, 5)
    rows = lambda dataset: {row.tobytes() for row in dataset.train.tokens}
    assert rows(fewer) < rows(some) < rows(whole)
    assert (
        dataclasses.replace(tasks["image"], train_most=20, held_out_most=5).load().sha256() == some.sha256()
    )


def test_few_labels_leave_all_sequences_to_pretraining(tasks) -> None:
    whole = tasks["image"].load()
    few = dataclasses.replace(tasks["image"], labelled_most=20).load()
    assert len(few.train) <= 22 and set(few.train.labels.tolist()) == set(whole.train.labels.tolist())
    assert sorted(row.tobytes() for row in for_pretraining(few).tokens) == sorted(
        row.tobytes() for row in whole.train.tokens
    )
    assert few.test.tokens.tobytes() == whole.test.tokens.tobytes()
    more = dataclasses.replace(tasks["image"], labelled_most=10**6).load()
    assert more.unlabelled is None and more.sha256() == whole.sha256()


def test_a_split_by_class_keeps_each_class_share() -> None:
    labels = np.repeat([0, 1, 2], [100, 60, 40]).astype(np.int32)
    rows = by_class_share(labels, 20, 40, 0, "mine")
    assert [np.bincount(labels[rows[part]]).tolist() for part in PARTS] == [
        [70, 42, 28],
        [10, 6, 4],
        [20, 12, 8],
    ]
    assert np.array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(200))
    other = by_class_share(labels, 20, 40, 1, "mine")
    assert not np.array_equal(rows["test"], other["test"])
    with pytest.raises(UserError, match="mine: expected at least 2 sequences in every part: got 1 train"):
        by_class_share(labels[:3], 1, 1, 0, "mine")


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Text(length=1), "length must be at least 2: got 1"),
        (lambda: Image(train_most=1), "train_most must be at least 2: got 1"),
        (lambda: ListOps(length=0), "length must be at least 2: got 0"),
    ],
)
def test_impossible_settings_are_refused(build, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        build()
