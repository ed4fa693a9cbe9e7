"""The reference of theory: every public name with what its docstring says; it loads nothing from outside."""

import html
import inspect
import re
import sys

import pytest

import theory
from paper_figs import page as report
from paper_figs.places import drawable
from tests.paper_figs.browser import Browser
from theory.claims import CLAIMS

pytest.importorskip("pdoc", reason="the reference is rendered by pdoc, of the optional extra docs")

from paper_figs import api

LOADED = re.compile(
    r"""(?:src|srcset|data|action)\s*=\s*["']?\s*(?:https?:)?//|url\(|@import|<script|<link[^>]+//"""
)


@pytest.fixture(scope="module")
def shown() -> str:
    return api.page()


def told(shown: str, name: str) -> str:
    """The words of one name's section."""
    _, found, rest = shown.partition(f'<section id="{name}">')
    assert found, f"{name} is not on the page"
    return words(rest.partition("</section>")[0])


def words(markup: str) -> str:
    """Letters and digits of a page or of a docstring; how formulas are set does not count."""
    plain = html.unescape(re.sub(r"<[^>]*>", "", markup))
    for sign, name in (("ρ", "rho"), ("λ", "lambda"), ("ϕ", "phi"), ("κ", "kappa"), ("η", "eta")):
        plain = plain.replace(sign, name)
    for sign, name in (("σ", "sigma"), ("τ", "tau"), ("ω", "omega"), ("θ", "theta"), ("Σ", "Sigma")):
        plain = plain.replace(sign, name)
    return "".join(re.findall(r"[A-Za-z0-9]", plain))


@pytest.mark.parametrize("name", [name for name in theory.__all__ if callable(getattr(theory, name))])
def test_every_public_name_stands_there_with_its_docstring(name, shown):
    assert words(html.escape(inspect.getdoc(getattr(theory, name)))) in told(shown, name)


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


def test_nothing_is_loaded_from_outside(shown):
    assert not LOADED.findall(re.sub(r'url\("?data:', "", shown))


@pytest.mark.parametrize(
    "outside", ['<script src="//x.org/a.js">', "<style>@import 'x'", "url(https://x.org/a)"]
)
def test_what_is_loaded_from_outside_is_noticed(outside):
    assert LOADED.search(outside)


def test_the_page_is_the_same_twice(shown):
    assert api.page() == shown


@pytest.mark.page
def test_a_browser_asks_for_nothing_else_and_the_page_fits_its_width(browser: Browser, tmp_path):
    path = api.write(tmp_path)
    for width in (1280, 420):
        browser.show(path, width=width)
        assert browser.requests() in ([], [path.as_uri()])
        assert browser.complaints() == []
        assert browser.run("document.documentElement.scrollWidth") <= width


def test_the_report_links_to_the_reference_when_it_lies_beside_it(results, images, monkeypatch, tmp_path):
    picture = images["visible_share"]
    monkeypatch.setattr(report, "pictures", lambda found, drawn: dict.fromkeys(drawable(found), picture))
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
