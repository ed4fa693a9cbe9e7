"""Intervals, confidence bands and fitted exponents."""

__all__ = ["bands", "exponents", "intervals"]
