"""Each named quantity of the theory: what is predicted, where it is measured, whether it holds."""

__all__ = ["along", "compare", "missing", "predictions", "rows", "stored_measurements", "tables"]
