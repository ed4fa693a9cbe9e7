"""No label, tick or panel of a watched figure has moved since someone looked at it."""

import json

import matplotlib as mpl
import pytest

from tests.paper_figs.figures.placement import STORED, WATCHED, drawn, moved, placement

BASELINE = json.loads(STORED.read_text())
SAME = mpl.__version__ == BASELINE["matplotlib"]
PINNED = pytest.mark.skipif(not SAME, reason=f"placements are those of matplotlib {BASELINE['matplotlib']}")


@PINNED
@pytest.mark.parametrize("name", WATCHED)
def test_nothing_has_moved(name):
    assert not moved(placement(drawn(name)), BASELINE["figures"][name])


@PINNED
def test_a_label_moved_by_two_points_is_noticed():
    figure = drawn("validation")
    label = figure.axes[0].yaxis.label
    figure.axes[0].yaxis.labelpad += 2.0
    assert moved(placement(figure), BASELINE["figures"]["validation"]) == [label.get_text()]


@PINNED
def test_a_changed_word_is_noticed():
    figure = drawn("validation")
    figure.axes[0].set_xlabel("another quantity")
    assert "another quantity" in moved(placement(figure), BASELINE["figures"]["validation"])
