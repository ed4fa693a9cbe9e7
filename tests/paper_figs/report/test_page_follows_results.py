"""What the page says changes with the results: verdicts, ties, failures, what is not stored."""

import copy

import pytest

from paper_figs.report import page
from paper_figs.report.summary import summarise


@pytest.fixture
def changed(results, images):
    """The page's text with one thing in the summary changed."""

    def render(change) -> str:
        content = copy.deepcopy(summarise(results))
        content["figures"] = {name: told for name, told in content["figures"].items() if name in images}
        change(content)
        return " ".join(page.render(content, images).split())

    return render


def test_a_step_that_does_not_hold_is_marked(changed):
    def fail(content):
        content["derivations"]["C1"]["steps"][1].update(holds=False, found="NOT SHOWN EQUAL")

    assert '<span class="found failed">✗ NOT SHOWN EQUAL</span>' in changed(fail)


def test_without_the_sliders_result_the_page_is_whole(changed):
    text = changed(lambda content: content.update(slider=None))
    assert 'id="slider"' not in text and "slider-data" not in text and 'id="dial"' not in text


def test_studies_stand_on_the_page_when_they_are_stored(changed):
    gain = {"estimate": 0.31, "low": 0.2, "high": 0.4, "level": 0.95, "n": 5, "method": "t"}
    arm = dict.fromkeys(("test_accuracy", "train_accuracy", "gain"), gain)
    task = {
        "seeds": 5,
        "floor": {"bag": 0.5},
        "arms": {"qk_only": arm},
        "shares": {"qk_share": {**gain, "reason": None}, "share: no_qk": {**gain, "reason": "no gain"}},
    }
    row = {"task": "ramps", "half": "test", "verdict": "no need", "right": "pretrain first"}
    row |= {"predicted_gain": gain, "measured_gain": gain}
    verdict = {"rows": [row], "spearman": gain, "right": {"test": gain}}
    text = changed(lambda content: content.update(cpu_study={"digits": task}, validation=verdict))
    assert '<section id="tasks"' in text and "query-key share" in text and "no gain" in text
    assert '<section id="validation"' in text and "✗ miss" in text


def test_a_gain_that_holds_zero_is_not_called_a_gain(changed):
    text = changed(lambda content: content["tasks"]["docs_order"]["gain"].update(low=-0.1))
    assert "shows no gain from self-pretraining" in text
    assert "shows no gain from self-pretraining" not in changed(lambda content: None)


def test_the_first_screen_shows_no_gain_where_its_interval_holds_zero(changed):
    change = lambda content: content["study"]["1"]["gain"].update(low=-0.1)
    assert "no clear difference" in changed(change) and "with no step more" not in changed(change)
    assert "no clear difference" not in changed(lambda content: None)


def test_without_the_picture_the_first_screen_tells_of_this_report_s_runs(changed):
    text = changed(lambda content: content["figures"].pop("overview"))
    assert 'id="figure-overview"' not in text and "no clear difference" not in text
    assert "no clear difference" in changed(
        lambda content: (
            content["figures"].pop("overview"),
            content["tasks"]["docs_order"]["gain"].update(low=-0.1),
        )
    )


def test_a_tie_needs_a_narrow_interval(changed):
    control = lambda low, high: lambda content: content["tasks"]["digits"]["gain"].update(low=low, high=high)
    assert "a tie, as expected" in changed(control(-0.02, 0.03))
    assert "too wide to call it a tie" in changed(control(-0.2, 0.3))


def test_a_trial_run_says_that_its_numbers_mean_nothing(changed):
    assert "numbers below mean nothing" in changed(lambda content: content.update(smoke=True))
    assert "numbers below mean nothing" not in changed(lambda content: None)


def test_a_control_that_does_not_tie_is_said_so(changed):
    assert "not a tie, SPT is ahead" in changed(
        lambda content: content["tasks"]["digits"]["gain"].update(low=0.01, high=0.02)
    )


def test_a_failed_claim_and_a_failed_row_stand_among_the_disagreements(changed, results):
    text = changed(lambda content: content["claims"][2].update(passed=False))
    limits = text[text.index('<section id="limits"') : text.index('<section id="provenance"')]
    assert "Claim C3" in limits and "Claim C4" not in limits
    for row in results["comparison"].values["rows"]:
        assert (row["name"].replace("_", " ") in limits) == (row["verdict"] != "holds")


@pytest.mark.parametrize(
    "poison",
    [
        lambda content, text: content["comparison"][0].update(note=text),
        lambda content, text: content["claims"][0].update(title=text),
        lambda content, text: content["figures"].update(visible_share=f"{text}. {text}"),
        lambda content, text: content["provenance"]["claims"].update(config={"text": text}),
    ],
    ids=["note", "title", "caption", "configuration"],
)
def test_text_of_a_result_cannot_become_markup(changed, poison):
    text = changed(lambda content: poison(content, "<script>alert(1)</script>"))
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text
