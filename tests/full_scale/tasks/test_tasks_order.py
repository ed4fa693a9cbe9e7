"""The task's construction: a bag of letters is at chance, no text is in two parts, bad text is refused."""

from pathlib import Path

import numpy as np
import pytest

from full_scale.tasks.attention_free import bags, fitted
from full_scale.tasks.order import DocsOrder, pair
from sims.runs.store import UserError
from sims.tasks.prose import cpython_topics, reduce, without_repeats


def bag_of(part, dataset) -> np.ndarray:
    return bags(part, dataset.inputs, None).toarray()


@pytest.fixture(scope="module")
def dataset():
    return DocsOrder().load()


def test_every_bag_of_letters_carries_each_label_equally_often(dataset) -> None:
    for part in (dataset.train, dataset.validation, dataset.test):
        counted = bag_of(part, dataset)
        for bag in {tuple(bag) for bag in counted}:
            labels = part.labels[(counted == np.array(bag)).all(axis=1)]
            assert 2 * labels.sum() == len(labels)
            break  # one bag by search; all of them by pairs below
        real, permuted = np.split(np.sort(part.tokens, axis=1), 2)
        assert np.array_equal(real, permuted)
        assert part.labels[: len(real)].all()
        assert not part.labels[len(real) :].any()


def test_a_classifier_of_bags_is_right_exactly_half_of_the_time(dataset) -> None:
    bag = [bag_of(part, dataset) for part in (dataset.train, dataset.test)]
    guesses = fitted(*bag, dataset.train.labels)
    assert (guesses == dataset.test.labels).mean() == 0.5


def test_a_classifier_of_bags_beats_chance_when_the_permuted_windows_are_other_windows(dataset) -> None:
    """The construction matters: with a letter replaced in one class the same classifier sees it."""
    tokens = dataset.train.tokens.copy()
    tokens[dataset.train.labels == 0, :8] = 0
    leaky = type(dataset.train)(tokens, dataset.train.labels)
    bag = bag_of(leaky, dataset)
    assert (fitted(bag, bag, leaky.labels) == leaky.labels).mean() > 0.9


def test_no_window_is_in_two_parts(dataset) -> None:
    windows = [
        {row.tobytes() for row in part.tokens} for part in (dataset.train, dataset.validation, dataset.test)
    ]
    assert not windows[0] & windows[1]
    assert not windows[0] & windows[2]
    assert not windows[1] & windows[2]


def test_paragraphs_that_topics_share_are_kept_once() -> None:
    documents, _ = cpython_topics()
    repeated = sum(len(reduce(text)) for text in documents.values())
    unique = without_repeats(documents)
    assert sum(map(len, unique.values())) < 0.9 * repeated
    assert without_repeats({"a": "One two.\n\nThree.", "b": "three\n\nfour"}) == {
        "a": "one two three",
        "b": "four",
    }


def test_the_same_data_have_the_same_hash_and_other_data_another() -> None:
    config = DocsOrder(length=32)
    assert config.load().sha256() == config.load().sha256()
    assert config.load().sha256() != DocsOrder(length=32, split_seed=1).load().sha256()


def test_a_pair_is_a_window_and_a_permutation_of_it() -> None:
    real = np.arange(12, dtype=np.int32).reshape(2, 6)
    split = pair(real, 6, np.random.default_rng(0))
    assert np.array_equal(split.tokens[:2], real)
    assert np.array_equal(np.sort(split.tokens[2:], axis=1), real)
    assert not np.array_equal(split.tokens[2:], real)


def test_one_file_of_ones_own_is_cut_into_three_parts(tmp_path: Path) -> None:
    words = np.random.default_rng(0).integers(97, 123, (4000, 5)).astype(np.uint8)
    path = tmp_path / "mine.txt"
    path.write_bytes(b" ".join(row.tobytes() for row in words))
    dataset = DocsOrder(text=(path,)).load()
    assert "cut 80/10/10" in dataset.source
    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert np.allclose(np.array(sizes) / sum(sizes), [0.8, 0.1, 0.1], atol=0.01)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "check the path"),
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"caf\xe9 au lait", "invalid byte at offset 3"),
        (b"too short", "give more --text"),
        (b"1234 5678 " * 9999, "give more --text"),
    ],
)
def test_text_that_cannot_serve_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "mine.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=complaint) as caught:
        DocsOrder(text=(path,)).load()
    assert "\n" not in str(caught.value)
