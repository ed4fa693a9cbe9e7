"""Training in phases: masks, losses, optimisers, checkpoints, and many runs side by side."""

__all__ = [
    "checkpoint", "history", "loop", "metrics", "models", "runner", "start", "step", "trial", "trial_config",
]  # fmt: skip
