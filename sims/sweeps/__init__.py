"""Sweeps: many settings of one experiment, on one machine or on a cluster, in one table."""
