"""The figures of the studies: every venue's widths and fonts, no text on text, captions from the numbers."""

import dataclasses
import itertools
import re

import pytest
from matplotlib.text import Text

from paper_figs import EXPERIMENT_FIGURES, FIGURES, style
from paper_figs.export.formats import pdf, png
from paper_figs.style import arms
from sims.runs.store import Result
from tests.paper_figs.example_record import interval
from tests.paper_figs.example_studies import studied
from tests.paper_figs.figures.test_figures import unpacked
from tests.paper_figs.figures.test_layout import drawn_texts, overlap

NEW = (
    "arm_accuracies",
    "arm_curves",
    "few_labels",
    "paper_gains",
    "paper_tasks",
    "pilot_validation",
    "shares",
    "toy_to_transformer",
    "validation",
)
TALL = ("learning_curves", "prediction_measurement", "adiabatic_gradients")  # were cut or too small once
SMALLEST = {"icml": 6.0, "neurips": 6.0, "slides": 9.0}  # points
VENUES = pytest.mark.parametrize("venue", style.VENUES.values(), ids=lambda venue: venue.name)
EVERY = pytest.mark.parametrize("name", NEW)


@pytest.fixture(scope="module")
def stored() -> dict[str, Result]:
    return studied()


def drawn(name: str, stored: dict[str, Result], venue: style.Venue):
    with style.at(venue):
        return (EXPERIMENT_FIGURES | FIGURES)[name].draw(stored)


@VENUES
@pytest.mark.parametrize("name", NEW + TALL)
def test_texts_neither_overlap_nor_are_cut_nor_too_small_at_any_venue(name, venue, stored, monkeypatch):
    figure = drawn(name, stored, venue)
    with style.at(venue), style.as_made(figure):
        texts = drawn_texts(figure, monkeypatch)
    assert not [(a, b) for (a, one), (b, other) in itertools.combinations(texts, 2) if overlap(one, other)]
    width, height = figure.get_size_inches() * 200
    assert not [
        text for text, (x0, y0, x1, y1) in texts if min(x0, y0) < -1 or x1 > width + 1 or y1 > height + 1
    ]
    assert figure.get_figwidth() in (venue.full, venue.column)
    assert figure.get_figheight() <= venue.highest
    letters = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert min(text.get_fontsize() for text in letters) >= SMALLEST[venue.name]


def test_a_run_is_a_dot_and_no_interval_is_drawn_above_accuracy_1(stored):
    arm = interval(0.78, 0.32) | {"per_seed": [0.5, 0.95, 0.5, 0.97, 0.98]}
    study = stored["cpu_study"]
    task, found = next(iter(study.values["tasks"].items()))
    score = {**found["arms"]["spt"], "test_accuracy": arm}
    one = {task: {**found, "arms": {**found["arms"], "spt": score}}}
    changed = dataclasses.replace(study, values={"tasks": one})
    panel = drawn("arm_accuracies", {"cpu_study": changed}, style.venue()).axes[0]
    ends = [segment[:, 0].max() for lines in panel.collections for segment in lines.get_segments()]
    assert max(ends) == 1.0
    assert any(list(line.get_xdata()) == arm["per_seed"] for line in panel.get_lines())


def test_measurements_are_solid_and_theory_alone_is_dashed():
    looks = [*arms.LOOKS.values(), arms.PRIOR, arms.DEPTH, *style.LEVELS, style.CONTROL, style.TRANSFORMER]
    assert {look.linestyle for look in looks} == {"-"}


def test_arms_of_the_cpu_study_have_one_name_and_one_order_in_all_figures(stored):
    rows = lambda name: [
        label.get_text() for label in drawn(name, stored, style.venue()).axes[0].get_yticklabels()
    ]
    accuracies, shares = rows("arm_accuracies"), rows("shares")
    assert len(set(accuracies)) == len(accuracies)
    assert shares == [name for name in accuracies if name in shares]


def test_slides_have_16_to_9_and_their_own_letters(stored):
    slides = style.VENUES["slides"]
    assert slides.full / slides.highest == pytest.approx(16 / 9)
    figure = drawn("validation", stored, slides)
    label = figure.axes[0].xaxis.label
    assert label.get_fontsize() == slides.text and label.get_fontname() == "DejaVu Sans"
    with style.at(slides):
        assert int.from_bytes(png(figure)[16:20], "big") == round(slides.dpi * slides.column)
        kinds = set(re.findall(rb"/Subtype /(Type\d|TrueType|CIDFontType\d)", unpacked(pdf(figure))))
    assert b"Type3" not in kinds


def test_a_venue_holds_only_inside_its_block(stored):
    with style.at(style.VENUES["slides"]):
        assert style.venue().name == "slides"
    assert style.venue().name == "icml"
    assert drawn("validation", stored, style.venue()).axes[0].xaxis.label.get_fontsize() == 8.0


@EVERY
def test_captions_begin_with_a_title_and_quote_numbers(name, stored):
    title, _, rest = EXPERIMENT_FIGURES[name].caption(stored).partition(". ")
    assert len(title) < 60 and re.search(r"\d", rest) and "None" not in rest


def test_captions_follow_the_numbers(stored):
    study = stored["validation"]
    worse = {**study.values, "right": {"test": {**study.values["right"]["test"], "estimate": 2 / 6}}}
    changed = {**stored, "validation": dataclasses.replace(study, values=worse)}
    caption = EXPERIMENT_FIGURES["validation"].caption
    assert "5 of 6 verdicts are right" in caption(stored) and "2 of 6 verdicts are right" in caption(changed)


def test_a_miss_is_named_and_a_share_of_no_gain_is_said_to_be_undefined(stored):
    figure = drawn("validation", stored, style.venue())
    assert "run-density" in [text.get_text() for text in figure.axes[0].texts]
    assert "digits undefined (SPT's gain is not clearly above 0)" in EXPERIMENT_FIGURES["shares"].caption(
        stored
    )


def test_every_name_of_the_table_has_its_panel(stored):
    figure = drawn("toy_to_transformer", stored, style.venue())
    assert len(figure.axes) == 9 and not any(
        "not measured" in t.get_text() for a in figure.axes for t in a.texts
    )
