"""Floors: each finds what was planted for it and nothing else, and equals what a law is known to leak."""

import numpy as np
import pytest

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.data.generators import pathfinder
from full_scale.tasks.attention_free import attention_free_accuracies
from full_scale.tasks.digits import Digits
from full_scale.tasks.drawn import PatchAssociation
from full_scale.tasks.order import DocsOrder
from full_scale.tasks.pathfinder_discs import disc_distance
from full_scale.tasks.task import load
from tests.tolerances import monte_carlo

SIZES = {"train": 800, "validation": 10, "test": 400}
LENGTH = 12


def planted(name: str, inputs: Inputs, make) -> Dataset:
    """Parts that `make(generator, labels)` fills; it returns tokens, or tokens and lengths."""
    splits = {}
    for number, (part, size) in enumerate(SIZES.items()):
        generator = np.random.default_rng(number)
        labels = generator.integers(0, 2, size).astype(np.int32)
        made = make(generator, labels)
        tokens, lengths = made if isinstance(made, tuple) else (made, None)
        splits[part] = Split(tokens, labels, lengths)
    return Dataset(name, **splits, inputs=inputs, source="planted")


def noise(generator, labels) -> np.ndarray:
    return generator.integers(0, 5, (len(labels), LENGTH)).astype(np.uint8)


def first_position(generator, labels) -> np.ndarray:
    """Two symbols trade places between position 0 and 1: bags are alike."""
    tokens = noise(generator, labels)
    tokens[:, 0], tokens[:, 1] = np.where(labels, 3, 4), np.where(labels, 4, 3)
    return tokens


def more_of_one(generator, labels) -> np.ndarray:
    """Four more of symbol 0 somewhere."""
    tokens = np.where(np.arange(LENGTH) < 4 * labels[:, None], 0, noise(generator, labels))
    return generator.permuted(tokens, axis=1).astype(np.uint8)


def neighbours(generator, labels) -> np.ndarray:
    """0 and 1 side by side or apart, either one first: bags are alike, and every position by itself."""
    tokens = generator.integers(2, 5, (len(labels), LENGTH)).astype(np.uint8)
    rows, place = np.arange(len(labels)), generator.integers(0, LENGTH, len(labels))
    other = place + np.where(labels, 1, generator.integers(2, LENGTH - 1, len(labels)))
    first = generator.integers(0, 2, len(labels))
    tokens[rows, place], tokens[rows, other % LENGTH] = first, 1 - first
    return tokens


def longer(generator, labels) -> tuple[np.ndarray, np.ndarray]:
    lengths = (5 + 3 * labels + generator.integers(0, 3, len(labels))).astype(np.int32)
    return np.where(np.arange(LENGTH) < lengths[:, None], 1, 0).astype(np.uint8), lengths


SYMBOLS = Inputs(LENGTH, classes=2, symbols=5)
CASES = [
    ("noise", SYMBOLS, noise, set()),
    ("mine", SYMBOLS, first_position, {"linear"}),
    ("mine", SYMBOLS, more_of_one, {"bag_of_tokens", "linear", "pairs"}),
    ("mine", SYMBOLS, neighbours, {"pairs"}),
    ("mine", SYMBOLS, longer, {"length", "bag_of_tokens", "linear", "pairs"}),
    ("listops", SYMBOLS, first_position, {"linear", "root_operator"}),
]


@pytest.mark.parametrize(("name", "inputs", "make", "expected"), CASES)
def test_a_floor_finds_what_was_planted_for_it_and_nothing_else(name, inputs, make, expected) -> None:
    found = attention_free_accuracies(planted(name, inputs, make))
    certain = {floor for floor, accuracy in found.items() if accuracy > 0.75}
    assert certain - {"pairs"} == expected - {"pairs"}
    assert ("pairs" in certain) >= ("pairs" in expected)
    chance = 0.5 + 2 * monte_carlo(0.5 / np.sqrt(SIZES["test"]))
    assert all(accuracy < chance for floor, accuracy in found.items() if floor not in expected | {"pairs"})


def test_values_and_channels_have_floors_too() -> None:
    shift = lambda generator, labels: (
        generator.standard_normal((len(labels), LENGTH, 2)) + labels[:, None, None]
    ).astype(np.float32)
    found = attention_free_accuracies(planted("mine", Inputs(LENGTH, classes=2, channels=2), shift))
    assert min(found["bag_of_tokens"], found["linear"], found["pairs"]) > 0.9


def test_two_texts_are_compared_by_what_they_share() -> None:
    def alike(generator, labels) -> np.ndarray:
        """The same symbol fills half of both texts, or of each another one."""
        first, second = generator.integers(0, 4, (2, len(labels)))
        second = np.where(labels, first, (first + 1 + second % 3) % 4)
        tokens = generator.integers(0, 4, (len(labels), 2, LENGTH))
        tokens[:, 0, ::2], tokens[:, 1, ::2] = first[:, None], second[:, None]
        return tokens.astype(np.uint8)

    found = attention_free_accuracies(planted("mine", Inputs(LENGTH, classes=2, symbols=4, pair=True), alike))
    assert found["bag_of_tokens"] > 0.75 and "linear" not in found


def test_the_sum_of_a_patch_association_reaches_what_is_known_of_it() -> None:
    task = PatchAssociation(train_size=2000, held_out_size=2000)
    found, leak = attention_free_accuracies(task.load()), task.law.known["bag"]
    assert found["sum"] == pytest.approx(leak, abs=monte_carlo(np.sqrt(leak * (1 - leak) / 2000)))
    assert found["sum"] == found["bag_of_tokens"]


def test_floors_of_digits_and_of_order() -> None:
    digits = attention_free_accuracies(load(Digits()))
    assert digits["constant"] == pytest.approx(0.1, abs=0.01)
    assert digits["bag_of_tokens"] < 0.5 < 0.9 < digits["linear"]
    order = attention_free_accuracies(load(DocsOrder(length=16)))
    assert order["bag_of_tokens"] == order["constant"] == 0.5
    assert order["pairs"] > 0.9


def test_the_discs_of_an_image_are_found_by_their_thickness() -> None:
    images, _, known = pathfinder.generate(pathfinder.PRESETS[32], seed=0, start=0, count=60)
    first, second = known["discs"].astype(float).swapaxes(0, 1)
    errors = disc_distance(images) - np.linalg.norm(first - second, axis=1)
    assert (np.abs(errors) < 2).mean() > 0.95
