"""`sptlab figures --width`: every figure as wide as is asked for, and what is no width is refused at once."""

import pytest

from paper_figs.cli.figures import Figures, _inches, _venue
from paper_figs.style import VENUES, at, panels
from paper_figs.style.venues import COLUMN_WIDTH, FULL_WIDTH
from sims.runs.errors import UserError


@pytest.mark.parametrize("width", ["9", "wide", "10mm", "5m", "-90mm", "90", "1000mm", ""])
def test_what_is_no_width_is_refused_before_anything_is_read(width, tmp_path):
    with pytest.raises(
        UserError, match=r"--width must be one-column, two-columns or 60 to 400 mm.*try --width 90mm"
    ):
        Figures(width=width, out=tmp_path).refuse()


def test_millimetres_centimetres_and_inches_are_the_same_width():
    assert (
        _inches("89mm") == pytest.approx(_inches("8.9 cm")) == pytest.approx(_inches("3.503937in"), rel=1e-6)
    )


@pytest.mark.parametrize(
    ("width", "inches"), [("90mm", 90 / 25.4), ("one-column", 3.25), ("two-columns", 6.75)]
)
@pytest.mark.parametrize("own", [COLUMN_WIDTH, FULL_WIDTH])
def test_every_figure_has_the_width_that_was_chosen_and_keeps_its_proportions(width, inches, own):
    with at(_venue(VENUES["icml"], width)):
        figure, _ = panels(1, 2, width=own, height=2.0)
    wide, high = figure.get_size_inches()
    assert wide == pytest.approx(inches)
    assert high / wide == pytest.approx(2.0 / own)


def test_letters_keep_their_size_until_there_is_no_room_for_them():
    letters = {}
    for width in ("two-columns", "150mm", "one-column"):
        with at(_venue(VENUES["icml"], width)):
            letters[width] = panels(1, 1, width=FULL_WIDTH, height=2.0)[0].settings["xtick.labelsize"]
    assert letters["two-columns"] == letters["150mm"] == 7.0 > letters["one-column"]


def test_without_a_width_each_figure_has_its_own():
    assert _venue(VENUES["neurips"], None) == VENUES["neurips"]
