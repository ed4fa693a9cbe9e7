"""Tables that mislead a reader: which columns are the sequence, how numbers and missing ones are written."""

import json
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.readers.own.cells import are_numbers, lists_spelt
from full_scale.diagnosis.data import whole_dataset
from full_scale.tasks.own import Own
from sims.runs.store import UserError

COUNT, LENGTH = 60, 12
DRAW = np.random.default_rng(6)
SYMBOLS, VALUES = DRAW.integers(0, 5, (COUNT, LENGTH)), DRAW.standard_normal((COUNT, LENGTH)).round(3)
LABELS = np.arange(COUNT) % 2
STEPS = [f"t{at}" for at in range(LENGTH)]
TEXTS = [f"text {at} of {'ab'[at % 2]}" for at in range(COUNT)]


def table(path: Path, names: list[str], *columns, mark: str = ",", above: str = "") -> Path:
    """A file of these columns; a column is one list or an array of several."""
    cells = [np.asarray(column, object).reshape(COUNT, -1) for column in columns]
    rows = [names, *np.concatenate(cells, axis=1).tolist()]
    path.parent.mkdir(exist_ok=True)
    path.write_text(above + "".join(mark.join(map(str, row)) + "\n" for row in rows))
    return path


def codes(path: Path) -> set[str]:
    return {finding.code for finding in Own(path).load().findings}


@pytest.mark.parametrize(
    "spell",
    [lambda row: str(row.tolist()), str, lambda row: " ".join(map(str, row))],
    ids=["json", "numpy", "blanks"],
)
def test_texts_that_spell_lists_of_numbers_are_read_as_these(spell, tmp_path):
    texts = [f'"{spell(row)}"' for row in SYMBOLS]
    path = table(tmp_path / "a.csv", ["sequence", "label"], texts, LABELS)
    assert Own(path).load().inputs.symbols == 5 and "texts-as-lists" in codes(path)


@pytest.mark.parametrize("texts", [["1 2", "one 2"], ["12", "13"], ["3-4-5", "1-1-1"]])
def test_texts_that_are_no_lists_stay_texts(texts):
    assert lists_spelt(Path("a.csv"), "text", texts, str) is None


def test_a_date_beside_columns_of_numbers_is_not_taken_for_the_sequence(tmp_path):
    dates = [f"2020-01-{at % 28 + 1:02}" for at in range(COUNT)]
    path = table(tmp_path / "a.csv", ["date", *STEPS, "label"], dates, VALUES, LABELS)
    with pytest.raises(
        UserError, match=r"'date' .* beside 12 columns of numbers; say --text date .*--group date"
    ):
        Own(path).load()
    assert Own(path, group="date").load().length == LENGTH


@pytest.mark.parametrize(("values", "numbers"), [
    (["1", "", "?"], True), (["", None], True), (["", "word", "other"], False), (["1", "a", "b"], False),
])  # fmt: skip
def test_an_empty_cell_makes_no_column_of_texts_one_of_numbers(values, numbers):
    assert are_numbers(values) is numbers


@pytest.mark.parametrize("gap", ["", "   "])
def test_an_empty_or_blank_text_is_said_with_its_line(gap, tmp_path):
    path = table(tmp_path / "a.csv", ["text", "label"], [gap, *TEXTS[1:]], LABELS)
    with pytest.raises(UserError, match="a text in every row of 'text', got an empty one in line 2; remove"):
        Own(path).load()


def test_a_column_of_another_kind_among_numbered_ones_is_said(tmp_path):
    path = table(tmp_path / "a.csv", ["age", *STEPS, "label"], DRAW.integers(9, 99, COUNT), VALUES, LABELS)
    found = next(each for each in Own(path).load().findings if each.code == "odd-columns")
    assert found.status == "warn" and found.sentence.endswith("were read as positions, too: age")
    plain = table(tmp_path / "b.csv", [*STEPS, "label"], VALUES, LABELS)
    assert not codes(plain)


def test_columns_with_names_of_their_own_are_said_to_be_read_in_this_order(tmp_path):
    names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    assert codes(table(tmp_path / "a.csv", [*names, "label"], VALUES, LABELS)) == {"named-columns"}


def test_a_user_s_column_is_a_group(tmp_path):
    path = table(tmp_path / "a.csv", ["user", *STEPS, "label"], np.arange(COUNT) // 4, VALUES, LABELS)
    assert Own(path).load().length == LENGTH and "groups" in codes(path)


@pytest.mark.parametrize("mark", ["\t", ";", "|"])
def test_decimal_commas_are_read_where_another_mark_divides_the_columns(mark, tmp_path):
    cells = [[str(value).replace(".", ",") for value in row] for row in VALUES]
    path = table(tmp_path / "a.csv", [*STEPS, "label"], cells, LABELS, mark=mark)
    assert Own(path).load().inputs.symbols is None and "decimal-comma" in codes(path)


@pytest.mark.parametrize("above", ["# made in 2020\n# by us\n", "sep=;\n"])
def test_comments_and_excel_s_mark_above_the_header_are_skipped_and_lines_keep_their_numbers(above, tmp_path):
    path = table(tmp_path / "a.csv", ["text", "label"], ["", *TEXTS[1:]], LABELS, mark=";", above=above)
    with pytest.raises(UserError, match=f"an empty one in line {above.count(chr(10)) + 2}"):
        Own(path).load()


def test_1_0_and_1_are_one_class(tmp_path):
    for part, labels in (("train", LABELS.astype(float)), ("test", LABELS)):
        table(tmp_path / "a" / f"{part}.csv", [*STEPS, "label"], VALUES, labels)
    assert Own(tmp_path / "a").load().class_names == ("0", "1")


@pytest.mark.parametrize(("labels", "code"), [("é é", "labels-spelling"), ("? a", "labels-unstated")])
def test_labels_that_look_alike_or_mean_nothing_are_said(labels, code, tmp_path):
    first, second = labels.split()
    third = "e\N{COMBINING ACUTE ACCENT}" if code == "labels-spelling" else "b"
    names = np.resize([first, second, third], COUNT)
    assert code in codes(table(tmp_path / "a.csv", ["text", "label"], TEXTS, names))


def test_columns_of_letters_are_a_symbol_per_position(tmp_path):
    letters = np.array(list("acgt"))[SYMBOLS % 4]
    dataset = Own(table(tmp_path / "a.csv", ["class", *STEPS], np.array(["+", "-"])[LABELS], letters)).load()
    assert (dataset.length, dataset.inputs.symbols) == (LENGTH, 4)


def test_parts_whose_columns_stand_in_another_order_are_read_in_one(tmp_path):
    marked = VALUES + 100 * np.arange(LENGTH)
    table(tmp_path / "a" / "train.csv", [*STEPS, "label"], marked, LABELS)
    table(tmp_path / "a" / "test.csv", ["label", *STEPS[::-1]], LABELS, marked[:, ::-1])
    dataset = Own(tmp_path / "a").load()
    assert np.allclose(dataset.test.tokens.mean(axis=0), dataset.train.tokens.mean(axis=0), atol=0.1)
    table(tmp_path / "a" / "test.csv", ["label", *STEPS[:-1], "other"], LABELS, marked)
    with pytest.raises(UserError, match="the columns of the first part in test, got others: other"):
        Own(tmp_path / "a").load()


@pytest.mark.parametrize("given", ["a", "a/X_train.csv"])
def test_labels_in_a_table_of_their_own_are_refused_with_the_remedy(given, tmp_path):
    table(tmp_path / "a" / "X_train.csv", STEPS, VALUES)
    table(tmp_path / "a" / "y_train.csv", ["label"], LABELS)
    with pytest.raises(UserError, match=r"in one table, got X_train.csv and y_train.csv; put the labels"):
        Own(tmp_path / given).load()


def test_a_csv_without_header_is_no_file_of_the_ucr_archive_by_its_name_alone(tmp_path):
    path = tmp_path / "mine_train.csv"
    path.write_text(
        "".join(",".join(map(str, [*row, label])) + "\n" for row, label in zip(SYMBOLS, LABELS, strict=True))
    )
    with pytest.raises(UserError, match="13 numbers in the first line"):
        Own(path).load()
    assert Own(path, label="last").load().classes == 2


def test_a_table_called_test_is_read_alone(tmp_path):
    assert Own(table(tmp_path / "only_test.csv", ["text", "label"], TEXTS, LABELS)).load().classes == 2


def test_a_row_for_every_step_is_told_to_be_put_into_one(tmp_path):
    path = table(tmp_path / "a.csv", ["time", "value", "label"], SYMBOLS[:, 0], VALUES[:, 0], LABELS)
    with pytest.raises(UserError, match="at least 4 tokens, a row for each sequence: got 2"):
        whole_dataset(str(path))


def records(path: Path, **columns) -> Path:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_record_per_line_is_read_also_where_the_file_is_called_json(tmp_path):
    assert Own(records(tmp_path / "a.json", text=TEXTS, label=LABELS.tolist())).load().classes == 2


def test_an_attention_mask_states_the_lengths(tmp_path):
    ends = 4 + np.arange(COUNT) % 5
    masks = (np.arange(LENGTH) < ends[:, None]).astype(int)
    columns = dict(input_ids=SYMBOLS.tolist(), attention_mask=masks.tolist(), label=LABELS.tolist())
    path = records(tmp_path / "a.jsonl", **columns)
    np.savez(tmp_path / "a.npz", input_ids=SYMBOLS, attention_mask=masks, labels=LABELS)
    for each in (path, tmp_path / "a.npz"):
        assert sorted(set(Own(each).load().train.full_lengths())) == [4, 5, 6, 7, 8]
    columns["attention_mask"][3] = [0, *[1] * (LENGTH - 1)]
    with pytest.raises(UserError, match="an attention_mask of 1s, then 0s"):
        Own(records(tmp_path / "b.jsonl", **columns)).load()


def test_lists_with_channels_first_are_asked_about(tmp_path):
    walks = DRAW.standard_normal((COUNT, 2, 40)).cumsum(axis=2).round(2)
    path = records(tmp_path / "a.jsonl", x=walks.tolist(), label=LABELS.tolist())
    with pytest.raises(UserError, match="looks like 2 channels of 40 steps; say --axes channels"):
        Own(path).load()
    assert Own(path, axes="channels").load().length == 40


@pytest.mark.parametrize("where", ["text", "label"])
def test_half_a_character_is_refused_and_marks_that_steer_a_terminal_are_not_shown(where, tmp_path):
    columns = dict(text=list(TEXTS), label=[f"\x1b[3{label}m" for label in LABELS])
    path = records(tmp_path / "a.jsonl", **columns)
    assert all(map(str.isprintable, Own(path).load().class_names))
    columns[where][1] = "\ud800 half"
    with pytest.raises(UserError, match="whole characters in example 2"):
        Own(records(path, **columns)).load()
