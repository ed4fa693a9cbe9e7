"""An experiment that trains, as a stage: its training runs are kept beside its result."""

from collections.abc import Callable
from typing import Any

from sims.keys import stage_key
from sims.stages import Session, kept
from sims.store import Result


def trained(session: Session, name: str, core: Any, config: object, report: Callable | None) -> Result:
    """The result of one experiment, computed unless it is stored."""
    key = stage_key("training", session.seed)  # one for all, so that they share their training runs
    name = getattr(config, "stored_as", name)  # grids differ by preset and task
    return kept(
        session, name, config, lambda folder: core.run(config, key=key, report=report, checkpoint=folder)
    )
