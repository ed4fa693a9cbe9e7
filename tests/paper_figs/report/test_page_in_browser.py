"""The page in headless Chromium: narrow and wide, light and dark, on paper."""

import itertools

import pytest

pytestmark = [pytest.mark.page, pytest.mark.heavy]

VIEWS = pytest.mark.parametrize(("width", "scheme"), list(itertools.product((360, 1280), ("light", "dark"))))
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"
CLIPPED = """[...document.querySelectorAll('header *, main *')].filter(e => !e.closest('.scroll') &&
  e.checkVisibility() && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.outerHTML.slice(0, 120))"""
HIDDEN = """[...document.querySelectorAll('main details > :not(summary)')].filter(
  e => !e.checkVisibility({contentVisibilityAuto: true}) || e.getBoundingClientRect().height == 0)
  .map(e => e.outerHTML.slice(0, 120))"""
CONTRAST = """(() => {
  const rgb = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = c => { const [r, g, b] = rgb(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const grounds = new Map();
  const ground = e => {
    if (!grounds.has(e)) {
      const color = getComputedStyle(e).backgroundColor;
      grounds.set(e, /, 0\\)$/.test(color) && e.parentElement ? ground(e.parentElement) : light(color));
    }
    return grounds.get(e);
  };
  return Math.min(...[...document.querySelectorAll('body *')].filter(e => e.children.length == 0 &&
    e.textContent.trim() && !e.closest('math, script, svg, [hidden]')).map(e => {
      const ink = light(getComputedStyle(e).color), under = ground(e);
      return (Math.max(ink, under) + 0.05) / (Math.min(ink, under) + 0.05); }));
})()"""
AMISS = """(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const named = e => e.labels?.length || e.ariaLabel || e.textContent.trim();
  const ids = all('[id]').map(e => e.id);
  const lost = name => all(`[${name}]`).filter(
    e => !e.getAttribute(name).split(' ').every(id => ids.includes(id)));
  return Object.entries({
    'twice the same id': ids.filter((id, place) => ids.indexOf(id) != place),
    'a control without a name': all('input, select, button, output').filter(e => !named(e)),
    'an image without words': all('img').filter(e => !e.alt),
    'a drawing without words': all('[role=img]').filter(e => !e.ariaLabel),
    'a region without a name': all('.scroll, [role=region], [role=group]').filter(e => !e.ariaLabel),
    'a link without words': all('a').filter(e => !e.textContent.trim()),
    'a link to nowhere': all('a[href^="#"]').filter(e => !ids.includes(e.getAttribute('href').slice(1))),
    'a name from nowhere': [...lost('aria-labelledby'), ...lost('for')],
    'a table without a caption': all('table').filter(t => !t.caption || !t.closest('.scroll')),
    'a heading cell without a scope': all('th').filter(e => !e.scope),
    'no or a second landmark': ['main', 'header', 'nav', 'footer', 'h1'].filter(
      name => all(name).length != 1),
    'an unreachable scroller': all('.scroll').filter(
      e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && e.tabIndex != 0),
  }).filter(([, found]) => found.length).map(([what, found]) => `${what}: ${found[0].outerHTML ?? found[0]}`);
})()"""


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


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_the_first_screen_holds_the_finding_and_the_picture(browser, index, width, height):
    browser.show(index, width=width, height=height)
    top = lambda what: browser.run(f"document.querySelector('{what}').getBoundingClientRect().top")
    bottom = browser.run("document.querySelector('#figure-overview img').getBoundingClientRect().bottom")
    assert top(".finding") < bottom < min(height, top(".controls"))
    assert browser.run("document.querySelector('#contents').open") == (width > 576)
    assert top("main") - top("nav") < 120 or width > 576


def test_light_and_dark_are_really_different_and_the_figures_turn_with_the_page(browser, index):
    ground, turned = {}, {"light": "none", "dark": "invert(1) hue-rotate(180deg)"}
    for scheme in ("light", "dark"):
        browser.show(index, width=1280, scheme=scheme)
        colors = (
            "[document.body, document.querySelector('.card')].map(e => getComputedStyle(e).backgroundColor)"
        )
        ground[scheme] = browser.run(colors)
        image = "getComputedStyle(document.querySelector('.card img')).filter"
        assert browser.run(image) == turned[scheme]
    (page, card), (dark_page, dark_card) = ground["light"], ground["dark"]
    assert card == "rgb(255, 255, 255)" and page != dark_page and card != dark_card


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


def test_controls_images_links_and_tables_have_names_and_ids_are_single(browser, index):
    browser.show(index, width=360)
    browser.run(OPEN)
    browser.run("new Promise(done => setTimeout(done, 100))")  # until the claims have opened
    assert browser.run("document.documentElement.lang") == "en"
    assert browser.run(AMISS) == []
