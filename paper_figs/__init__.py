"""Figures and the report page: they show stored results and compute none."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paper_figs.export.writing import write_figure, write_figures, write_numbers
    from paper_figs.figures import EXPERIMENT_FIGURES, FIGURES, drawable, figure_of

__all__ = [
    "EXPERIMENT_FIGURES", "FIGURES", "drawable", "figure_of", "write_figure", "write_figures",
    "write_numbers",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is drawn, when it is asked for: a command's help need not import every figure."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from paper_figs import figures
    from paper_figs.export import writing

    return getattr(writing if name.startswith("write_") else figures, name)
