"""How values, scores and heads move: the adiabatic point, escape from the plateau, the first value, forgetting."""

__all__ = ["adiabatic", "escape", "forgetting", "quadratic_features", "value_sign", "values_first"]
