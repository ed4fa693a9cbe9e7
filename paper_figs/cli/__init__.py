"""The commands that write figures and pages. None of them waits for JAX to explain itself."""

__all__ = ["derive", "diagnose", "figures", "reproduce", "summary"]
