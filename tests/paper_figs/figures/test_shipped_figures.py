"""What a fresh clone draws from the results that come with it: each figure has a caption, or is left out."""

import pytest

from full_scale.stored import with_shipped
from paper_figs import EXPERIMENT_FIGURES, FIGURES, drawable, write_figures
from sims.runs.errors import UserError


def test_every_figure_that_a_fresh_clone_offers_has_a_caption():
    shipped = with_shipped({})
    names = drawable(shipped)
    assert {"overview", "shares", "validation"} <= set(names)
    assert all((FIGURES | EXPERIMENT_FIGURES)[name].caption(shipped) for name in names)


def test_a_figure_whose_results_lack_what_it_shows_is_refused_in_one_line(tmp_path):
    shipped = with_shipped({})
    if "few_labels" in drawable(shipped):
        pytest.skip("the stored study holds few labels")
    with pytest.raises(UserError, match="expected what figure few_labels shows in the stored results paper"):
        write_figures(shipped, tmp_path, ["few_labels"])
