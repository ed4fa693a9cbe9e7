"""The page's text: complete, self-contained, the same each time, and equal to summary.json."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from full_scale.stored import COMMANDS
from paper_figs.report import page
from paper_figs.report.argument import PARTS, contents
from paper_figs.report.figure_placement import drawable, known, section_of
from paper_figs.report.page import LARGEST_BYTES
from paper_figs.report.summary import NEEDED, with_shipped
from sims.runs.store import StoreError, UserError
from theory.claims import CLAIMS

ALL = ("slider", "cpu_study", "paper", "validation")
SECTIONS = tuple(section.name for section in contents(ALL))
HIDDEN_IN_TEXT = ("provenance", "figures", "slider")  # versions, configurations, captions; data of a script


@pytest.fixture(scope="module")
def text(report: Path) -> str:
    return (report / "index.html").read_text()


@pytest.fixture(scope="module")
def summary(report: Path) -> dict[str, Any]:
    return json.loads((report / "summary.json").read_text())


def numbers(value: Any) -> Iterator[float]:
    """Every number in a nest of dicts and lists, but for what an interval's note holds."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in ("level", "n"):
                yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def shown(text: str) -> set[float]:
    return {json.loads(found) for found in re.findall(r'<data value="([^"]*)">', text)}


def test_the_sections_follow_the_argument(text):
    places = [text.index(f'<section id="{name}"') for name in SECTIONS]
    assert places == sorted(places)
    assert text.count("<h1") == 1 and text.count("<h2") == len(SECTIONS)


def test_every_number_of_the_summary_is_on_the_page(text, summary):
    visible = {key: value for key, value in summary.items() if key not in HIDDEN_IN_TEXT}
    missing = set(numbers(visible)) - shown(text)
    depth_words = {float(task["depth"]) for task in summary["tasks"].values()}
    assert missing <= depth_words


def test_every_number_on_the_page_is_in_the_summary(text, summary):
    known = set(numbers(summary))
    runs = {arm["runs"] - arm["never"] for task in summary["tasks"].values() for arm in task["arms"].values()}
    assert shown(text) <= known | runs


def accuracies(value: Any) -> Iterator[dict[str, Any]]:
    """Every interval of an accuracy in a nest of dicts and lists."""
    if isinstance(value, dict):
        yield from (
            value[name] for name in ("test_accuracy", "train_accuracy") if "high" in value.get(name, {})
        )
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from accuracies(item)


def test_no_interval_of_an_accuracy_passes_1_and_the_page_says_once_that_it_is_cut(text, summary, results):
    every = accuracies([result.values for result in results.values()])
    stored = [one for one in every if one["high"] is not None]
    shown_ones = list(accuracies(summary))
    assert max(one["high"] for one in stored) > 1 >= max(one["high"] for one in shown_ones)
    assert len(shown_ones) >= 4 and text.count("those of accuracies are cut at 1") == 1


def test_the_first_screen_is_one_sentence_and_the_picture_before_any_control(text, summary):
    header = text[text.index("<header>") : text.index("</header>")]
    order = ['<p class="finding">', 'id="figure-overview"', 'href="#answer"', "<button"]
    assert [header.index(each) for each in order] == sorted(header.index(each) for each in order)
    assert text.index("<nav") > text.index("</header>")
    sentence = re.search(r'<p class="finding">(.*?)</p>', header, re.DOTALL)[1]
    assert "81%</data> of cases" in sentence and "99%</data>" in sentence
    assert len(re.findall(r"\.\s", sentence)) == 1 and "[" not in sentence


def test_every_figure_whose_results_are_stored_is_on_the_page_once(text, results):
    shipped = with_shipped(results)
    for name, figure in drawable(shipped).items():
        assert f'id="figure-{name.replace("_", "-")}"' in text
        lead, _, rest = figure.caption(shipped).partition(". ")
        assert f'alt="{lead}. {figure.alt_text}"' in unescape(text) and len(figure.alt_text) > 20
        assert rest.split("'")[0] in unescape(text)
        assert text.count(f'id="figure-{name.replace("_", "-")}"') == 1
    assert text.count("<img ") == text.count(' alt="') == len(drawable(shipped))


def test_every_claim_stands_in_one_part_and_every_figure_in_one_section(text):
    labels = [label for part in PARTS for label in part.claims]
    assert sorted(labels, key=lambda label: int(label[1:])) == list(CLAIMS)
    assert {section_of(figure) for figure in known().values()} <= {
        *labels,
        *(s.name for s in contents((*ALL, "paper"))),
    }


def test_a_claim_unfolds_to_statement_derivation_checks_and_figure(text, summary):
    for claim in summary["claims"]:
        label = claim["claim"]
        body = text[text.index(f'id="{label}"') :].partition("</details>")[0]
        places = [body.index(each) for each in (claim["regime"], "Derivation", "Checks of", "<h4>Figure")]
        assert places == sorted(places)
        assert body.count("✓ checked") == len(summary["derivations"][label]["steps"]) - 1
    assert 'href="#figure-gradient-decomposition"' in text[text.index('id="C9"') :].partition("</details>")[0]


def test_a_claim_without_its_simulation_names_the_command(text):
    body = text[text.index('id="C8"') :].partition("</details>")[0]
    assert "sptlab simulate mask-ratio" in body


def test_the_script_reads_the_slider_of_the_summary(text, summary):
    stored = re.search(r'<script type="application/json" id="slider-data">(.*?)</script>', text)
    assert json.loads(stored[1]) == summary["slider"]
    assert summary["slider"]["dial"]["label"][0] is None


def test_every_result_has_its_command_and_how_to_make_it_again(text, results):
    for name, result in results.items():
        assert result.record["command"] in text
        assert f"{COMMANDS[name]} --seed 0 --out report" in text


def test_every_section_says_in_one_sentence_what_to_take_from_it(text):
    sections = re.findall(r'<h2 id="(\w+)-title">[^\n]*</h2>\s*<p class="take">([^<]*)', text)
    sentences = dict(sections)
    assert set(sentences) >= {section.name for section in contents(ALL)} - {"answer", "paper"}
    assert all(40 < len(sentence) < 130 and sentence.endswith(".") for sentence in sentences.values())


def test_the_page_asks_for_nothing_from_outside(text):
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text)
    assert "<script src" not in text and "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text and "fetch(" not in text


def test_the_page_is_small_enough_to_mail(text):
    assert len(text.encode()) < LARGEST_BYTES


def test_the_same_results_give_the_same_page_and_no_machine_is_named(results, report, tmp_path, figures):
    page.write(results, tmp_path, figures)
    for name in ("index.html", "summary.json"):
        assert (tmp_path / name).read_bytes() == (report / name).read_bytes()
    assert str(Path.home()) not in (report / "index.html").read_text()


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_result_is_one_line_and_nothing_is_written(name, results, tmp_path):
    with pytest.raises(UserError) as caught:
        page.write({key: result for key, result in results.items() if key != name}, tmp_path)
    assert COMMANDS[name] in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_unwritable_place_is_one_line(results, images, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    picture = images["visible_share"]
    monkeypatch.setattr(page, "pictures", lambda found, drawn, there: dict.fromkeys(drawable(found), picture))
    with pytest.raises(StoreError):
        page.write(results, tmp_path / "file")
