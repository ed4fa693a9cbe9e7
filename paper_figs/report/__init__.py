"""The page and the reference: stored results told in the order of the argument."""

__all__ = [
    "api",
    "argument",
    "diagnosis_page",
    "figure_placement",
    "first_page",
    "html_filters",
    "mathematics",
    "measures",
    "page",
    "slider",
    "sources",
    "studies",
    "summary",
]
