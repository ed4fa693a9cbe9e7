"""Sweeps: many settings of one experiment, on one machine or on a cluster, in one table."""

__all__ = ["cluster", "devices", "grid", "local", "setting", "sweep", "table", "trial"]
