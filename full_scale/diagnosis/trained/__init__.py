"""After training: what a measured gain near 0 is due to, and whether reconstruction learned anything at all."""

__all__ = ["arms", "causes", "hidden_tokens", "linear_baselines", "report", "stage"]
