"""What every command takes: a frozen dataclass, its fields are its flags, its docstring its help."""

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sims.cli.names import dashed_name
from sims.cli.progress import Report, progress
from sims.runs.errors import UserError

if TYPE_CHECKING:
    import sims.runs.cache
    import sims.runs.store


_LARGEST_SEED = 2**63  # JAX takes 64 bits with a sign


@dataclasses.dataclass(frozen=True)
class Command:
    """What every command takes."""

    seed: int = 0
    """Random seed."""
    quiet: bool = False
    """Print results and errors only, no progress."""
    line: ClassVar[str] = ""

    @property
    def provenance(self) -> str:
        """The command as the record of its results keeps it."""
        return f"sptlab {self.line} --seed {self.seed}"

    @property
    def computes(self) -> bool:
        """Whether it needs JAX at all."""
        return True

    def refuse(self) -> None:
        """Raise UserError for what a look can see, before JAX is loaded."""
        if not -_LARGEST_SEED <= self.seed < _LARGEST_SEED:
            raise UserError(f"--seed must be a number of 64 bits: got {self.seed}; try 0")


@dataclasses.dataclass(frozen=True)
class Storing(Command):
    """What every command takes that works in a folder of results."""

    out: Path = Path("report")
    """Folder to read results from and to write to."""

    @property
    def results(self) -> Path:
        """Where the stored results lie."""
        return self.out / "results"

    @property
    def session(self) -> "sims.runs.cache.Session":
        """What its results are stored under."""
        from sims.runs.cache import Session

        return Session(self.out, self.provenance, self.seed)

    def refuse(self) -> None:
        """Raise UserError where --out cannot be a folder."""
        super().refuse()
        require_folder(self.out)

    def require_results(self) -> None:
        """Raise UserError for a folder of results that is named and is not there: looking makes none."""
        if self.out != Storing.out and not self.out.is_dir():
            raise UserError(
                f"expected results in {self.out}, found none; check the name, or make them with: "
                f"sptlab reproduce --out {self.out}"
            )

    def say_what_is_there(self, own: Mapping[str, Any], every: Mapping[str, Any]) -> None:
        """Where nothing is computed here yet, say on stderr what is looked at, and what adds to it."""
        if not own and not self.quiet:
            print(
                f"{self.line}: no results in {self.out} yet; what follows is of those that come with the "
                f"repository ({', '.join(sorted(every))}). More: sptlab reproduce",
                file=sys.stderr,
            )


@dataclasses.dataclass(frozen=True)
class ExperimentCommand(Storing):
    """One experiment, whose settings are further flags: `core` has its Config, run and description."""

    json: bool = False
    """Print the result as JSON."""
    name: ClassVar[str] = ""
    side_by_side: ClassVar[int] = 2
    """How many parts of it can run at once."""
    core: ClassVar[Any] = None

    def refuse(self) -> None:
        """Raise UserError where a file or folder of the settings is not there, before anything is announced."""
        super().refuse()
        require_paths(self.config)  # type: ignore[attr-defined]

    def summary(self, result: "sims.runs.store.Result", out: Path) -> str:
        """What was found, for a reader."""
        return json.dumps(result.values, indent=1)

    @property
    def settings(self) -> Any:
        """What it computes with."""
        return self.config  # type: ignore[attr-defined]

    def __call__(self) -> int:
        from sims.runs import store

        with store.lock(self.out), self.progress() as report:
            result = self.stage(report)
        print(json.dumps(result.values, indent=1) if self.json else self.summary(result, self.out))
        return 0

    def progress(self) -> AbstractContextManager[Report]:
        """Its progress, which first says what it will take here."""
        title = self.name.replace("_", "-")
        return progress(title, self.quiet, self.estimate, side_by_side=self.side_by_side)

    def estimate(self) -> float:
        """Seconds that the default settings take on the reference machine."""
        return self.core.seconds

    def stage(self, report: Report) -> "sims.runs.store.Result":
        """Its result, computed unless it is stored."""
        from sims.runs.cache import simulated

        return simulated(self.session, self.name, self.core, self.settings, report)


def require_paths(settings: Any, group: str = "") -> None:
    """Raise UserError for a path in the settings that leads nowhere: all of them are read."""
    for field in dataclasses.fields(settings):
        value, name = getattr(settings, field.name), f"{group}{dashed_name(field.name)}"
        if dataclasses.is_dataclass(value):
            require_paths(value, f"{name}.")
        for path in value if isinstance(value, tuple) else (value,):
            if isinstance(path, Path) and not path.exists():
                raise UserError(
                    f"expected a file or folder for --{name}: {path} is not there; check the path"
                )


def require_folder(out: Path) -> None:
    """Raise UserError where a path cannot be a folder: it or what it lies in is a file, or may not be written."""
    for path in (out, *out.absolute().parents):
        if path.exists() and not path.is_dir():
            raise UserError(f"expected a folder for --out: {path} is a file; choose another --out")
        if path.is_dir():
            if not os.access(path, os.W_OK):
                raise UserError(
                    f"expected a folder to write to for --out: {path} is read-only; choose another --out"
                )
            return


def require_file(path: Path | None, flag: str) -> None:
    """Raise UserError where a path cannot be a file to write, because it is a folder or lies in a file."""
    if path is not None and path.is_dir():
        raise UserError(f"expected a file for {flag}: {path} is a folder; name a file in it")
    if path is not None:
        for parent in path.parents:
            if parent.exists() and not parent.is_dir():
                raise UserError(
                    f"expected a folder around the file of {flag}: {parent} is a file; choose another"
                )


def listing(command: str, known: dict[str, Any]) -> str:
    """What `simulate` or `train` can run."""
    width = max(map(len, known)) + 2
    rows = "\n".join(
        f"  {dashed_name(name):{width}} {duration(core.seconds):>6}  {core.description}"
        for name, core in known.items()
    )
    flags = "[--out FOLDER] [--seed N] [--quiet] [settings of its own]"
    usage = f"usage: sptlab {command} NAME {flags}\n       sptlab {command} --list"
    if command == "train":
        usage += "\n       sptlab train [run] --preset PRESET --grid arms|transfer|priors|depth|core|all"
    if command == "simulate":
        usage += "\n       sptlab simulate NAME --sweep FILE [--engine local|dask]"
    times = "Times are for the default settings on two idle cores; an interrupted run can be continued."
    return f"{usage}\n\n{rows}\n\n{times}\nSettings: sptlab {command} NAME --help"


def duration(seconds: float | int) -> str:
    """About how long, in few characters."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
