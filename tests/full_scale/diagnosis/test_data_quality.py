"""Leaks are looked for and said; equal rows and groups stay in one part; what is sound passes."""

from pathlib import Path

import numpy as np
import pytest

import sptlab
from full_scale.data.dataset import PARTS
from full_scale.data.readers.archives import is_hidden
from full_scale.diagnosis.data import dataset_of_arrays
from full_scale.diagnosis.quality import quality_of
from full_scale.tasks.own import Own
from sims.runs.errors import UserError
from tests.full_scale.data.reader_files import saved, tarred, zipped

COUNT, LENGTH = 200, 24
DRAW = np.random.default_rng(4)
SYMBOLS, VALUES = DRAW.integers(0, 5, (COUNT, LENGTH)), DRAW.standard_normal((COUNT, LENGTH))
LABELS = np.arange(COUNT) % 2


def statuses(dataset) -> dict[str, str]:
    return {finding.code: finding.status for finding in quality_of(dataset).findings}


def rows(dataset) -> dict[str, set[bytes]]:
    return {part: {row.tobytes() for row in getattr(dataset, part).tokens} for part in PARTS}


@pytest.mark.parametrize("x", [SYMBOLS, VALUES], ids=["symbols", "values"])
def test_sound_data_pass_without_a_word(x):
    quality = quality_of(dataset_of_arrays(x, LABELS))
    assert (quality.status, quality.findings) == ("pass", ())


HIDDEN = (
    ".DS_Store",
    "._1.txt",
    "a/.DS_Store",
    "a/._1.txt",
    "__MACOSX/a/1.txt",
    ".ipynb_checkpoints/1.txt",
    "a/Thumbs.db",
)


def test_hidden_files_and_folders_are_no_data(tmp_path: Path):
    files = {f"{name}/{at}.txt": f"{name} {at} text".encode() for name in ("good", "bad") for at in range(30)}
    files |= {name: b"hidden" for name in HIDDEN}
    for name, data in files.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(data)
    (tmp_path / "mine.zip").write_bytes(zipped(files))
    (tmp_path / "mine.tar").write_bytes(tarred(files, "w"))
    for given in ("mine", "mine.zip", "mine.tar"):
        dataset = Own(tmp_path / given).load()
        assert (dataset.class_names, sum(len(getattr(dataset, part)) for part in PARTS)) == (
            ("bad", "good"),
            60,
        )
        assert f"{len(HIDDEN)} hidden files were left out" in [
            finding.sentence for finding in dataset.findings
        ]
    assert all(map(is_hidden, HIDDEN)) and not is_hidden("a/1.txt")


def test_equal_rows_go_to_one_part_and_are_counted():
    which = np.arange(COUNT) % 50
    dataset = dataset_of_arrays(SYMBOLS[which], LABELS[which])
    parts = rows(dataset)
    assert (
        not parts["train"] & (parts["validation"] | parts["test"]) and not parts["validation"] & parts["test"]
    )
    assert min(map(len, parts.values())) >= 2
    assert statuses(dataset)["equal-sequences"] == "warn"
    said = [finding.sentence for finding in dataset.findings if finding.code == "equal-sequences"]
    assert said[0].startswith("150 of 200 sequences repeat another one")


def test_twins_with_different_labels_are_said():
    which = np.arange(COUNT) % 190
    labels = LABELS.copy()
    labels[190:] = 1 - labels[:10]
    assert statuses(dataset_of_arrays(SYMBOLS[which], labels))["labels-disagree"] == "warn"


def test_a_group_is_kept_whole_in_one_part():
    group = np.arange(COUNT) // 5
    dataset = dataset_of_arrays(np.column_stack([group, SYMBOLS]), group % 2, None, group)
    numbers = [set(getattr(dataset, part).tokens[:, 0].tolist()) for part in PARTS]
    assert sum(map(len, numbers)) == len(set().union(*numbers)) == 40
    assert [len(getattr(dataset, part)) for part in PARTS] == [160, 20, 20]
    for part in PARTS:
        assert len(set(getattr(dataset, part).labels.tolist())) == 2


def test_groups_joined_by_equal_rows_stay_together():
    group, x = np.arange(COUNT) // 2, SYMBOLS.copy()
    x[100:102] = x[0:2]
    dataset = dataset_of_arrays(x, LABELS, None, group)
    holding = [part for part in PARTS if x[0].astype(np.int32).tobytes() in rows(dataset)[part]]
    assert len(holding) == 1


def test_windows_of_one_recording_are_noticed_without_a_group_and_not_with_one():
    recordings = DRAW.standard_normal((20, 24 + 6 * 9)).cumsum(axis=1)
    x = np.array([recording[6 * at : 6 * at + 24] for recording in recordings for at in range(10)])
    group, labels = np.arange(COUNT) // 10, np.arange(COUNT) // 10 % 2
    alone = statuses(dataset_of_arrays(x, labels))
    assert alone["near-equal-across-parts"] == alone["neighbouring-rows"] == "warn"
    together = statuses(dataset_of_arrays(x, labels, None, group))
    assert "near-equal-across-parts" not in together and "neighbouring-rows" not in together


def test_near_repetitions_of_symbols_are_counted():
    x = np.repeat(DRAW.integers(0, 5, (COUNT // 2, 40)), 2, axis=0)
    x[np.arange(COUNT), DRAW.integers(0, 40, COUNT)] = 4
    x[::2, 0] = 3
    assert statuses(dataset_of_arrays(x, LABELS))["near-equal-across-parts"] == "warn"


def test_parts_that_the_user_gave_are_compared(tmp_path: Path):
    arrays = {
        "x_train": SYMBOLS[:160],
        "y_train": LABELS[:160],
        "x_test": SYMBOLS[120:],
        "y_test": LABELS[120:],
    }
    arrays |= {"group_train": np.arange(160) // 8, "group_test": np.arange(120, 200) // 8}
    (tmp_path / "a.npz").write_bytes(saved(np.savez, **arrays))
    found = {finding.code: finding for finding in Own(tmp_path / "a.npz").load().findings}
    assert found["equal-across-parts"].status == found["groups-across-parts"].status == "fail"
    assert found["equal-across-parts"].sentence.startswith("40 of the 80 test sequences are in the training")


@pytest.mark.parametrize("x", [SYMBOLS, VALUES], ids=["symbols", "values"])
def test_a_position_that_gives_the_label_is_named(x):
    leaky = x.copy()
    leaky[:, 7] = LABELS
    quality = quality_of(dataset_of_arrays(leaky, LABELS))
    assert any("position 7 alone gives the label of 100%" in finding.sentence for finding in quality.findings)


def test_a_length_that_gives_the_label_is_said():
    lengths = np.where(LABELS == 1, 20, 10) + DRAW.integers(0, 4, COUNT)
    assert statuses(dataset_of_arrays(SYMBOLS, LABELS, lengths))["length-gives-label"] == "warn"
    assert "length-gives-label" not in statuses(dataset_of_arrays(SYMBOLS, LABELS, DRAW.permutation(lengths)))


def test_rows_sorted_by_label_are_said():
    assert statuses(dataset_of_arrays(SYMBOLS, np.sort(LABELS)))["row-order"] == "pass"


def test_rare_classes_and_classes_without_training_are_said(tmp_path: Path):
    few = np.where(np.arange(COUNT) < 4, 2, LABELS)
    assert statuses(dataset_of_arrays(SYMBOLS, few))["rare-classes"] == "warn"
    arrays = {
        "x_train": SYMBOLS[:160],
        "y_train": LABELS[:160],
        "x_test": SYMBOLS[160:],
        "y_test": LABELS[160:] + 1,
    }
    (tmp_path / "a.npz").write_bytes(saved(np.savez, **arrays))
    assert statuses(Own(tmp_path / "a.npz").load())["class-not-in-training"] == "fail"


def test_channels_before_steps_are_asked_about():
    smooth = DRAW.standard_normal((COUNT, 6, 50)).cumsum(axis=2)
    with pytest.raises(UserError, match=r"looks like 6 channels of 50 steps; give x\.swapaxes\(1, 2\)"):
        dataset_of_arrays(smooth, LABELS)
    assert (
        statuses(dataset_of_arrays(DRAW.standard_normal((COUNT, 6, 50)), LABELS))["channels-first"] == "warn"
    )
    assert "channels-first" not in statuses(dataset_of_arrays(smooth.transpose(0, 2, 1), LABELS))


def test_data_check_says_what_was_read_and_its_status_is_for_programs(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)
    arrays = {"x_train": SYMBOLS, "y_train": LABELS, "x_test": SYMBOLS[:40], "y_test": LABELS[:40]}
    (tmp_path / "leaky.npz").write_bytes(saved(np.savez, **arrays))
    (tmp_path / "sound.npz").write_bytes(saved(np.savez, x=SYMBOLS, y=LABELS))
    assert sptlab.main(["data", "check", "own", "--source", str(tmp_path / "sound.npz")]) == 0
    said = capsys.readouterr().out
    assert (
        "read 200 sequences of 24 tokens of 5 symbols, 2 classes (0 100, 1 100)\ndata: pass (nothing to mend)"
        in said
    )
    assert sptlab.main(["data", "check", "own", "--source", str(tmp_path / "leaky.npz")]) == 1
    assert (
        "  fail: 40 of the 40 test sequences are in the training part too; remove them"
        in capsys.readouterr().out
    )


def of_unequal_lengths(marks) -> list[str]:
    """Texts of small letters, of which `marks` makes others."""
    drawn = np.random.default_rng(9)
    words = ["".join(drawn.choice(list("abcdefgh"), drawn.integers(30, 60))) for _ in LABELS]
    return [
        marks(word, "xy"[label], int(drawn.integers(0, 20)))
        for word, label in zip(words, LABELS, strict=True)
    ]


@pytest.mark.parametrize(("code", "marks"), [
    ("end-gives-label", lambda word, mark, at: word + mark + "]"),
    ("symbol-gives-label", lambda word, mark, at: word[:at] + ("z" if mark == "x" else "w") + word[at:]),
])  # fmt: skip
def test_a_mark_at_the_end_or_anywhere_that_gives_the_label_is_said(code, marks):
    assert statuses(dataset_of_arrays(of_unequal_lengths(marks), LABELS))[code] == "warn"
    plain = dataset_of_arrays(of_unequal_lengths(lambda word, mark, at: word), LABELS)
    assert not statuses(plain)
