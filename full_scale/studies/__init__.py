"""What is compared with what: arms, grids, presets, sweeps and the studies that are stored."""

__all__ = [
    "ablations", "ablations_gpu", "arm_comparison", "arms", "attention", "experiments", "grids", "image_pull",
    "paper", "pilot_validation", "presets", "reproduction", "settings", "stage", "task_arms",
    "training_states", "tuning", "validation", "value_sign",
]  # fmt: skip
