"""The small layers and trainings that several experiments share."""

__all__ = [
    "ensemble", "equal_rows", "flows", "label_layers", "quadratic_ring", "readouts", "residual_layer",
    "score_gradients", "switched_layer", "transformer",
]  # fmt: skip
