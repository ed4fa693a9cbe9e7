"""The page in headless Chromium: narrow and wide, light and dark, on paper."""

import itertools
from pathlib import Path

import pytest

pytestmark = pytest.mark.page

VIEWS = pytest.mark.parametrize(
    ("width", "scheme"), list(itertools.product((360, 768, 1280), ("light", "dark")))
)
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"
CLIPPED = """[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll') &&
  e.checkVisibility() && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.outerHTML.slice(0, 120))"""
HIDDEN = """[...document.querySelectorAll('details > :not(summary)')].filter(
  e => !e.checkVisibility({contentVisibilityAuto: true}) || e.getBoundingClientRect().height == 0)
  .map(e => e.outerHTML.slice(0, 120))"""
CONTRAST = """(() => {
  const rgb = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = c => { const [r, g, b] = rgb(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll('main *')].filter(e => e.children.length == 0 &&
    e.textContent.trim() && !e.closest('math')).map(e => light(getComputedStyle(e).color))
    .map(ink => (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)));
})()"""


@pytest.fixture(scope="module")
def index(report: Path) -> Path:
    return report / "index.html"


@VIEWS
def test_nothing_overflows_sideways_and_nothing_is_asked_for(browser, index, width, scheme):
    browser.show(index, width=width, scheme=scheme)
    for _ in range(2):  # closed, then open
        sizes = browser.run("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert sizes[0] <= sizes[1] == width
        assert browser.run(CLIPPED) == []
        browser.run(OPEN)
    assert browser.complaints() == []
    assert browser.requests() == [index.as_uri()]


def test_light_and_dark_are_really_different_and_the_figures_stay_on_light(browser, index):
    ground = {}
    for scheme in ("light", "dark"):
        browser.show(index, width=1280, scheme=scheme)
        colors = (
            "[document.body, document.querySelector('.card')].map(e => getComputedStyle(e).backgroundColor)"
        )
        ground[scheme], card = browser.run(colors)
        assert card == "rgb(255, 255, 255)"
    assert ground["light"] != ground["dark"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, index, scheme):
    browser.show(index, width=1280, scheme=scheme)
    browser.run(OPEN)
    assert browser.run(CONTRAST) >= 4.5


def test_the_screen_keeps_claims_closed_and_paper_shows_all(browser, index):
    browser.show(index, width=1280)
    assert len(browser.run(HIDDEN)) > 10
    closed = browser.printed()
    assert closed.startswith(b"%PDF")
    browser.show(index, width=1280, media="print")
    assert browser.run(HIDDEN) == []
    assert browser.run("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_paper_has_as_many_pages_closed_as_opened(browser, index):
    browser.show(index, width=1280)
    closed = browser.printed().count(b"/Type /Page\n")
    browser.run(OPEN)
    assert closed == browser.printed().count(b"/Type /Page\n") > 5


def test_formulas_are_drawn_and_images_are_decoded(browser, index):
    browser.show(index, width=1280)
    browser.run(OPEN)
    heights = browser.run("[...document.querySelectorAll('math')].map(e => e.getBoundingClientRect().height)")
    assert len(heights) >= 9 and min(heights) > 8
    assert browser.run("[...document.images].every(i => i.complete && i.naturalWidth > 200)")


def test_headings_descend_one_level_at_a_time(browser, index):
    browser.show(index, width=1280)
    levels = browser.run("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))


def test_the_keyboard_reaches_the_skip_link_first_and_opens_claims(browser, index):
    browser.show(index, width=1280)
    key(browser, "Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    assert browser.run("document.activeElement.getBoundingClientRect().left >= 0")
    browser.run("document.querySelector('.claim summary').focus()")
    key(browser, "Enter", 13, text="\r")
    assert browser.run("document.querySelector('.claim').open")


def test_every_table_and_figure_scrolls_by_keyboard_and_has_a_name(browser, index):
    browser.show(index, width=360)
    bad = browser.run(
        "[...document.querySelectorAll('.scroll')].filter(e => e.tabIndex != 0 || !e.ariaLabel).length"
    )
    assert bad == 0
    assert browser.run(
        "[...document.querySelectorAll('table')].every(t => t.closest('.scroll') && t.caption)"
    )
    assert browser.run("[...document.querySelectorAll('[id]')].length == "
                       "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size")  # fmt: skip


def key(browser, name: str, code: int, **more: str) -> None:
    """Press and release a key."""
    for kind in ("keyDown", "keyUp"):
        browser.send(
            "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **more
        )
