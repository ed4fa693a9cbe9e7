"""An experiment that trains, as a stage: its training runs are kept beside its result."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxtyping import PRNGKeyArray

from full_scale.training.runner import run_all
from sims.runs import store
from sims.runs.cache import Session, begin, cached, note_seconds
from sims.runs.keys import stage_key
from sims.runs.store import Result
from sims.runs.validity import Code, identity

TRAINING = "training"
"""The training runs of several stages, side by side, among the wall times."""


def trained(session: Session, name: str, core: Any, config: object, report: Callable | None) -> Result:
    """The result of one experiment, computed unless it is stored."""
    key = _key(session)
    name = getattr(config, "stored_as", name)  # grids differ by preset and task

    def compute(folder: Path) -> tuple[object, dict]:
        begin(report)
        return core.run(config, key=key, report=report, checkpoint=folder)

    return cached(session, name, config, compute, code=_code(core))


def train_together(session: Session, stages: dict[str, tuple[Any, Any]], report: Callable | None) -> None:
    """The training runs of all stages (core, config) that are not stored: one start of workers serves all."""
    missing = [
        (core, config)
        for name, (core, config) in stages.items()
        if not store.finished(session.results, name, identity(config, session.seed, *_code(core)))
    ]
    trials = [trial for core, config in missing for trial in core.trials(config, key=_key(session))]
    if trials:
        folder, jobs = session.out / "checkpoints" / "trials", missing[0][1].jobs
        started = time.perf_counter()
        run_all(list(dict.fromkeys(trials)), folder, command="sptlab train", report=report, jobs=jobs)
        note_seconds(session.out, TRAINING, time.perf_counter() - started)


def _code(core: Any) -> tuple[Code, ...]:
    """What computes the stage's result."""
    return core.run, getattr(core, "compute", core.run)


def _key(session: Session) -> PRNGKeyArray:
    """One key for all stages that train, so that they share their training runs."""
    return stage_key("training", session.seed)
