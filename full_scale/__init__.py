"""Real Transformers on real tasks: trained by labels, by self-pretraining, and probed in their scores."""

__all__ = [
    "cli", "comparison", "data", "devices", "diagnosis", "export", "model", "objectives", "probes", "studies",
    "tasks", "training",
]  # fmt: skip
