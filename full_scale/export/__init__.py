"""Trained models for other programs: the stored run that is written, and the same encoder in PyTorch."""

__all__ = ["pytorch", "stored_runs"]
