"""What every command takes: a frozen dataclass, its fields are its flags, its docstring its help."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sims.commands.progress import Report, progress

if TYPE_CHECKING:
    import sims.stages
    import sims.store


@dataclasses.dataclass(frozen=True)
class Command:
    """What every command takes."""

    seed: int = 0
    """Every random number follows from it."""
    quiet: bool = False
    """No progress; results and errors only."""
    line: ClassVar[str] = ""

    @property
    def provenance(self) -> str:
        """The command as the record of its results keeps it."""
        return f"sptlab {self.line} --seed {self.seed}"


@dataclasses.dataclass(frozen=True)
class Storing(Command):
    """What every command takes that works in a folder of results."""

    out: Path = Path("report")
    """Folder of results, figures and page."""

    @property
    def results(self) -> Path:
        """Where the stored results lie."""
        return self.out / "results"

    @property
    def session(self) -> "sims.stages.Session":
        """What its results are stored under."""
        from sims.stages import Session

        return Session(self.out, self.provenance, self.seed)


@dataclasses.dataclass(frozen=True)
class Experiment(Storing):
    """One experiment, whose settings are further flags: `core` has its Config, run and description."""

    name: ClassVar[str] = ""
    core: ClassVar[Any] = None

    @staticmethod
    def shown(values: dict) -> str:
        """Its values as text."""
        return json.dumps(values, indent=1)

    def __call__(self) -> int:
        from sims import store

        with store.lock(self.out), progress(self.name, self.quiet) as report:
            result = self.stage(report)
        print(self.shown(result.values))
        return 0

    def stage(self, report: Report) -> "sims.store.Result":
        """Its result, computed unless it is stored."""
        from sims.stages import simulated

        return simulated(self.session, self.name, self.core, self.config, report)  # type: ignore[attr-defined]
