"""For every result that can be stored, the command that makes it. Read from the sources: nothing is imported."""

from pathlib import Path

from sims.cli import declarations
from sims.cli.names import dashed_name

STORED = Path(__file__).parents[1] / "stored"
"""Where the results lie that come with the repository."""
_TRAININGS = "full_scale.studies.experiments"

COMMANDS: dict[str, str] = {
    "claims": "sptlab verify",
    "comparison": "sptlab compare",
    **{name: f"sptlab simulate {dashed_name(name)}" for name in declarations.simulations()},
    **{name: f"sptlab train {dashed_name(name)}" for name in declarations.experiments(_TRAININGS)},
    **{study.stored: f"sptlab study {dashed_name(name)}" for name, study in declarations.studies().items()},
}
"""The command that makes a result, by the result's name; experiments and studies are read from their folders."""

__all__ = ["COMMANDS", "STORED"]
