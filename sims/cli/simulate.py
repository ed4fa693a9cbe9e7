"""`sptlab simulate`: one simulation of the minimal model, or a sweep of it."""

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sims.cli.command import ExperimentCommand
from sims.cli.progress import Report, progress
from sims.runs.errors import UserError

if TYPE_CHECKING:
    from sims.runs.store import Result


@dataclasses.dataclass(frozen=True)
class Simulation(ExperimentCommand):
    """One simulation, or a sweep of it."""

    sweep: Path | None = None
    """TOML file of settings and seeds: run each combination, and write all of them to one table."""
    engine: Literal["local", "dask"] = "local"
    """Where a sweep runs: local, in processes of this machine; dask, in Dask workers (extra `cluster`)."""
    scheduler: str | None = None
    """Address of a running Dask scheduler, for example tls://node:8786; default: start one here."""
    workers: int | None = None
    """Number of processes of a sweep on this machine; default: one per GPU, or else per core."""

    def refuse(self) -> None:
        """Raise UserError for options that do not go together, or a sweep's file that is not there."""
        super().refuse()
        self.require_consistent()
        if self.sweep and not self.sweep.is_file():
            kind = "a folder" if self.sweep.is_dir() else "not there"
            raise UserError(f"expected a TOML file for --sweep: {self.sweep} is {kind}; check the path")

    def __call__(self) -> int:
        return swept(self, self.sweep) if self.sweep else super().__call__()

    def stage(self, report: Report) -> "Result":
        """Its result; a line on stderr says where it replaces that of other settings."""
        from sims.runs import store

        before = store.stored_record(self.results, self.name)
        result = super().stage(report)
        if before and before["config_hash"] != result.record["config_hash"] and not self.quiet:
            print(
                f"{self.line}: this replaces the result of other settings or another seed in {self.out}, from which "
                "figures are drawn; another --out keeps both",
                file=sys.stderr,
            )
        return result

    def require_consistent(self) -> None:
        """Raise UserError for options of a sweep that would have no effect."""
        given = {
            "--engine dask": self.engine == "dask",
            "--scheduler": self.scheduler,
            "--workers": self.workers,
        }
        for option, used in given.items():
            if used and not self.sweep:
                raise UserError(f"{option} is for sweeps: add --sweep FILE (see sims/sweeps/README.md)")
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
    from sims.runs import store
    from sims.sweeps import sweep

    folders = sweep.SweepFolders(
        command.out / "trials" / command.name, command.out / "sweeps" / command.name / file.stem
    )
    trials, line = trials_of(command, file), f"sptlab {command.line} --sweep"
    seconds = lambda: command.core.seconds * len(trials)
    at_once = command.workers or len(trials)
    with (
        store.lock(command.out),
        progress(command.name, command.quiet, seconds, side_by_side=at_once) as report,
    ):
        done = sweep.run(trials, engine(command), folders, command=line, report=report)
    for key, reason in done.failed.items():
        print(f"failed: {key}: {reason}", file=sys.stderr)
    again = f", {len(done.failed)} failed (the same command tries them again)" if done.failed else ""
    print(f"{done.trials} trials, {done.stored_before} of them stored before{again}")
    print(f"written to {folders.table / 'sweep.csv'}")
    return 1 if done.failed else 0


def trials_of(command: Any, file: Path) -> list:
    """One trial for each combination of the file's settings and seeds."""
    from sims.sweeps import grid
    from sims.sweeps.trial import Trial

    base = command.config
    if hasattr(base, "jobs"):  # the sweep's workers take the cores; within one, runs take turns
        base = dataclasses.replace(base, jobs=1)
    settings = grid.configurations(file, base, command.seed)
    return [Trial(command.name, command.core.run, config, seed) for config, seed in settings]


def engine(command: Any) -> Callable:
    """What computes the trials."""
    from sims.sweeps import cluster, local

    if command.engine == "local":
        return functools.partial(local.outcomes, workers=command.workers)
    say = lambda line: None if command.quiet else print(f"{command.name}: {line}", file=sys.stderr)
    return functools.partial(cluster.outcomes, scheduler=command.scheduler, workers=command.workers, say=say)
