"""Figures and the report page: they show stored results and compute none."""

from paper_figs.gallery import EXPERIMENT_FIGURES, FIGURES, drawable, figure_of
from paper_figs.writing import write_figure, write_figures, write_numbers

__all__ = [
    "EXPERIMENT_FIGURES", "FIGURES", "drawable", "figure_of", "write_figure", "write_figures",
    "write_numbers",
]  # fmt: skip
