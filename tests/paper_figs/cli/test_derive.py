"""`sptlab derive`: the article's figures, and what is refused."""

from pathlib import Path

import pytest

import sptlab
from paper_figs.cli.derive import drawn_figures


def test_the_article_finds_drawn_figures_from_its_own_folder_and_none_without_a_caption(tmp_path):
    folder, beside = tmp_path / "report" / "figures", tmp_path / "paper"
    folder.mkdir(parents=True)
    for name in ("causal.pdf", "causal.tex", "pools.pdf"):
        (folder / name).write_text("A caption.\n")
    assert drawn_figures(folder, beside) == {"C18": [("../report/figures/causal.pdf", "A caption.")]}
    assert drawn_figures(tmp_path / "nowhere", Path()) == {}


@pytest.mark.parametrize("more", [["C3"], ["--all"], ["C3", "--format", "latex"]])
def test_every_step_is_for_the_article_alone(more, capsys):
    assert sptlab.main(["derive", *more, "--full"]) == 2
    assert "--full is for the article: expected --all --format latex" in capsys.readouterr().err
