"""`sptlab data`."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import tyro

from sims.commands.command import Command
from sims.commands.names import require
from sims.commands.progress import progress
from sims.errors import UserError

SETTINGS = ("window", "contour_length", "variant")


@dataclasses.dataclass(frozen=True)
class Data(Command):
    """List, prepare and check the data of the tasks.

    list: every task, its sizes and source, and whether its files are there.

    prepare TASK: generate pathfinder or listops, or read your files (--source) and store them in one compact
    file with a manifest of hashes. Generating goes on where it was interrupted.

    check TASK: hashes, and what is known of the real files; a line per fact, exit 1 when one does not hold.
    """

    action: tyro.conf.Positional[Literal["list", "prepare", "check"]] = "list"
    """What to do."""
    task: tyro.conf.Positional[str] = ""
    """A task of the list, for prepare and check."""
    out: Annotated[Path, tyro.conf.arg(aliases=("--data",))] = Path("data")
    """Folder of prepared data; `sptlab train` looks into the one named data."""
    source: Path | None = None
    """Your files: a file, folder or archive as the list and the errors name them; nothing is executed."""
    number: int | None = None
    """Sequences to generate; by default Long Range Arena's: 200,000 for pathfinder, 100,000 for listops."""
    window: Literal[32, 64, 128, 256] = 32
    """pathfinder: pixels on a side; 128 is Path-X."""
    contour_length: Literal[6, 9, 14] = 14
    """pathfinder: paddles of the long contours, 6 easy, 14 hard."""
    variant: Literal["lra", "small"] = "lra"
    """listops: small has 30 to 128 symbols instead of 501 to 1,999."""
    processes: int | None = None
    """That generate side by side; by default one per core."""
    line: ClassVar[str] = "data"

    def __call__(self) -> int:
        from full_scale import data_command

        place, holds = data_command.Place(self.out, self.source), True
        if self.action == "list":
            lines = data_command.listing(self.out)
        elif self.action == "check":
            lines, holds = data_command.check(self.chosen(), place)
        else:
            with progress("data", self.quiet) as report:
                settings = dict(number=self.number, seed=self.seed, processes=self.processes)
                lines = data_command.prepare(self.chosen(), place, report=report, **settings)
        print("\n".join(lines))
        return 0 if holds else 1

    def chosen(self) -> Any:
        """The task with its settings, or a UserError that names the tasks."""
        from full_scale.tasks import TASKS

        if not self.task:
            raise UserError(
                f"name a task, for example `sptlab data {self.action} text` (see sptlab data list)"
            )
        kind = TASKS[require(self.task, TASKS, "task")]
        fields = {field.name for field in dataclasses.fields(kind)}
        return kind(**{name: getattr(self, name) for name in SETTINGS if name in fields})
