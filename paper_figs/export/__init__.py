"""Figures and numbers as files: PDF, PNG, captions, LaTeX macros."""

__all__ = ["formats", "macros", "tex", "writing"]
