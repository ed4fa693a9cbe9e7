"""Parts prepared in different ways and DNA's other strand are said; phrases that recur by chance are no leak."""

from pathlib import Path

import numpy as np
import pytest

from full_scale.diagnosis.data import dataset_of_arrays
from full_scale.diagnosis.quality import quality_of
from full_scale.tasks.own import Own
from tests.full_scale.data.own_files import npz

COUNT = 400
DRAW = np.random.default_rng(8)
LABELS = np.arange(COUNT) % 2
WORDS = [
    "the",
    "a",
    "quick",
    "brown",
    "red",
    "fox",
    "dog",
    "jumps",
    "over",
    "lazy",
    "bright",
    "small",
    "river",
    "stone",
]
WORDS += ["under", "with", "and", "then", "some", "old"]


def statuses(dataset) -> dict[str, str]:
    return {finding.code: finding.status for finding in quality_of(dataset).findings}


def of_parts(path: Path, x: np.ndarray):
    train, test = slice(0, 300), slice(300, None)
    arrays = {"x_train": x[train], "y_train": LABELS[train], "x_test": x[test], "y_test": LABELS[test]}
    return Own(npz(path / "a.npz", **arrays)).load()


SYMBOLS, VALUES = DRAW.integers(0, 8, (COUNT, 12)), DRAW.standard_normal((COUNT, 12))


@pytest.mark.parametrize(("x", "change"), [
    (VALUES, lambda x: 1000 * x), (VALUES, lambda x: x + 50), (VALUES, lambda x: x / 1000), (SYMBOLS, lambda x: x + 6),
], ids=["wider", "shifted", "narrower", "recoded"])  # fmt: skip
def test_a_part_that_was_prepared_in_another_way_is_said(x, change, tmp_path: Path):
    changed = np.concatenate([x[:300], change(x[300:]).astype(x.dtype)])
    assert statuses(of_parts(tmp_path, changed)).get("parts-differ") == "warn"
    assert "parts-differ" not in statuses(of_parts(tmp_path, x))


def test_a_feature_that_is_constant_says_nothing_about_parts(tmp_path: Path):
    x = np.stack([VALUES, np.zeros_like(VALUES)], axis=2)
    assert "parts-differ" not in statuses(of_parts(tmp_path, x))


def test_the_other_strand_of_a_training_sequence_is_said():
    one = ["".join(DRAW.choice(list("ACGT"), 40)) for _ in range(COUNT // 2)]
    other = [text[::-1].translate(str.maketrans("ACGT", "TGCA")) for text in one]
    strands = [text for pair in zip(one, other, strict=True) for text in pair]
    assert (
        statuses(dataset_of_arrays(strands, np.repeat(LABELS[: COUNT // 2], 2)))["reverse-complements"]
        == "warn"
    )
    assert "reverse-complements" not in statuses(dataset_of_arrays(one, LABELS[: COUNT // 2]))


def test_phrases_of_few_words_recur_by_chance():
    texts = [" ".join(DRAW.choice(WORDS, DRAW.integers(5, 14))) for _ in range(COUNT)]
    assert "near-equal-across-parts" not in statuses(dataset_of_arrays(texts, LABELS))


def test_short_series_that_differ_by_rounding_are_near(tmp_path: Path):
    twins = np.concatenate([VALUES[:300], VALUES[:100] + 1e-6])
    assert statuses(of_parts(tmp_path, twins))["near-equal-across-parts"] == "warn"
    assert "near-equal-across-parts" not in statuses(of_parts(tmp_path, VALUES))


@pytest.mark.parametrize("symbols", [3, 4, 1000])
def test_windows_that_overlap_are_a_leak_in_any_alphabet(symbols: int):
    recording = DRAW.integers(0, symbols, 28 * COUNT + 60)
    windows = np.lib.stride_tricks.sliding_window_view(recording, 60)[::28][:COUNT]
    assert statuses(dataset_of_arrays(windows, LABELS))["near-equal-across-parts"] == "warn"


def test_data_of_which_no_verdict_is_given_say_so_and_fail_where_no_division_would_help():
    few = statuses(dataset_of_arrays(SYMBOLS[:80], LABELS[:80]))
    many_classes = statuses(dataset_of_arrays(SYMBOLS, np.arange(COUNT) // 2))
    assert (few["few-held-out"], many_classes["few-of-class"]) == ("warn", "fail")
    rare = statuses(dataset_of_arrays(SYMBOLS, (np.arange(COUNT) < 15).astype(int)))
    assert rare["few-of-class"] == "warn"
    assert not {"few-held-out", "few-of-class"} & set(statuses(dataset_of_arrays(SYMBOLS, LABELS)))
