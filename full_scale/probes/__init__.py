"""What each loss sees of a Transformer's attention scores, at any state of its training."""

__all__ = [
    "factored_gradients", "held_out", "measures", "online_metrics", "per_sequence", "proximity_predictions",
    "score_slopes",
]  # fmt: skip
