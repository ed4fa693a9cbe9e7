"""Figures and the report page: they show stored results and compute none."""

from paper_figs.gallery import FIGURES, write_figures

__all__ = ["FIGURES", "write_figures"]
