"""Texts, pairs and expressions come out as they were written, whatever is inside them."""

from pathlib import Path

import pytest

from full_scale.data.readers import aan, imdb, listops_tsv, own
from sims.runs.store import UserError
from tests.full_scale.data import reader_files
from tests.full_scale.data.reader_files import Source, csv_text

SOURCES = {source.name: source for source in reader_files.text_sources()}
REVIEWS = reader_files.REVIEWS


@pytest.mark.parametrize("name", ["imdb folder", "imdb tar"])
def test_reviews_go_negative_first_by_number_without_unsup(name: str, tmp_path: Path) -> None:
    parts = imdb.read_imdb(SOURCES[name].written(tmp_path))
    for part in ("train", "test"):
        assert parts[part].examples == [f"{part} {kind} {n} é" for kind in ("neg", "pos") for n in (9, 10)]
        assert parts[part].labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("name", ["imdb csv", "imdb wheel"])
@pytest.mark.parametrize("origin", imdb.SOURCES)
def test_reviews_of_one_source_keep_quotes_and_lines(name: str, origin: str, tmp_path: Path) -> None:
    found = imdb.read_imdb(SOURCES[name].written(tmp_path), origin)["train"]
    assert found.examples == [text for text, _, source in REVIEWS if source == origin]
    assert found.labels.tolist() == [label for _, label, source in REVIEWS if source == origin]


def test_quotes_of_papers_are_characters(tmp_path: Path) -> None:
    parts = aan.read_aan(SOURCES["aan"].written(tmp_path))
    for found in parts.values():
        assert found.examples == [('a "quoted text', "other"), ("first", "second text")]
        assert found.labels.tolist() == [1, 0]


def test_papers_are_cut_and_counted(tmp_path: Path) -> None:
    path = SOURCES["aan"].written(tmp_path)
    assert aan.read_aan(path, characters=3, most=1)["test"].examples == [('a "', "oth")]


@pytest.mark.parametrize("label", ["2.0", "nan", "one", ""])
def test_a_label_of_papers_is_0_or_1(label: str, tmp_path: Path) -> None:
    path = SOURCES["aan"].written(tmp_path)
    (tmp_path / "tsv_data" / "new_aan_pairs.eval.tsv").write_text(f"{label}\ta\tb\tc\td\n")
    with pytest.raises(UserError, match=r"eval\.tsv: expected label 0\.0 or 1\.0.* in line 1, got"):
        aan.read_aan(path)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_expressions_lose_their_parentheses_whatever_ends_a_line(end: str, tmp_path: Path) -> None:
    path = SOURCES["listops"].written(tmp_path)
    for file in path.glob("*.tsv"):
        file.write_bytes(file.read_bytes().replace(b"\r\n", end.encode()))
    found = listops_tsv.read_listops(path)["validation"]
    names = [" ".join(listops_tsv.SYMBOLS[token - 1] for token in tokens) for tokens in found.examples]
    assert names == ["[MAX 2 9 ]", "[SM 7 [MIN 4 ] ]"]
    assert found.labels.tolist() == [9, 1]


def test_a_symbol_that_is_not_of_listops_is_named(tmp_path: Path) -> None:
    path = tmp_path / "basic_train.tsv"
    path.write_text("Source\tTarget\n[MAX 2 12 ]\t9\n")
    with pytest.raises(UserError, match="expected symbols of ListOps in line 2, got '12'; "):
        listops_tsv.read_listops_file(path)


@pytest.mark.parametrize("read", [imdb.read_imdb, aan.read_aan, listops_tsv.read_listops, own.read_own])
def test_a_missing_source_is_one_line_with_its_path(read, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere[^:]*: expected .*, got .*; "):
        read(tmp_path / "nowhere")


def test_another_encoding_is_named_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "mine" / "good").mkdir(parents=True)
    (tmp_path / "mine" / "good" / "a.txt").write_bytes("dépôt".encode("latin-1"))
    with pytest.raises(UserError, match=r"good/a\.txt: expected UTF-8 text, got byte 0xe9 at 1; convert"):
        own.read_text_folder(tmp_path / "mine")


def test_a_row_with_too_many_fields_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text([["text", "label"], ["a", "x"], ["b", "c", "y"]]))
    with pytest.raises(UserError, match=r"a\.csv: expected 2 fields divided by comma in line 3, got 3; put"):
        own.read_own(path)
    path.write_bytes(b"text;label\na;x\nb;c;y\nd\n")
    with pytest.raises(UserError, match=r"divided by semicolon in line 3, got 3, and 1 more such lines"):
        own.read_own(path)


def test_an_open_quote_is_told_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,label\n"a,x\n"b",y\n')
    with pytest.raises(UserError, match=r"at line [23]; close the quote there or just before"):
        own.read_own(path)


def test_folders_name_the_classes_and_the_parts(tmp_path: Path) -> None:
    sources: dict[str, Source] = {source.name: source for source in reader_files.series_sources()}
    found = own.read_own(sources["own folder"].written(tmp_path / "one"))["all"]
    assert found.examples == ["bad a", "bad b", "good a", "good b"]
    assert found.labels.tolist() == [0, 0, 1, 1] and found.classes == ("bad", "good")
    assert own.read_own(sources["own archive"].written(tmp_path / "two"))["all"].examples == found.examples
    assert list(own.read_own(sources["own folder in parts"].written(tmp_path / "three"))) == ["train", "test"]
