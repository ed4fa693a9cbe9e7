"""Simulations in CPU minutes that test the theory's claims, and the storage of every result."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sims.experiments import EXPERIMENTS, Experiment

__all__ = ["EXPERIMENTS", "Experiment"]


def __getattr__(name: str) -> Any:
    """The registry when it is asked for: a worker that computes one experiment need not import them all."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sims import experiments

    return getattr(experiments, name)
