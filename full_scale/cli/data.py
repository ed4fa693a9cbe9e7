"""`sptlab data`."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import tyro

from sims.cli import declarations
from sims.cli.command import Command, require_folder
from sims.cli.names import require
from sims.cli.progress import progress
from sims.runs.errors import UserError

SETTINGS = ("window", "contour_length", "variant")
COLUMNS = ("label", "text", "group", "encoding", "fill", "axes", "unlabelled")


@dataclasses.dataclass(frozen=True)
class Data(Command):
    """List, prepare and check the data of the tasks.

    list: every task, its sizes and source, and whether its files are there.

    prepare TASK: generate pathfinder or listops, or read your files (--source) and store them in one compact
    file with a manifest of hashes. If generating is interrupted, the same command continues it.

    check TASK: hashes, and what is known of the real files; a line per fact, exit 1 when one does not hold.
    """

    action: tyro.conf.Positional[Literal["list", "prepare", "check"]] = "list"
    """What to do."""
    task: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="[TASK]")] = ""
    """A task of the list, for prepare and check."""
    out: Annotated[Path, tyro.conf.arg(aliases=("--data",))] = Path("data")
    """Folder of prepared data; `sptlab train` and `sptlab diagnose` read from `data`."""
    source: Path | None = None
    """Your file, folder or archive, in one of the formats that `sptlab data list` names."""
    number: int | None = None
    """Number of sequences to generate; default: as Long Range Arena, pathfinder 200,000, listops 100,000."""
    window: Literal[16, 24, 32, 64, 128, 256] = 32
    """pathfinder: width and height in pixels; 128 is Path-X."""
    contour_length: Literal[4, 6, 9, 14] = 14
    """pathfinder: dashes of the long contours; 6 is easy, 14 hard; at most 4 in 16 pixels, 6 in 24."""
    variant: Literal["lra", "medium", "small", "tiny"] = "lra"
    """listops: sequences of 501 to 1,999 symbols (lra), or up to 512 (medium), 128 (small), 64 (tiny)."""
    label: str | None = None
    """own: column or array of the labels; default: label, y, target or class."""
    text: str | None = None
    """own: column or array of the texts or sequences."""
    group: str | None = None
    """own: column or array of what stays in one part: a subject, a recording, a document."""
    encoding: str = "utf-8"
    """own: encoding of text files, such as latin-1, cp1252 or utf-16."""
    fill: Literal["no", "linear", "mean", "zero"] = "no"
    """own: how missing numbers are filled; no: they are an error."""
    axes: Literal["auto", "steps", "channels"] = "auto"
    """own: order of a float array: (n, steps, channels) or (n, channels, steps); auto: steps, or an error."""
    unlabelled: Literal["refuse", "pretrain"] = "refuse"
    """own: rows whose label is missing are an error, or only pretraining reads them."""
    processes: int | None = None
    """Number of processes that generate; default: one per core."""
    line: ClassVar[str] = "data"

    def refuse(self) -> None:
        """Raise UserError for a task, number or file that cannot be."""
        super().refuse()
        require_folder(self.out)
        if self.action != "list":
            self.named()
        for name in ("number", "processes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"--{name} must be at least 1: got {value}; leave it out for the default")
        if self.source is not None and not self.source.exists():
            raise UserError(f"expected data at {self.source}, found nothing; check the path")

    def __call__(self) -> int:
        from full_scale.cli import data_catalogue

        paths, holds = data_catalogue.DataPaths(self.out, self.source), True
        if self.action == "list":
            lines = data_catalogue.listing(self.out)
        elif self.action == "check":
            lines, holds = data_catalogue.check(self.chosen(), paths)
        else:
            with progress("data", self.quiet) as report:
                settings = dict(number=self.number, seed=self.seed, processes=self.processes)
                lines = data_catalogue.prepare(self.chosen(), paths, report=report, **settings)
        print("\n".join(lines))
        return 0 if holds else 1

    def named(self) -> str:
        """The name of the task, or a UserError that names the tasks."""
        if not self.task:
            raise UserError(
                f"name a task, for example `sptlab data {self.action} text` (see sptlab data list)"
            )
        return require(self.task, declarations.tasks(), "task")

    def chosen(self) -> Any:
        """The task with its settings. Raises UserError for an option of another task."""
        from full_scale.tasks import TASKS

        kind = TASKS[self.named()]
        fields = {field.name for field in dataclasses.fields(kind)}
        for name in COLUMNS:
            if kind.name != "own" and getattr(self, name) != getattr(type(self), name):
                raise UserError(f"--{name} is for the task own: got {kind.name}; leave it out")
        return kind(**{name: getattr(self, name) for name in (*SETTINGS, *COLUMNS) if name in fields})
