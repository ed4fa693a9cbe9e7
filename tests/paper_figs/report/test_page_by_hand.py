"""The page under keys and clicks in headless Chromium: sliders, claims that open, colours, no scripts."""

import pytest

pytestmark = [pytest.mark.page, pytest.mark.heavy]


def test_the_keyboard_reaches_the_skip_link_first_and_opens_claims(browser, index):
    browser.show(index, width=1280)
    key(browser, "Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    assert browser.run("document.activeElement.getBoundingClientRect().left >= 0")
    browser.run("document.querySelector('.claim summary').focus()")
    key(browser, "Enter", 13, text="\r")
    assert browser.run("document.querySelector('.claim').open")


def test_tab_reaches_the_slider_and_arrow_keys_move_what_it_shows(browser, index):
    browser.show(index, width=1280)
    focused = "document.activeElement.id"
    for _ in range(90):
        key(browser, "Tab", 9)
        if browser.run(focused) == "size":
            break
    assert browser.run(focused) == "size"
    shown = "[document.querySelector('#said').textContent, ...['label', 'reconstruction'].map("
    shown += "loss => document.querySelector(`.curve.${loss} .value`).textContent)]"
    said, label, reconstruction = browser.run(shown)
    assert label == "0.592" and "Label loss 0.592, unchanged." in said and "down from 0.261" in said
    weights = "document.querySelector('#matrix').ariaLabel"
    before = browser.run(weights)
    key(browser, "ArrowRight", 39)
    moved, label_then, reconstruction_then = browser.run(shown)
    assert label_then == label and reconstruction_then != reconstruction
    assert "Label loss 0.592, unchanged." in moved and "down from 0.261" in moved
    assert (
        browser.run("document.querySelector('#size').getAttribute('aria-valuetext')")
        == "Towards neighbours, 3.0 of 3"
    )
    assert browser.run(weights) != before
    assert browser.run("document.querySelector('#said').ariaLive") == "polite"


def test_another_direction_moves_the_other_loss(browser, index):
    browser.show(index, width=1280)
    browser.run("document.querySelectorAll('input[name=direction]')[1].click()")
    browser.run("document.querySelector('#size').focus()")
    key(browser, "End", 35)
    said = browser.run("document.querySelector('#said').textContent")
    assert "Label loss 0.293, down from 0.592." in said


def test_the_pixel_of_the_image_is_moved_by_keys(browser, index):
    browser.show(index, width=390)
    browser.run("document.querySelector('#image-size').focus()")
    key(browser, "Home", 36)
    shown = "document.querySelector('#image-said').textContent"
    assert "4.0 % to the pixel on the right, 4.0 % to the one below" in browser.run(shown)
    assert "at uniform attention. Every pixel still receives 4.0 %" in browser.run(shown)
    key(browser, "ArrowRight", 39)
    assert "down from 0.300" in browser.run(shown)
    assert browser.run("document.querySelector('#image-matrix').ariaLabel").startswith(
        "Attention of the middle"
    )


def test_the_contrast_dial_says_how_many_sequences_and_never_at_no_contrast(browser, index):
    browser.show(index, width=360)
    said = "document.querySelector('#dial-said').textContent"
    assert "labels need 460 sequences, 139 times reconstruction’s 3.3." in browser.run(said)
    browser.run("document.querySelector('#contrast').focus()")
    key(browser, "Home", 36)
    assert "labels never learn; reconstruction needs 3.1 sequences" in browser.run(said)


def test_an_address_opens_its_claim_also_when_the_page_is_loaded_with_it(browser, index):
    browser.show(index, width=1280)
    browser.run("location.hash = '#C9'")
    browser.events.clear()
    browser.send("Page.reload")
    browser.wait("Page.loadEventFired")
    assert browser.run("[...document.querySelectorAll('main details[open]')].map(d => d.id)") == ["C9"]
    browser.run("document.querySelector('nav a[href=\"#C12\"]').click()")
    browser.run("new Promise(done => setTimeout(done, 100))")
    assert browser.run("document.querySelector('#C12').open")


def test_on_a_phone_what_goes_on_to_the_right_fades_until_it_is_scrolled_to(browser, index):
    browser.show(index, width=390)
    faded = "document.querySelector('main > section .scroll.more')"
    assert browser.run(f"getComputedStyle({faded}).maskImage").startswith("linear-gradient")
    browser.run(
        f"window.box = {faded}; box.scrollLeft = box.scrollWidth; box.dispatchEvent(new Event('scroll'))"
    )
    assert not browser.run("box.classList.contains('more')")


def test_one_button_opens_all_claims_and_closes_them(browser, index):
    browser.show(index, width=1280)
    closed = "document.querySelectorAll('details.claim:not([open])').length"
    number = browser.run(closed)
    browser.run("document.querySelector('#expand').click()")
    browser.run("new Promise(done => setTimeout(done, 100))")
    assert number > 5 and browser.run(closed) == 0
    assert browser.run("document.querySelector('#expand').textContent") == "Close all claims"
    browser.run("document.querySelector('#expand').click()")
    assert browser.run(closed) == number


def test_colours_are_chosen_against_the_system_and_remembered(browser, index):
    ground = "getComputedStyle(document.body).backgroundColor"
    browser.show(index, width=1280, scheme="dark")
    dark = browser.run(ground)
    choose = "(value => { const s = document.querySelector('#scheme'); s.value = value; "
    choose += "s.dispatchEvent(new Event('change')); })"
    browser.run(f"{choose}('light')")
    light = browser.run(ground)
    browser.show(index, width=1280, scheme="dark")
    assert browser.run(ground) == light != dark
    browser.run(f"{choose}('')")
    assert browser.run(ground) == dark and browser.complaints() == []


def test_without_scripts_text_and_figure_of_the_slider_remain(browser, index):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.show(index, width=360)
        shown = "[...document.querySelectorAll('#mover, #image-mover, .controls, #dial, .ways, #figure-score-slider')]"
        visible = browser.run(f"{shown}.map(e => e.checkVisibility())")
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert sorted(visible) == [False, False, False, False, True, True]


def key(browser, name: str, code: int, **more: str) -> None:
    """Press and release a key."""
    for kind in ("keyDown", "keyUp"):
        browser.send(
            "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **more
        )
