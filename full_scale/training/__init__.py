"""Training in phases: masks, losses, optimisers, checkpoints, and many runs side by side."""
