"""Signal, noise and sample size: class contrast, and how many sequences a loss needs."""

__all__ = ["class_contrast", "sample_complexity"]
