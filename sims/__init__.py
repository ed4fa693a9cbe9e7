"""Simulations in CPU minutes that test the theory's claims, and the storage of every result."""

from sims.experiments import EXPERIMENTS, Experiment

__all__ = ["EXPERIMENTS", "Experiment"]
