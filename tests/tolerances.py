"""The tolerances of the whole suite, by cause. They are defined in `theory.claims.checks.tolerances`."""

from theory.claims.checks.tolerances import EXACT_FLOAT64, FINITE_DIFFERENCE, FLOAT32, monte_carlo

__all__ = ["EXACT_FLOAT64", "FINITE_DIFFERENCE", "FLOAT32", "monte_carlo"]
