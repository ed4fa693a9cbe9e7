"""Images come out of every form as they went in, in the order of the files."""

from pathlib import Path

import numpy as np
import pytest

from full_scale.data.readers import cifar, facts, idx, pathfinder_release
from full_scale.data.readers.images import grey
from sims.runs.store import UserError
from tests.full_scale.data import reader_files
from tests.full_scale.data.reader_files import Source, png, saved

COLOURED = [source for source in reader_files.cifar_sources() if "npz" not in source.name]
IDX = [source for source in reader_files.mnist_sources() if "idx" in source.name]
CSV = [source for source in reader_files.mnist_sources() if "idx" not in source.name]
PATHFINDER = reader_files.pathfinder_sources()
WEIGHTS = (0.2989, 0.587, 0.114)
by_name = {"ids": lambda source: source.name}


@pytest.mark.parametrize("source", COLOURED, **by_name)
def test_cifar_is_the_same_in_every_form(source: Source, tmp_path: Path) -> None:
    parts = cifar.read_cifar(source.written(tmp_path), colour=True)
    for part, stems in cifar.BATCHES.items():
        rows = np.concatenate([reader_files.CIFAR_COLOURS[stem] for stem in stems])
        planes = [parts[part].examples[..., colour].reshape(len(rows), 1024) for colour in range(3)]
        np.testing.assert_array_equal(np.concatenate(planes, axis=1), rows)
        assert parts[part].labels.tolist() == [n for stem in stems for n in reader_files.CIFAR_LABELS[stem]]
        assert parts[part].classes[:2] == ("airplane", "automobile")


@pytest.mark.parametrize("source", COLOURED, **by_name)
def test_cifar_in_grey_is_the_weighted_mean_of_the_colours(source: Source, tmp_path: Path) -> None:
    path = source.written(tmp_path)
    colours, greys = cifar.read_cifar(path, colour=True)["test"], cifar.read_cifar(path)["test"]
    expected = sum(weight * colours.examples[..., at] for at, weight in enumerate(WEIGHTS))
    assert greys.examples.shape == (2, 32, 32)
    assert np.abs(greys.examples - expected).max() <= 0.5001


def test_grey_of_one_colour_is_its_weight() -> None:
    pure = np.diag([255, 255, 255]).astype(np.uint8)[:, None]
    assert grey(pure)[:, 0].tolist() == [round(255 * weight) for weight in WEIGHTS]


def test_cifar_npz_keeps_its_rows(tmp_path: Path) -> None:
    source = reader_files.cifar_sources()[-1]
    parts = source.read(source.written(tmp_path))
    np.testing.assert_array_equal(parts["train"].examples.reshape(3, 1024), reader_files.pixels(3, 1024))
    assert parts["test"].labels.tolist() == [0, 1]


@pytest.mark.parametrize("source", IDX, **by_name)
def test_idx_files_are_read_by_part(source: Source, tmp_path: Path) -> None:
    parts = idx.read_mnist(source.written(tmp_path), idx.FASHION_CLASSES)
    for part, count in (("train", 5), ("test", 3)):
        np.testing.assert_array_equal(parts[part].examples, reader_files.pixels(count, 4, 3))
        assert parts[part].labels.tolist() == list(range(count))
        assert parts[part].classes[-1] == "Ankle boot"


def test_an_idx_header_that_lies_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12 + b"123")
    with pytest.raises(UserError, match=r"expected 79,228,162,458,924,105,385,300,197,375 values .* got 3; "):
        idx.read_idx(path)


@pytest.mark.parametrize("source", CSV, **by_name)
def test_the_last_column_of_the_csv_is_the_digit(source: Source, tmp_path: Path) -> None:
    found = source.read(source.written(tmp_path))["all"]
    np.testing.assert_array_equal(found.examples.reshape(4, 784), reader_files.pixels(4, 784))
    assert found.labels.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("source", PATHFINDER, **by_name)
def test_pathfinder_goes_by_batch_number_and_counts_empty_files(source: Source, tmp_path: Path) -> None:
    found = source.read(source.written(tmp_path))["all"]
    assert found.examples[:, 0, 0].tolist() == [20, 22, 100, 101, 102]
    assert found.labels.tolist() == [0, 0, 0, 1, 0]
    assert found.skipped == 1


def test_pathfinder_stops_at_the_number_asked_for(tmp_path: Path) -> None:
    path = PATHFINDER[0].written(tmp_path)
    assert len(pathfinder_release.read_pathfinder(path, most=2)["all"]) == 2


def test_pathfinder_does_not_leave_its_folder(tmp_path: Path) -> None:
    path = PATHFINDER[0].written(tmp_path) / pathfinder_release.HARD
    (tmp_path / "outside.png").write_bytes(png(np.zeros((4, 4), np.uint8)))
    (path / "metadata" / "0.npy").write_text("../.. outside.png 0 1 1.0 14")
    with pytest.raises(UserError, match=r"0\.npy: expected image paths below the folder, got \.\./"):
        pathfinder_release.read_pathfinder(path)


def test_pickled_metadata_of_pathfinder_is_refused(tmp_path: Path) -> None:
    path = PATHFINDER[0].written(tmp_path) / pathfinder_release.HARD
    rows = np.array([["imgs/2", "sample_0.png", 0, 1]], object)
    (path / "metadata" / "0.npy").write_bytes(saved(np.save, rows, allow_pickle=True))
    with pytest.raises(UserError, match=r"expected an array of numbers or strings .* got type '\|O'"):
        pathfinder_release.read_pathfinder(path)


def test_two_versions_of_cifar_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    COLOURED[0].written(tmp_path)
    with pytest.raises(UserError, match=r"expected data_batch_1\.bin once, got more than one; keep one"):
        cifar.read_cifar(COLOURED[1].written(tmp_path))


def test_facts_tell_a_small_copy_from_the_real_one(tmp_path: Path) -> None:
    found = facts.cifar_facts(cifar.read_cifar(COLOURED[0].written(tmp_path)))
    assert found[0][::2] == ("train examples per class", "1 1 1 1 1 1 1 1 1 1")
    assert not any(fact.holds for fact in found[:3])
