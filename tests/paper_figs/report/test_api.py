"""The reference: every public name with what its docstring says; it loads nothing from outside."""

import html
import importlib
import inspect
import itertools
import re
import sys

import pytest

import theory
from paper_figs.report import page as report
from paper_figs.report.figure_placement import drawable
from paper_figs.report.mathematics import GREEK
from tests.paper_figs.report.browser import Browser
from theory.claims import CLAIMS

pytest.importorskip("pdoc", reason="the reference is rendered by pdoc, of the optional extra docs")

from paper_figs.report import api

LOADED = re.compile(
    r"""(?:src|srcset|data|action)\s*=\s*["']?\s*(?:https?:)?//|url\(|@import|<script|<link[^>]+//"""
)


@pytest.fixture(scope="module")
def shown() -> str:
    return api.page()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    """Every page as it is written, by its file's name."""
    folder = api.write(tmp_path_factory.mktemp("reference")).parent
    return {path.name: path.read_text() for path in folder.iterdir()}


def told(shown: str, name: str) -> str:
    """The words of one name's section."""
    _, found, rest = shown.partition(f'<section id="{name}">')
    assert found, f"{name} is not on the page"
    return words(rest.partition("</section>")[0])


def words(markup: str) -> str:
    """Letters and digits of a page or of a docstring; how formulas are set does not count."""
    plain = html.unescape(re.sub(r"<[^>]*>", "", markup))
    for name, sign in GREEK.items():
        plain = plain.replace(sign, name)
    return "".join(re.findall(r"[A-Za-z0-9]", plain))


@pytest.mark.parametrize("name", [name for name in theory.__all__ if callable(getattr(theory, name))])
def test_every_public_name_stands_there_with_its_docstring(name, shown):
    assert words(html.escape(inspect.getdoc(getattr(theory, name)))) in told(shown, name)


OTHERS = {name: package for name, package in api.PAGES.items() if package not in (None, "theory")}


@pytest.mark.parametrize("file", OTHERS)
def test_every_public_name_of_the_other_packages_stands_on_their_page(file, pages):
    offered = api.public(importlib.import_module(OTHERS[file]))
    for home, name in offered:
        thing = getattr(home, name)
        said = inspect.getdoc(thing) if callable(thing) else ""
        twice = [other for _, other in offered].count(name) > 1
        address = f"{home.__name__.rpartition('.')[2]}.{name}" if twice else name
        assert words(html.escape(said or "")) in told(pages[file], address), name
    assert len(offered) > 5


def test_pages_lead_to_each_other_and_to_the_claims(pages):
    assert set(pages) == set(api.PAGES)
    for text in pages.values():
        sections = re.findall(r'<section (?:class="\w+" )?id="([^"]*)"', text)
        assert len(sections) == len(set(sections))
        assert all(f'href="{name}"' in text for name in api.PAGES)
    for file in OTHERS:
        assert not re.search(r'href="#C\d', pages[file])
    assert re.search(r'href="index.html#C7"', pages["processes.html"])


def test_no_link_within_a_page_is_dead(pages):
    for file, text in pages.items():
        dead = set(re.findall(r'href="#([^"]+)"', text)) - set(re.findall(r'id="([^"]+)"', text))
        assert not dead, file


def test_a_random_key_has_one_name_and_settings_show_their_defaults_once(pages):
    plain = {file: re.sub(r"<[^>]*>", "", text) for file, text in pages.items()}
    assert "UInt32[" not in "".join(plain.values()) and "key: PRNGKeyArray" in plain["probes.html"]
    assert re.search(r"held_out_most: int\s+= 2000", plain["diagnosis.html"])
    assert "config: DiagnosisConfig = DiagnosisConfig()," in plain["diagnosis.html"]


def test_tables_stand_there_without_addresses_in_memory(shown):
    assert 'id="VISIBILITY"' in shown
    assert not re.search(r"0x[0-9a-f]{6}", shown)


def test_every_label_leads_to_its_claim(shown):
    assert set(re.findall(r'href="#(C\d+)"', shown)) == set(CLAIMS)
    assert re.findall(r'class="claim" id="(C\d+)"', shown) == list(CLAIMS)
    assert shown.count("<math") >= len(CLAIMS)


def test_shapes_stand_in_the_signatures(shown):
    assert "autocovarianceFloatArraylag" in told(shown, "proximity_law")
    assert "jaxtyping" not in told(shown, "probe") and "jaxlib" not in told(shown, "probe")


def test_nothing_is_loaded_from_outside(pages):
    for text in pages.values():
        assert not LOADED.findall(re.sub(r'url\("?data:', "", text))


@pytest.mark.parametrize(
    "outside", ['<script src="//x.org/a.js">', "<style>@import 'x'", "url(https://x.org/a)"]
)
def test_what_is_loaded_from_outside_is_noticed(outside):
    assert LOADED.search(outside)


def test_the_page_is_the_same_twice(shown):
    assert api.page() == shown


@pytest.mark.page
@pytest.mark.heavy
def test_a_browser_asks_for_nothing_else_and_the_page_fits_its_width(browser: Browser, tmp_path):
    folder = api.write(tmp_path).parent
    for path, width in itertools.product(sorted(folder.iterdir()), (1280, 420)):
        browser.show(path, width=width)
        assert browser.requests() in ([], [path.as_uri()])
        assert browser.complaints() == []
        assert browser.run("document.documentElement.scrollWidth") <= width, path.name


def test_the_report_links_to_the_reference_when_it_lies_beside_it(results, images, monkeypatch, tmp_path):
    picture = images["visible_share"]
    monkeypatch.setattr(report, "pictures", lambda found, drawn, _: dict.fromkeys(drawable(found), picture))
    assert report.REFERENCE not in report.write(results, tmp_path).read_text()
    api.write(tmp_path / "api")
    assert f'href="{report.REFERENCE}"' in report.write(results, tmp_path).read_text()
    assert (tmp_path / report.REFERENCE).exists()


def test_without_pdoc_one_line_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "pdoc.doc", None)
    assert api.main([str(tmp_path)]) == 1
    assert (
        capsys.readouterr().err
        == "the reference page needs pdoc: it is missing; pip install 'sptlab[docs]'\n"
    )
