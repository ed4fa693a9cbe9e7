"""`sptlab simulate`: one simulation of the minimal model, or a sweep of it."""

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from sims.commands.command import Experiment
from sims.commands.progress import progress
from sims.errors import UserError


@dataclasses.dataclass(frozen=True)
class Simulation(Experiment):
    """One simulation, or a sweep of it."""

    sweep: Path | None = None
    """TOML file of settings and seeds: each combination is a trial, and all trials land in one table."""
    engine: Literal["local", "dask"] = "local"
    """What computes a sweep: processes of this machine, or Dask distributed (the extra `cluster`)."""
    scheduler: str | None = None
    """Address of a running Dask scheduler, tls://node:8786; by default Dask's workers start here."""
    workers: int | None = None
    """Processes of a sweep on this machine; by default one per GPU, or else one per core."""

    def __call__(self) -> int:
        self.require_consistent()
        return swept(self, self.sweep) if self.sweep else super().__call__()

    def require_consistent(self) -> None:
        """Raise UserError for options of a sweep that would have no effect."""
        given = {
            "--engine dask": self.engine == "dask",
            "--scheduler": self.scheduler,
            "--workers": self.workers,
        }
        for option, used in given.items():
            if used and not self.sweep:
                raise UserError(f"{option} is for sweeps: add --sweep FILE (see README, Sweeps)")
        if self.scheduler and self.engine != "dask":
            raise UserError("--scheduler is for --engine dask: add it")
        if self.scheduler and self.workers is not None:
            raise UserError(
                "expected --scheduler or --workers, got both; a running scheduler has its workers"
            )
        if self.workers is not None and self.workers < 1:
            raise UserError(f"--workers must be at least 1: got {self.workers}; try 2")


def swept(command: Any, file: Path) -> int:
    """Compute a sweep's trials and table, and say what was done; 1 when a trial failed."""
    from sims import store
    from sims.sweeps import sweep

    place = sweep.Place(
        command.out / "trials" / command.name, command.out / "sweeps" / command.name / file.stem
    )
    trials, line = trials_of(command, file), f"sptlab {command.line} --sweep"
    with store.lock(command.out), progress(command.name, command.quiet) as report:
        done = sweep.run(trials, engine(command), place, command=line, report=report)
    for key, reason in done.failed.items():
        print(f"failed: {key}: {reason}", file=sys.stderr)
    again = f", {len(done.failed)} failed (the same command tries them again)" if done.failed else ""
    print(f"{done.trials} trials, {done.stored_before} of them stored before{again}")
    print(f"written to {place.table / 'sweep.csv'}")
    return 1 if done.failed else 0


def trials_of(command: Any, file: Path) -> list:
    """One trial for each combination of the file's settings and seeds."""
    from sims.sweeps import grid
    from sims.sweeps.trial import Trial

    base = command.config
    if hasattr(base, "jobs"):  # the sweep's workers take the cores; within one, runs take turns
        base = dataclasses.replace(base, jobs=1)
    found = grid.configurations(file, base, command.seed)
    return [Trial(command.name, command.core.run, config, seed) for config, seed in found]


def engine(command: Any) -> Callable:
    """What computes the trials."""
    from sims.sweeps import cluster, local

    if command.engine == "local":
        return functools.partial(local.outcomes, workers=command.workers)
    say = lambda line: None if command.quiet else print(f"{command.name}: {line}", file=sys.stderr)
    return functools.partial(cluster.outcomes, scheduler=command.scheduler, workers=command.workers, say=say)
